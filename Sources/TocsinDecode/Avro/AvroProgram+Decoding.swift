internal import TocsinCore

extension AvroProgram {
    /// Decodes one value of the schema into `record`, which fills the whole range.
    func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout FieldRecord, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        var reader = AvroReader(range)
        try run(start, 0, &reader, bytes, &record, &columns)
        guard reader.isAtEnd else {
            throw AvroReader.broken("\(reader.end - reader.position) bytes stand behind its end")
        }
    }

    private func run(
        _ place: Int, _ depth: Int, _ reader: inout AvroReader, _ bytes: Span<UInt8>, _ record: inout FieldRecord,
        _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        let step = steps[place]
        guard step.isOfInterest else { return try skip(Int(step.type), depth, &reader, bytes) }
        guard depth < Self.deepest else { throw Self.tooDeep() }
        let first = Int(step.firstChild)
        switch step.kind {
        case .record:
            for child in first..<first + Int(step.childCount) {
                try run(Int(children[child]), depth + 1, &reader, bytes, &record, &columns)
            }
        case .union:
            let branch = try reader.long(bytes)
            guard branch >= 0, branch < Int64(step.childCount) else {
                throw AvroReader.broken("a union has no branch \(branch)")
            }
            let child = Int(children[first + Int(branch)])
            guard steps[child].kind == .null else {
                return try run(child, depth + 1, &reader, bytes, &record, &columns)
            }
            for other in first..<first + Int(step.childCount) {
                let slot = Int(steps[Int(children[other])].slot)
                if slot >= 0 { record.takeNull(slots.slots[slot]) }
            }
        case .map: try runMap(step, depth, &reader, bytes, &record, &columns)
        default:
            guard step.slot >= 0 else { return try skip(Int(step.type), depth, &reader, bytes) }
            try take(slots.slots[Int(step.slot)], step, &reader, bytes, &record, &columns)
        }
    }

    private static func tooDeep() -> DecodeFault {
        AvroReader.broken("it is nested deeper than \(deepest) levels")
    }

    @inline(__always)
    private func take(
        _ slot: FieldSlots.Slot, _ step: Step, _ reader: inout AvroReader, _ bytes: Span<UInt8>,
        _ record: inout FieldRecord, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        switch step.kind {
        case .boolean: record.take(slot, number: try reader.boolean(bytes) ? 1 : 0, &columns)
        case .float: record.take(slot, number: try reader.float(bytes), &columns)
        case .double: record.take(slot, number: try reader.double(bytes), &columns)
        case .int, .long:
            let number = step.kind == .int ? try reader.int(bytes) : try reader.long(bytes)
            guard step.logical == .none else { return record.take(slot, time: Self.time(number, step.logical)) }
            record.take(slot, integer: number, bytes, &columns)
        case .string: record.take(slot, text: TextRef(try reader.delimited(bytes)), bytes, &columns)
        case .bytes: record.take(slot, number: Self.decimal(try reader.delimited(bytes), step.scale, bytes), &columns)
        case .fixed:
            record.take(slot, number: Self.decimal(try reader.fixed(Int(step.size)), step.scale, bytes), &columns)
        case .enumeration:
            let word = try reader.int(bytes)
            let known = words[Int(step.aside)]
            guard word >= 0, word < Int64(known.count) else {
                throw AvroReader.broken("an enumeration has no word \(word)")
            }
            record.take(slot, text: record.name(known[Int(word)]), bytes, &columns)
        case .null, .record, .array, .map, .union: break
        }
    }

    private static func time(_ number: Int64, _ logical: AvroType.Logical) -> Timestamp? {
        switch logical {
        case .date: Timestamp(epoch: number &* 86_400, unit: .seconds)
        case .timestampMillis: Timestamp(epoch: number, unit: .milliseconds)
        case .timestampMicros: Timestamp(epoch: number, unit: .microseconds)
        default: Timestamp(epoch: number, unit: .nanoseconds)
        }
    }

    /// Two's complement, big-endian.
    private static func decimal(_ range: Range<Int>, _ scale: Int32, _ bytes: Span<UInt8>) -> Double {
        guard let first = range.first else { return 0 }
        // The sign is that of the first byte alone: the others add to it.
        var number = Double(Int8(bitPattern: bytes[first]))
        for position in range.dropFirst() { number = number * 256 + Double(bytes[position]) }
        var power = 1.0
        for _ in 0..<scale { power *= 10 }
        return number / power
    }

    private func runMap(
        _ step: Step, _ depth: Int, _ reader: inout AvroReader, _ bytes: Span<UInt8>,
        _ record: inout FieldRecord, _ columns: inout MessageColumns
    ) throws(DecodeFault) {
        let inside = types[Int(step.type)].children[0]
        let prefix = prefixes[Int(step.aside)]
        while true {
            let count = try reader.block(bytes)
            if count == 0 { return }
            for _ in 0..<count {
                try reader.spend()
                let key = TextRef(try reader.delimited(bytes))
                var place = inside
                if types[place].kind == .union {
                    let branches = types[place].children
                    let branch = try reader.long(bytes)
                    guard branch >= 0, branch < Int64(branches.count) else {
                        throw AvroReader.broken("a union has no branch \(branch)")
                    }
                    place = branches[Int(branch)]
                }
                let value = types[place]
                guard Self.isScalar(value), let entry = record.entry(prefix, key, bytes, &columns) else {
                    try skip(place, depth + 1, &reader, bytes)
                    continue
                }
                switch value.kind {
                case .boolean: record.take(entry, number: try reader.boolean(bytes) ? 1 : 0, &columns)
                case .int: record.take(entry, number: Double(try reader.int(bytes)), &columns)
                case .long: record.take(entry, number: Double(try reader.long(bytes)), &columns)
                case .float: record.take(entry, number: try reader.float(bytes), &columns)
                case .double: record.take(entry, number: try reader.double(bytes), &columns)
                default:
                    let text = TextRef(try reader.delimited(bytes))
                    if entry.slot.role != .metric { record.take(entry.slot, text: text, bytes, &columns) }
                }
            }
        }
    }

    private static func isScalar(_ type: AvroType) -> Bool {
        switch type.kind {
        case .boolean, .int, .long, .float, .double, .string: type.logical == .none
        default: false
        }
    }

    /// Moves behind a value of any type.
    private func skip(
        _ place: Int, _ depth: Int, _ reader: inout AvroReader, _ bytes: Span<UInt8>
    ) throws(DecodeFault) {
        guard depth < Self.deepest else { throw Self.tooDeep() }
        try reader.spend()
        let type = types[place]
        switch type.kind {
        case .null: break
        case .boolean: _ = try reader.boolean(bytes)
        case .int, .enumeration: _ = try reader.int(bytes)
        case .long: _ = try reader.long(bytes)
        case .float: _ = try reader.fixed(4)
        case .double: _ = try reader.fixed(8)
        case .bytes, .string: _ = try reader.delimited(bytes)
        case .fixed: _ = try reader.fixed(type.size)
        case .record: for child in type.children { try skip(child, depth + 1, &reader, bytes) }
        case .union:
            let branch = try reader.long(bytes)
            guard branch >= 0, branch < Int64(type.children.count) else {
                throw AvroReader.broken("a union has no branch \(branch)")
            }
            try skip(type.children[Int(branch)], depth + 1, &reader, bytes)
        case .array, .map:
            while true {
                let count = try reader.block(bytes)
                if count == 0 { return }
                for _ in 0..<count {
                    try reader.spend()
                    if type.kind == .map { _ = try reader.delimited(bytes) }
                    try skip(type.children[0], depth + 1, &reader, bytes)
                }
            }
        }
    }
}
