internal import TocsinCore

extension SenMLDecoder {
    mutating func decode(
        cbor bytes: Span<UInt8>, _ range: Range<Int>, now: Timestamp, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        var reader = CBORReader(range)
        var head = try reader.head(bytes)
        // A pack may say by a tag that it is CBOR (RFC 8949, section 3.4.6).
        if head == .tag(55799) { head = try reader.head(bytes) }
        guard case .array(let count) = head else { throw .malformed("is no SenML: it is not an array of records") }
        var base = SenMLBase()
        var done = 0
        while done != count {
            let start = reader.position
            let head = try reader.head(bytes)
            if head == .end, count == nil { break }
            guard case .map(let members) = head else { throw .malformed("is no SenML: a record is not a map") }
            done += 1
            guard done <= Self.mostRecords else { throw Self.tooMany }
            let record = try Self.readRecord(members, &reader, bytes, &columns)
            try base.resolve(record, at: start..<reader.position, now: now, bytes, &columns)
        }
        guard reader.isAtEnd else { throw CBORReader.broken("bytes stand behind its end") }
    }

    private static func readRecord(
        _ count: Int?, _ reader: inout CBORReader, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> SenMLRecord {
        var record = SenMLRecord()
        var done = 0
        while done != count {
            done += 1
            var label: Label?
            switch try reader.head(bytes) {
            case .end where count == nil: return record
            case .unsigned(let number): label = number < 16 ? Label(rawValue: Int(number)) : nil
            case .negative(let number): label = number < 16 ? Label(rawValue: -1 - Int(number)) : nil
            case .text(let length):
                let key = try reader.content(length, isText: true, bytes, &columns)
                if key.with(bytes, columns.side.span, { $0.count > 0 && $0[$0.count - 1] == UInt8(ascii: "_") }) {
                    record.unknown = key
                }
            default: throw .malformed("is no SenML: a label is neither a number nor a text")
            }
            if let label {
                try read(label, &record, &reader, bytes, &columns)
            } else {
                try reader.skip(bytes)
            }
        }
        return record
    }

    private static func read(
        _ label: Label, _ record: inout SenMLRecord, _ reader: inout CBORReader, _ bytes: Span<UInt8>,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        switch label {
        case .baseName: record.baseName = try text(&reader, bytes, &columns)
        case .baseUnit: record.baseUnit = try text(&reader, bytes, &columns)
        case .name: record.name = try text(&reader, bytes, &columns)
        case .unit: record.unit = try text(&reader, bytes, &columns)
        case .string, .data:
            record.hasText = true
            try reader.skip(bytes)
        case .flag:
            switch try reader.head(bytes) {
            case .simple(20): record.flag = false
            case .simple(21): record.flag = true
            default: throw .malformed("is no SenML: `vb` is neither true nor false")
            }
        case .update: try reader.skip(bytes)
        case .baseVersion: record.baseVersion = try number(&reader, bytes)
        case .baseTime: record.baseTime = try number(&reader, bytes)
        case .baseValue: record.baseValue = try number(&reader, bytes)
        case .baseSum: record.baseSum = try number(&reader, bytes)
        case .value: record.value = try number(&reader, bytes)
        case .sum: record.sum = try number(&reader, bytes)
        case .time: record.time = try number(&reader, bytes)
        }
    }

    private static func text(
        _ reader: inout CBORReader, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> TextRef {
        guard case .text(let length) = try reader.head(bytes) else {
            throw .malformed("is no SenML: a name or unit is no text")
        }
        return try reader.content(length, isText: true, bytes, &columns)
    }

    /// An integer, a float, or a decimal fraction (tag 4: exponent and mantissa).
    private static func number(_ reader: inout CBORReader, _ bytes: Span<UInt8>) throws(DecodeFault) -> Double {
        switch try reader.head(bytes) {
        case .unsigned(let number): return Double(number)
        case .negative(let number): return -1 - Double(number)
        case .float(let number): return number
        case .tag(4):
            guard try reader.head(bytes) == .array(2) else { break }
            let exponent = try integer(&reader, bytes)
            let mantissa = try integer(&reader, bytes)
            guard abs(exponent) <= 400 else { break }
            return exponent < 0 ? mantissa / power(-exponent) : mantissa * power(exponent)
        default: break
        }
        throw DecodeFault(.notANumber, "has a SenML value that is not a number")
    }

    private static func integer(_ reader: inout CBORReader, _ bytes: Span<UInt8>) throws(DecodeFault) -> Double {
        switch try reader.head(bytes) {
        case .unsigned(let number): return Double(number)
        case .negative(let number): return -1 - Double(number)
        default: throw CBORReader.broken("a decimal fraction has a part that is no integer")
        }
    }

    /// Exact up to 10^22.
    private static func power(_ exponent: Double) -> Double {
        var result = 1.0
        var left = exponent
        while left >= 1 {
            result *= 10
            left -= 1
        }
        return result
    }
}
