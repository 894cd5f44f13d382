internal import TocsinCore

/// Gathers the fields of one message of a schema, by the same rules as those of a JSON message.
struct FieldRecord {
    private let times: TimeReader
    private let labels: LabelReader
    private let plan: FieldPlan
    /// Where the names of the schema's slots stand in the side texts.
    private var base = 0
    private var first = 0
    private var refusals = 0
    private var ranks = SIMD16<UInt8>(repeating: .max)
    private var sensor = TextRef.none
    private var zone = TextRef.none
    private var unit = TextRef.none
    private var metric = TextRef.none
    private var time: Timestamp?
    private var fault: DecodeFault?
    private var key: UInt64 = 0
    private var label = EventLabel.none
    private var kind = TextRef.none
    private var value: Int?
    private var hasNulls = false
    /// What the entries of maps are for, by their whole path.
    private var entries: [String: FieldPlan.Field] = [:]
    private static let mostEntries = 10_000

    init(_ plan: FieldPlan) {
        self.plan = plan
        times = TimeReader(format: plan.mapping.timeFormat)
        labels = LabelReader(isExplicit: plan.mapping.labelColumn != nil)
    }

    mutating func begin(_ base: Int, _ columns: MessageColumns) {
        self.base = base
        first = columns.readings.count
        refusals = columns.refusals.count
        ranks = SIMD16(repeating: .max)
        sensor = .none
        zone = .none
        unit = .none
        metric = .none
        time = nil
        fault = nil
        key = 0
        label = .none
        kind = .none
        value = nil
        hasNulls = false
    }

    /// A text among the names of the schema.
    func name(_ range: Range<Int>) -> TextRef { .side(base + range.lowerBound..<base + range.upperBound) }

    private mutating func outranks(_ slot: FieldSlots.Slot) -> Bool {
        let place = Int(slot.role.rawValue) & 15
        guard slot.rank <= ranks[place] else { return false }
        ranks[place] = slot.rank
        return true
    }

    @inline(__always)
    mutating func take(_ slot: FieldSlots.Slot, number: Double, _ columns: inout MessageColumns) {
        switch slot.role {
        case .metric: add(number, name(slot.metric), slot, &columns)
        case .value:
            value = columns.readings.count
            add(number, .none, slot, &columns)
        case .label: if outranks(slot) { label = number == 0 ? .normal : .anomalous }
        case .time: if outranks(slot) { take(time: Timestamp(epoch: number, unit: times.unit), number.description) }
        case .ignore, .sensor, .eventID, .metricName, .unit, .zone, .labelKind: break
        }
    }

    mutating func take(_ slot: FieldSlots.Slot, integer: Int64, _ bytes: Span<UInt8>, _ columns: inout MessageColumns) {
        switch slot.role {
        case .metric, .value, .label: take(slot, number: Double(integer), &columns)
        case .time: if outranks(slot) { take(time: Timestamp(epoch: integer, unit: times.unit), integer.description) }
        case .sensor, .eventID: take(slot, text: columns.keep(integer.description.utf8), bytes, &columns)
        case .ignore, .metricName, .unit, .zone, .labelKind: break
        }
    }

    mutating func take(_ slot: FieldSlots.Slot, time: Timestamp?) {
        if slot.role == .time, outranks(slot) { take(time: time, "of its schema") }
    }

    mutating func take(_ slot: FieldSlots.Slot, text: TextRef, _ bytes: Span<UInt8>, _ columns: inout MessageColumns) {
        switch slot.role {
        case .sensor: if outranks(slot) { sensor = text }
        case .zone: if outranks(slot) { zone = text }
        case .unit: if outranks(slot) { unit = text }
        case .metricName: if outranks(slot) { metric = text }
        case .labelKind: if outranks(slot) { kind = text }
        case .label:
            if outranks(slot) { label = text.with(bytes, columns.side.span) { labels.label($0) } }
        case .eventID:
            guard outranks(slot), !text.isEmpty else { return }
            var hash = StableHash()
            text.with(bytes, columns.side.span) { hash.combine($0) }
            key = max(hash.value, 1)
        case .time:
            guard outranks(slot), !text.isEmpty else { return }
            let (read, shown) = text.with(bytes, columns.side.span) { (times.time($0), Text.excerpt($0)) }
            take(time: read, shown)
        case .metric, .value: takeWord(slot, text, bytes, &columns)
        case .ignore: break
        }
    }

