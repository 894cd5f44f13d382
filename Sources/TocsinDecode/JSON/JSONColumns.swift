internal import CSimdJSON
internal import TocsinCore

/// The one owner of a simdjson parser: bytes in, columns out, its memory reused from chunk to chunk.
///
/// Not `Sendable`: one task at a time. The pointers it hands out are valid until the next `parse`.
@safe
final class JSONColumns {
    /// Nil where memory was short; then every `parse` fails.
    private let parser: OpaquePointer?
    /// The metric names that differ from their field's, by the number of the registered field.
    private(set) var metricNames: [UInt32: String] = [:]
    private var units: [tsj_unit] = []

    init(_ plan: FieldPlan) {
        unsafe parser = tsj_create(.random(in: 0 ... .max))
        unsafe tsj_set_default_role(parser, 0, Self.code(plan.otherFields))
        for object in plan.metricObjects { _ = context(object, defaultRole: .metric) }
        for field in plan.fields { register(field) }
    }

    deinit { unsafe tsj_destroy(parser) }

    private func register(_ field: FieldPlan.Field) {
        if field.path.count > 1 {
            // A dot may also be part of the name of a plain field ("PM2.5").
            _ = register(field.path.joined(separator: "."), in: 0, field)
        }
        guard let last = field.path.last else { return }
        let number = register(last, in: context(field.path.dropLast(), defaultRole: .ignore), field)
        if let metric = field.metric, metric != last, number >= 0 { metricNames[UInt32(number)] = metric }
    }

    private func register(_ name: String, in context: Int32, _ field: FieldPlan.Field) -> Int32 {
        var name = name
        return name.withUTF8 { bytes in
            unsafe tsj_field(
                parser, context, bytes.baseAddress, bytes.count, Self.code(field.role), field.rank, field.isRequired)
        }
    }

    private func context(_ path: some Collection<String>, defaultRole: FieldRole) -> Int32 {
        var context: Int32 = 0
        for (depth, name) in path.enumerated() {
            var name = name
            let role = depth == path.count - 1 ? defaultRole : .ignore
            context = name.withUTF8 { bytes in
                unsafe tsj_context(parser, context, bytes.baseAddress, bytes.count, Self.code(role))
            }
        }
        return context
    }

    /// False where memory is short or the chunk longer than 2 GiB.
    func parse(_ bytes: [UInt8], layout: InputLayout, longest: Int) -> Bool {
        guard unsafe parser != nil else { return false }
        units.removeAll(keepingCapacity: true)
        if layout == .documents {
            guard bytes.count <= Int(TSJ_MAX_CHUNK) else { return false }
            JSONFramer.messages(in: bytes.span) { range in
                units.append(
                    tsj_unit(
                        begin: UInt32(truncatingIfNeeded: range.lowerBound),
                        end: UInt32(truncatingIfNeeded: range.upperBound)))
            }
            if units.isEmpty { units.append(tsj_unit(begin: 0, end: 0)) }
        }
        return parse(bytes, byUnits: layout == .documents, longest: longest)
    }

    /// As `parse`, where what stands in each range is a message or several and crosses no border. The ranges rise.
    func parse(_ bytes: [UInt8], messages: ArraySlice<ByteRange>, longest: Int) -> Bool {
        guard unsafe parser != nil, bytes.count <= Int(TSJ_MAX_CHUNK) else { return false }
        units.removeAll(keepingCapacity: true)
        units.reserveCapacity(messages.count)
        for message in messages {
            units.append(tsj_unit(begin: message.offset, end: message.offset &+ message.length))
        }
        return parse(bytes, byUnits: true, longest: longest)
    }

    private func parse(_ bytes: [UInt8], byUnits: Bool, longest: Int) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { raw in
            unsafe units.withUnsafeBufferPointer { units in
                unsafe tsj_parse(
                    parser, raw.baseAddress, raw.count, byUnits ? units.baseAddress : nil, units.count, longest)
            }
        }
    }

    /// What the last `parse` found. `bytes` are those it was given.
    @unsafe
    func parsed(_ bytes: UnsafeBufferPointer<UInt8>) -> ParsedColumns {
        var eventCount = 0
        var readingCount = 0
        let events = unsafe tsj_events(parser, &eventCount)
        let readings = unsafe tsj_readings(parser, &readingCount)
        return unsafe ParsedColumns(
            events: UnsafeBufferPointer(start: events, count: eventCount),
            readings: UnsafeBufferPointer(start: readings, count: readingCount), bytes: bytes.baseAddress,
            side: tsj_side(parser))
    }

    var keyCount: Int { unsafe tsj_key_count(parser) }

    /// The metric that a field name of the messages stands for.
    func metric(ofKey index: Int) -> MetricName {
        let key = unsafe tsj_key_at(parser, index)
        if let name = unsafe metricNames[key.field] { return MetricName(field: name) }
        let text = unsafe UnsafeBufferPointer(start: key.text, count: Int(key.length))
        return MetricName(field: unsafe String(decoding: text, as: UTF8.self))
    }

    /// The field holds the one value of a message, not a metric of its own name.
    func isValue(key index: Int) -> Bool {
        let key = unsafe tsj_key_at(parser, index)
        return unsafe Int(key.role) == TSJ_VALUE
    }

    private static func code(_ role: FieldRole) -> UInt8 {
        let code =
            switch role {
            case .ignore: TSJ_IGNORE
            case .metric: TSJ_METRIC
            case .sensor: TSJ_SENSOR
            case .time: TSJ_TIME
            case .eventID: TSJ_EVENT_ID
            case .metricName: TSJ_METRIC_NAME
            case .value: TSJ_VALUE
            case .unit: TSJ_UNIT
            case .zone: TSJ_ZONE
            case .label: TSJ_LABEL
            case .labelKind: TSJ_LABEL_KIND
            }
        return UInt8(truncatingIfNeeded: code)
    }
}

/// The columns of one parse, and the bytes that their texts stand in.
@unsafe
struct ParsedColumns {
    let events: UnsafeBufferPointer<tsj_event>
    let readings: UnsafeBufferPointer<tsj_reading>
    let bytes: UnsafePointer<UInt8>?
    let side: UnsafePointer<UInt8>?

    @inline(__always)
    func text(_ text: tsj_text) -> UnsafeBufferPointer<UInt8> {
        let isAside = text.offset & TSJ_SIDE != 0
        guard let base = unsafe isAside ? side : bytes else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
        let offset = Int(text.offset & ~TSJ_SIDE)
        return unsafe UnsafeBufferPointer(start: base + offset, count: Int(text.length))
    }
}
