/// A metric of a payload as it stands (Sparkplug 3.0, section 6.4.6; field numbers of its `sparkplug_b.proto`).
struct SparkplugMetric {
    enum Value {
        case none
        /// `int_value`, `long_value`: two's complement for the signed types.
        case integer(UInt64)
        case number(Double)
        case flag(Bool)
        /// Text, bytes, data set, template, extension.
        case other
    }

    /// The types whose values are readings, with their numbers.
    enum DataType: UInt32 {
        case int8 = 1, int16, int32, int64, uint8, uint16, uint32, uint64, float, double, boolean
    }

    var name = 0..<0
    var alias: UInt64?
    /// Milliseconds since 1970.
    var timestamp: UInt64?
    var type: UInt32?
    var isNull = false
    var unit = 0..<0
    /// The property "Quality": 192 is good, 0 bad, 500 stale.
    var quality: UInt64?
    var value = Value.none

    init(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeFault) {
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (1, .delimited): name = try reader.delimited(bytes)
            case (2, .varint): alias = try reader.varint(bytes)
            case (3, .varint): timestamp = try reader.varint(bytes)
            case (4, .varint): type = UInt32(clamping: try reader.varint(bytes))
            case (7, .varint): isNull = try reader.varint(bytes) != 0
            case (9, .delimited): try readProperties(reader.delimited(bytes), bytes)
            case (10, .varint), (11, .varint): value = .integer(try reader.varint(bytes))
            case (12, .fixed32): value = .number(Double(Float(bitPattern: try reader.fixed32(bytes))))
            case (13, .fixed64): value = .number(Double(bitPattern: try reader.fixed64(bytes)))
            case (14, .varint): value = .flag(try reader.varint(bytes) != 0)
            case (15...19, .delimited):
                _ = try reader.delimited(bytes)
                value = .other
            case (1...4, _), (7, _), (9...19, _): throw ProtobufReader.wrongWire("metric")
            default: try reader.skip(field, bytes)
            }
        }
    }

    /// The unit and the quality: keys and values are two lists of equal length.
    private mutating func readProperties(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeFault) {
        var reader = ProtobufReader(range)
        var (keys, values) = (0, 0)
        var (unitPlace, qualityPlace): (Int?, Int?) = (nil, nil)
        // Keys may stand behind the values: a second pass reads these.
        while let field = try reader.field(bytes) {
            if field.number == 1, field.wire == .delimited {
                let key = bytes.extracting(try reader.delimited(bytes))
                if key.isEqual("engUnit") { unitPlace = keys }
                if key.isEqual("Quality") { qualityPlace = keys }
                keys += 1
            } else {
                try reader.skip(field, bytes)
            }
        }
        guard unitPlace != nil || qualityPlace != nil else { return }
        reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            if field.number == 2, field.wire == .delimited {
                let value = try reader.delimited(bytes)
                if values == unitPlace || values == qualityPlace { try readProperty(value, bytes) }
                values += 1
            } else {
                try reader.skip(field, bytes)
            }
        }
    }

    private mutating func readProperty(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeFault) {
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            switch (field.number, field.wire) {
            case (3, .varint), (4, .varint): quality = try reader.varint(bytes)
            case (8, .delimited): unit = try reader.delimited(bytes)
            default: try reader.skip(field, bytes)
            }
        }
    }

    /// The reading, nil for what is none. `type` is that of the birth where the metric has none itself.
    func reading(_ type: UInt32?) -> Double? {
        let type = (self.type ?? type).flatMap(DataType.init(rawValue:))
        switch value {
        case .none, .other: return nil
        case .number(let number): return number
        case .flag(let flag): return flag ? 1 : 0
        case .integer(let bits):
            switch type {
            case .int8: return Double(Int8(truncatingIfNeeded: bits))
            case .int16: return Double(Int16(truncatingIfNeeded: bits))
            case .int32: return Double(Int32(truncatingIfNeeded: bits))
            case .int64: return Double(Int64(bitPattern: bits))
            case .uint8, .uint16, .uint32, .uint64: return Double(bits)
            case .boolean: return bits == 0 ? 0 : 1
            // Dates, and integers under a type of fractions.
            case .float, .double, nil: return nil
            }
        }
    }
}

extension Span<UInt8> {
    func isEqual(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for position in indices where unsafe self[position] != text.utf8Start[position] { return false }
        return true
    }
}