    /// Numbers as texts; other texts are metadata, unless a number must stand there.
    private mutating func takeWord(
        _ slot: FieldSlots.Slot, _ text: TextRef, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) {
        switch text.with(bytes, columns.side.span, { CSVNumber.read($0, allowsDecimalComma: false) }) {
        case .number(let number): take(slot, number: number, &columns)
        case .absent: hasNulls = true
        case .notFinite, .word:
            guard slot.isRequired else { return }
            let shown = text.with(bytes, columns.side.span) { Text.excerpt($0) }
            columns.refuse(DecodeFault(.notANumber, "has a value that is not a number but \"\(shown)\""))
        }
    }

    mutating func takeNull(_ slot: FieldSlots.Slot) {
        if slot.role == .metric || slot.role == .value { hasNulls = true }
    }

    private mutating func take(time: Timestamp?, _ shown: String) {
        if let time {
            self.time = time
        } else {
            fault = DecodeFault(.badTime, "has the time \(shown), which cannot be read or lies outside 1970 to 2262")
        }
    }

    private func add(_ number: Double, _ name: TextRef, _ slot: FieldSlots.Slot, _ columns: inout MessageColumns) {
        columns.add(number, metric: name, unit: slot.unit.isEmpty ? .none : self.name(slot.unit))
    }

    /// Closes the event of the message.
    mutating func finish(_ slots: FieldSlots, _ bytes: Span<UInt8>, _ columns: inout MessageColumns) throws(DecodeFault)
    {
        if let fault { throw fault }
        if let value {
            if columns.readings[value].unit.isEmpty { columns.readings[value].unit = unit }
            if !metric.isEmpty {
                // The narrow form: the value is the one reading, whatever else is numeric.
                columns.readings[first] = columns.readings[value]
                columns.readings[first].metric = metric
                columns.readings.removeSubrange((first + 1)...)
            }
        }
        guard columns.readings.count > first else {
            guard hasNulls || columns.refusals.count > refusals else {
                throw DecodeFault(.missingField, "holds no number that could be a reading")
            }
            return
        }
        if !kind.isEmpty { label = kind.with(bytes, columns.side.span) { labels.label(flag: label, kind: $0) } }
        columns.events.append(
            MessageColumns.Event(
                message: columns.message, firstReading: first, sensor: sensor, zone: zone, time: time, key: key,
                label: label))
    }
}

extension FieldRecord {
    /// The slot of an entry of a map, whose key is known only now; its metric's name stands aside or in the message.
    mutating func entry(
        _ prefix: [String], _ key: TextRef, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) -> (slot: FieldSlots.Slot, name: TextRef)? {
        guard key.count <= 256 else { return nil }
        let name = key.string(bytes, columns.side.span)
        let path = prefix + [name]
        let whole = path.joined(separator: ".")
        let field: FieldPlan.Field
        if let known = entries[whole] {
            field = known
        } else {
            field = FieldSlots.field(path, plan)
            if entries.count >= Self.mostEntries { entries.removeAll() }
            entries[whole] = field
        }
        guard field.role != .ignore else { return nil }
        let isListed = plan.metricObjects.contains { $0 == prefix }
        let metric = isListed ? key : columns.keep((field.metric ?? whole).utf8)
        let slot = FieldSlots.Slot(
            role: field.role, rank: field.rank, isRequired: field.isRequired, metric: 0..<0, unit: 0..<0)
        return (slot, metric)
    }

    /// As `take`, for the number of a map's entry.
    mutating func take(
        _ entry: (slot: FieldSlots.Slot, name: TextRef), number: Double, _ columns: inout MessageColumns
    ) {
        if entry.slot.role == .metric {
            columns.add(number, metric: entry.name)
        } else {
            take(entry.slot, number: number, &columns)
        }
    }
}
