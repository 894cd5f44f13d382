internal import TocsinCore

/// SenML packs (RFC 8428) in JSON and CBOR.
struct SenMLDecoder {
    var tree = JSONTree()
    /// Records in one pack.
    static let mostRecords = 65_536

    /// Whether the first object of a JSON array has a name and only names of SenML: then it is no array of messages.
    static func isPack(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var reader = KeyReader(range)
        guard reader.begin(bytes) else { return false }
        var hasName = false
        var count = 0
        while let key = reader.next(bytes) {
            guard let label = label(bytes, key) else { return false }
            hasName = hasName || label == .name || label == .baseName
            count += 1
        }
        return hasName && count > 1
    }

    /// The labels, with their numbers in CBOR (section 6).
    enum Label: Int {
        case baseVersion = -1, baseName = -2, baseTime = -3, baseUnit = -4, baseValue = -5, baseSum = -6
        case name = 0, unit = 1, value = 2, string = 3, flag = 4, sum = 5, time = 6, update = 7, data = 8
    }

    static func label(_ bytes: Span<UInt8>, _ key: Range<Int>) -> Label? {
        guard key.count <= 4 else { return nil }
        var word: UInt32 = 0
        for position in key { word = word << 8 | UInt32(bytes[position]) }
        switch word {
        case 0x6276_6572: return .baseVersion
        case 0x626e: return .baseName
        case 0x6274: return .baseTime
        case 0x6275: return .baseUnit
        case 0x6276: return .baseValue
        case 0x6273: return .baseSum
        case 0x6e: return .name
        case 0x75: return .unit
        case 0x76: return .value
        case 0x7673: return .string
        case 0x7662: return .flag
        case 0x73: return .sum
        case 0x74: return .time
        case 0x7574: return .update
        case 0x7664: return .data
        default: return nil
        }
    }

    mutating func decode(
        json bytes: Span<UInt8>, _ range: Range<Int>, now: Timestamp, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        try tree.parse(bytes, range)
        guard tree.nodes[0].kind == .array else { throw .malformed("is no SenML: it is not an array of records") }
        var base = SenMLBase()
        var record = 1
        var count = 0
        while record < tree.nodes[0].next {
            guard tree.nodes[record].kind == .object else { throw .malformed("is no SenML: a record is not an object") }
            count += 1
            guard count <= Self.mostRecords else { throw Self.tooMany }
            let found = try readRecord(record, bytes, &columns)
            try base.resolve(found, at: tree.nodes[record].whole, now: now, bytes, &columns)
            record = tree.nodes[record].next
        }
    }

    static let tooMany = DecodeFault(.tooLong, "has more than \(mostRecords) records")

    private func readRecord(
        _ node: Int, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> SenMLRecord {
        var record = SenMLRecord()
        var member = node + 1
        while member < tree.nodes[node].next {
            let key = tree.nodes[member].key
            if let label = Self.label(bytes, key) {
                try read(label, member, &record, bytes, &columns)
            } else if bytes[key.upperBound - 1] == UInt8(ascii: "_"), !key.isEmpty {
                record.unknown = TextRef(key)
            }
            member = tree.nodes[member].next
        }
        return record
    }

    private func read(
        _ label: Label, _ member: Int, _ record: inout SenMLRecord, _ bytes: Span<UInt8>,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        switch label {
        case .baseName: record.baseName = try text(member, bytes, &columns)
        case .baseUnit: record.baseUnit = try text(member, bytes, &columns)
        case .name: record.name = try text(member, bytes, &columns)
        case .unit: record.unit = try text(member, bytes, &columns)
        case .string, .data: record.hasText = true
        case .flag:
            switch tree.nodes[member].kind {
            case .yes: record.flag = true
            case .no: record.flag = false
            default: throw .malformed("is no SenML: `vb` is neither true nor false")
            }
        case .update: break
        case .baseVersion: record.baseVersion = try number(member, bytes)
        case .baseTime: record.baseTime = try number(member, bytes)
        case .baseValue: record.baseValue = try number(member, bytes)
        case .baseSum: record.baseSum = try number(member, bytes)
        case .value: record.value = try number(member, bytes)
        case .sum: record.sum = try number(member, bytes)
        case .time: record.time = try number(member, bytes)
        }
    }

    private func text(
        _ node: Int, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> TextRef {
        guard let text = tree.text(node, bytes, &columns) else {
            throw .malformed("is no SenML: a name or unit is no string")
        }
        return text
    }

    private func number(_ node: Int, _ bytes: Span<UInt8>) throws(DecodeFault) -> Double {
        guard tree.nodes[node].kind == .number, let number = tree.number(node, bytes) else {
            let field = Text.excerpt(bytes.extracting(tree.nodes[node].key))
            throw DecodeFault(.notANumber, "has the SenML field `\(field)` that is not a number")
        }
        return number
    }
}

/// Reads the keys of the first object in an array without checking anything: to tell forms apart.
private struct KeyReader {
    private var position: Int
    private let end: Int
    private var isFirst = true

    init(_ range: Range<Int>) {
        position = range.lowerBound
        // Names of SenML are short: an object whose keys are not found soon is none of it.
        end = min(range.upperBound, range.lowerBound + 1024)
    }

    private mutating func skip(_ bytes: Span<UInt8>, to byte: UInt8) -> Bool {
        while position < end, Text.isBlank(bytes[position]) || bytes[position] == UInt8(ascii: "\n") { position += 1 }
        guard position < end, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func begin(_ bytes: Span<UInt8>) -> Bool {
        skip(bytes, to: UInt8(ascii: "[")) && skip(bytes, to: UInt8(ascii: "{"))
    }

    mutating func next(_ bytes: Span<UInt8>) -> Range<Int>? {
        if !isFirst, !skipValue(bytes) { return nil }
        isFirst = false
        guard skip(bytes, to: UInt8(ascii: "\"")) else { return nil }
        let start = position
        while position < end, bytes[position] != UInt8(ascii: "\"") { position += 1 }
        let key = start..<position
        position += 1
        return skip(bytes, to: UInt8(ascii: ":")) ? key : nil
    }

    /// To behind the comma after a value; false at the end of the object.
    private mutating func skipValue(_ bytes: Span<UInt8>) -> Bool {
        var isInString = false
        while position < end {
            let byte = bytes[position]
            position += 1
            if isInString {
                if byte == UInt8(ascii: "\\") { position += 1 }
                if byte == UInt8(ascii: "\"") { isInString = false }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: ",") {
                return true
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "{") {
                return false
            }
        }
        return false
    }
}
