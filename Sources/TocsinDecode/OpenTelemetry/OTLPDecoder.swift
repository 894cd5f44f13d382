internal import TocsinCore

/// OpenTelemetry metrics (`ExportMetricsServiceRequest` of OTLP 1.x) as Protobuf and JSON.
///
/// Gauges and sums give their value under the metric's name; histograms and summaries give `<name>.count`, `.sum`, `.min`
/// and `.max`, a summary's quantiles `<name>.p50` and so on. The sensor is the first attribute of a list found at the data
/// point or at its resource. The other attributes of a data point belong to the metric's name, `cpu.time{state=idle}`:
/// without them the data points of one moment could not be told apart.
struct OTLPDecoder {
    /// What a data point takes over from what it stands in.
    struct Context {
        /// Rank in the list of attributes, and what it says.
        var sensor = TextRef.none
        var rank = Int.max
        var metric = TextRef.none
        var unit = TextRef.none
    }

    /// A data point of any kind.
    struct Point {
        var sensor = TextRef.none
        var rank = Int.max
        /// The other attributes, as `{key=value,key=value}`; empty where there are none.
        var labels = TextRef.none
        var time: UInt64 = 0
        var flags: UInt64 = 0
        var value: Double?
        var count: Double?
        var sum: Double?
        var minimum: Double?
        var maximum: Double?
        var quantiles: [(quantile: Double, value: Double)] = []

        var hasValue: Bool {
            value != nil || count != nil || sum != nil || minimum != nil || maximum != nil || !quantiles.isEmpty
        }
    }

    static let mostQuantiles = 100

    let sensorAttributes: [[UInt8]]
    var tree = JSONTree()

    init(sensorAttributes: [String]) { self.sensorAttributes = sensorAttributes.map { Array($0.utf8) } }

    /// The place of a key in the list of attributes that name sensors.
    func rank(_ key: Span<UInt8>) -> Int {
        for (rank, name) in sensorAttributes.enumerated() where name.count == key.count {
            var offset = 0
            while offset < key.count, name[offset] == key[offset] { offset += 1 }
            if offset == key.count { return rank }
        }
        return .max
    }

    /// Adds the readings of a data point; returns how many values were none.
    /// - Parameter part: where the data point stands in the message.
    func append(
        _ point: Point, _ context: Context, _ part: Range<Int>, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) -> Int {
        // FLAG_NO_RECORDED_VALUE: the series has ended, there is no value.
        if point.flags & 1 != 0 || !point.hasValue { return 1 }
        guard !context.metric.isEmpty else {
            columns.refuse(.malformed("has an OpenTelemetry metric without a name"), part)
            return 0
        }
        var time: Timestamp?
        if point.time > 0 {
            guard let nanoseconds = Int64(exactly: point.time) else {
                let fault = "has the time \(point.time) ns, which lies outside 1970 to 2262"
                columns.refuse(DecodeFault(.badTime, fault), part)
                return 0
            }
            time = Timestamp(nanoseconds: nanoseconds)
        }
        let sensor = point.rank <= context.rank ? point.sensor : context.sensor
        columns.open(sensor: point.rank == .max ? context.sensor : sensor, time: time)
        columns.narrow(to: part)
        if let value = point.value {
            if point.labels.isEmpty {
                columns.add(value, metric: context.metric, unit: context.unit)
            } else {
                add(value, "", context.unit, point.labels, context, bytes, &columns)
            }
        }
        add(point.count, ".count", .none, point.labels, context, bytes, &columns)
        add(point.sum, ".sum", context.unit, point.labels, context, bytes, &columns)
        add(point.minimum, ".min", context.unit, point.labels, context, bytes, &columns)
        add(point.maximum, ".max", context.unit, point.labels, context, bytes, &columns)
        for entry in point.quantiles where entry.quantile >= 0 && entry.quantile <= 1 {
            let percent = entry.quantile * 100
            let name = percent == percent.rounded() ? String(Int(percent)) : percent.description
            add(entry.value, ".p" + name, context.unit, point.labels, context, bytes, &columns)
        }
        return 0
    }

    static func addLabel(
        _ key: some Sequence<UInt8>, _ value: some Sequence<UInt8>, since start: Int, _ columns: inout MessageColumns
    ) {
        columns.side.append(columns.side.count == start ? UInt8(ascii: "{") : UInt8(ascii: ","))
        columns.side.append(contentsOf: key)
        columns.side.append(UInt8(ascii: "="))
        columns.side.append(contentsOf: value)
    }

    static func closeLabels(since start: Int, _ columns: inout MessageColumns) -> TextRef {
        guard columns.side.count > start else { return .none }
        columns.side.append(UInt8(ascii: "}"))
        return .side(start..<columns.side.count)
    }

    private func add(
        _ value: Double?, _ suffix: String, _ unit: TextRef, _ labels: TextRef, _ context: Context,
        _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) {
        guard let value else { return }
        let start = columns.side.count
        if context.metric.isAside {
            for position in context.metric.range { columns.side.append(columns.side[position]) }
        } else {
            for position in context.metric.range { columns.side.append(bytes[position]) }
        }
        columns.side.append(contentsOf: suffix.utf8)
        for position in labels.range { columns.side.append(columns.side[position]) }
        columns.add(value, metric: .side(start..<columns.side.count), unit: unit)
    }
}
