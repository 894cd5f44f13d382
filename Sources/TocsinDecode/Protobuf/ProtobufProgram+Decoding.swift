internal import TocsinCore

extension ProtobufProgram {
    /// Decodes the indexes of the message and the message, which fill the range, into `record`.
    func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout FieldRecord, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        var reader = ProtobufReader(range)
        let indexes = try Self.indexes(&reader, bytes)
        guard let layout = layout(indexes) else {
            throw .malformed("names the message \(indexes), which its schema does not have")
        }
        try run(layout, reader, 0, bytes, &record, &columns)
    }

    /// A count and as many indexes as zigzag varints, from the outermost message inwards; a lone 0 stands for [0].
    private static func indexes(_ reader: inout ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeFault) -> [Int] {
        let count = ProtobufReader.signed(try reader.varint(bytes))
        if count == 0 { return [0] }
        guard 0..<Int64(deepest) ~= count else { throw .malformed("has \(count) message indexes") }
        var indexes: [Int] = []
        for _ in 0..<count {
            let index = ProtobufReader.signed(try reader.varint(bytes))
            guard 0..<100_000 ~= index else { throw .malformed("has the message index \(index)") }
            indexes.append(Int(index))
        }
        return indexes
    }

    private func run(
        _ place: Int, _ reader: ProtobufReader, _ depth: Int, _ bytes: Span<UInt8>, _ record: inout FieldRecord,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        guard depth < Self.deepest else {
            throw ProtobufReader.broken("messages are nested deeper than \(Self.deepest) levels")
        }
        let fields = layouts[place].fields
        var reader = reader
        // Which of the first 64 fields were there; zero is implied for no other.
        var seen: UInt64 = 0
        // Writers mostly keep the order of the schema.
        var guess = 0
        while let key = try reader.field(bytes) {
            if guess >= fields.count || Int(fields[guess].number) != key.number {
                guard let found = fields.firstIndex(where: { Int($0.number) == key.number }) else {
                    try reader.skip(key, bytes)
                    continue
                }
                guess = found
            }
            if guess < 64 { seen |= 1 << UInt64(guess) }
            try take(fields[guess], key, &reader, depth, bytes, &record, &columns)
            guess += 1
        }
        for (position, field) in fields.enumerated()
        where field.isImplied && position < 64 && seen & 1 << UInt64(position) == 0 {
            record.take(slots.slots[Int(field.slot)], number: 0, &columns)
        }
    }

    private func take(
        _ field: Field, _ key: ProtobufReader.Field, _ reader: inout ProtobufReader, _ depth: Int,
        _ bytes: Span<UInt8>, _ record: inout FieldRecord, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        let wire: ProtobufReader.Wire = field.form == .enumeration ? .varint : .delimited
        guard field.form == .scalar || key.wire == wire else {
            throw ProtobufReader.wrongWire("field \(field.number)")
        }
        guard field.slot >= 0 || field.form == .message || field.form == .map else {
            return try reader.skip(key, bytes)
        }
        switch field.form {
        case .scalar: try take(field.scalar, slots.slots[Int(field.slot)], key, &reader, bytes, &record, &columns)
        case .message:
            try run(Int(field.aside), ProtobufReader(reader.delimited(bytes)), depth + 1, bytes, &record, &columns)
        case .map:
            let prefix = prefixes[Int(field.aside)]
            try takeEntry(reader.delimited(bytes), field.scalar, prefix, bytes, &record, &columns)
        case .timestamp:
            record.take(slots.slots[Int(field.slot)], time: try Self.timestamp(reader.delimited(bytes), bytes))
        case .wrapper:
            var inner = ProtobufReader(try reader.delimited(bytes))
            var isThere = false
            while let key = try inner.field(bytes) {
                if key.number == 1 {
                    isThere = true
                    try take(field.scalar, slots.slots[Int(field.slot)], key, &inner, bytes, &record, &columns)
                } else {
                    try inner.skip(key, bytes)
                }
            }
            if !isThere { record.take(slots.slots[Int(field.slot)], number: 0, &columns) }
        case .enumeration:
            let number = Int64(Int32(truncatingIfNeeded: try reader.varint(bytes)))
            if let word = words[Int(field.aside)][number] {
                record.take(slots.slots[Int(field.slot)], text: record.name(word), bytes, &columns)
            }
        }
    }

    @inline(__always)
    private func take(
        _ scalar: ProtoSchema.Scalar, _ slot: FieldSlots.Slot, _ key: ProtobufReader.Field,
        _ reader: inout ProtobufReader, _ bytes: Span<UInt8>, _ record: inout FieldRecord,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        switch (scalar, key.wire) {
        case (.double, .fixed64):
            record.take(slot, number: Double(bitPattern: try reader.fixed64(bytes)), &columns)
        case (.float, .fixed32):
            record.take(slot, number: Double(Float(bitPattern: try reader.fixed32(bytes))), &columns)
        case (.int32, .varint), (.int64, .varint):
            record.take(slot, integer: Int64(bitPattern: try reader.varint(bytes)), bytes, &columns)
        case (.uint32, .varint), (.uint64, .varint):
            take(slot, unsigned: try reader.varint(bytes), bytes, &record, &columns)
        case (.sint32, .varint), (.sint64, .varint):
            record.take(slot, integer: ProtobufReader.signed(try reader.varint(bytes)), bytes, &columns)
        case (.fixed32, .fixed32): record.take(slot, integer: Int64(try reader.fixed32(bytes)), bytes, &columns)
        case (.fixed64, .fixed64): take(slot, unsigned: try reader.fixed64(bytes), bytes, &record, &columns)
        case (.sfixed32, .fixed32):
            record.take(slot, integer: Int64(Int32(bitPattern: try reader.fixed32(bytes))), bytes, &columns)
        case (.sfixed64, .fixed64):
            record.take(slot, integer: Int64(bitPattern: try reader.fixed64(bytes)), bytes, &columns)
        case (.bool, .varint): record.take(slot, number: try reader.varint(bytes) == 0 ? 0 : 1, &columns)
        case (.string, .delimited): record.take(slot, text: TextRef(try reader.delimited(bytes)), bytes, &columns)
        default: throw ProtobufReader.wrongWire("field \(key.number)")
        }
    }

    /// Beyond 63 bits only as a double.
    private func take(
        _ slot: FieldSlots.Slot, unsigned: UInt64, _ bytes: Span<UInt8>, _ record: inout FieldRecord,
        _ columns: inout MessageColumns
    ) {
        if let integer = Int64(exactly: unsigned) {
            record.take(slot, integer: integer, bytes, &columns)
        } else {
            record.take(slot, number: Double(unsigned), &columns)
        }
    }

    private static func timestamp(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(DecodeFault) -> Timestamp? {
        var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
        var reader = ProtobufReader(range)
        while let key = try reader.field(bytes) {
            switch (key.number, key.wire) {
            case (1, .varint): seconds = Int64(bitPattern: try reader.varint(bytes))
            case (2, .varint): nanoseconds = Int64(bitPattern: try reader.varint(bytes))
            default: try reader.skip(key, bytes)
            }
        }
        guard 0..<1_000_000_000 ~= nanoseconds, let whole = Timestamp(epoch: seconds, unit: .seconds) else {
            return nil
        }
        let (sum, overflow) = whole.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? nil : Timestamp(nanoseconds: sum)
    }

    /// A map's entry: its key is field 1, its value field 2.
    private func takeEntry(
        _ range: Range<Int>, _ scalar: ProtoSchema.Scalar, _ prefix: [String], _ bytes: Span<UInt8>,
        _ record: inout FieldRecord, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        var key = TextRef.none
        var value: (field: ProtobufReader.Field, reader: ProtobufReader)?
        var reader = ProtobufReader(range)
        while let field = try reader.field(bytes) {
            if field.number == 1, field.wire == .delimited {
                key = TextRef(try reader.delimited(bytes))
            } else if field.number == 1, field.wire == .varint {
                key = columns.keep(Int64(bitPattern: try reader.varint(bytes)).description.utf8)
            } else {
                if field.number == 2 { value = (field, reader) }
                try reader.skip(field, bytes)
            }
        }
        guard var value, !key.isEmpty, let entry = record.entry(prefix, key, bytes, &columns) else { return }
        let before = columns.readings.count
        var slot = entry.slot
        if slot.role == .metric, scalar == .string { return }
        // The name is known only here: the number is taken as one without a name, which it then gets.
        if slot.role == .metric { slot.role = .value }
        let mark = record
        try take(scalar, slot, value.field, &value.reader, bytes, &record, &columns)
        guard entry.slot.role == .metric else { return }
        record = mark
        if columns.readings.count > before { columns.readings[before].metric = entry.name }
    }
}
