/// The features of an event for the forest: every metric of its sensor class in name order, then their ratios.
///
/// ```swift
/// let features = EventFeatures(metrics: ["temperature", "humidity", "row"])
/// features.names                                       // ["humidity", "temperature", "humidity/temperature"]
/// features.append([25, 50, 17], to: &rows)             // 50, 25, 2
/// ```
/// Ratios see what single metrics hide (warm and dry at once). A class of up to six metrics gets all pairs (15), a
/// larger one every metric against its first.
public struct EventFeatures: Sendable {
    /// Feature names in row order, for contributions.
    public let names: [String]
    /// Positions, in the metrics given to `init`, of those that are features.
    public let positions: [Int]
    private let ratios: [(above: Int, below: Int)]

    /// The values of one row.
    public var width: Int { names.count }

    /// - Parameter metrics: the metric names of the class in the order in which `append` gets their values.
    public init(metrics: [String]) {
        let usable = metrics.indices.filter { Self.isFeature(metrics[$0]) }.sorted { metrics[$0] < metrics[$1] }
        positions = usable
        var pairs: [(above: Int, below: Int)] = []
        if usable.count <= 6 {
            for above in usable.indices {
                for below in usable.indices where below > above { pairs.append((above, below)) }
            }
        } else {
            for above in usable.indices.dropFirst() { pairs.append((above, 0)) }
        }
        ratios = pairs
        names =
            usable.map { metrics[$0] }
            + pairs.map { "\(metrics[usable[$0.above]])/\(metrics[usable[$0.below]])" }
    }

    /// Appends the row of one event. `values` are in the order of the metrics given to `init`; NaN where the event has
    /// none. A ratio by zero or of a missing value is NaN (the forest takes the median).
    public func append(_ values: [Double], to rows: inout [Double]) {
        let start = rows.count
        for position in positions { rows.append(position < values.count ? values[position] : .nan) }
        for pair in ratios {
            let ratio = rows[start + pair.above] / rows[start + pair.below]
            rows.append(ratio.isFinite ? ratio : .nan)
        }
    }

    /// Whether a metric says something of the world: names of counters, clocks, identifiers and labels do not.
    public static func isFeature(_ metric: String) -> Bool {
        var name = metric.lowercased()
        // "CNT[#]" and "UTC (s)" mean the same as without the unit.
        if let bracket = name.firstIndex(where: { $0 == "[" || $0 == "(" }) { name = String(name[..<bracket]) }
        name = String(name.map { $0 == " " || $0 == "-" ? "_" : $0 })
        while name.hasSuffix("_") { name.removeLast() }
        return !name.isEmpty && !notFeatures.contains(name)
            && !notFeatureEndings.contains { name.hasSuffix($0) } && !name.hasPrefix("unnamed")
    }

    private static let notFeatures: Set<String> = [
        "utc", "cnt", "count", "counter", "row", "rows", "index", "idx", "id", "no", "sno", "seq", "sequence", "number",
        "recording", "session", "time", "timestamp", "ts", "date", "datetime", "epoch", "unixtime", "year", "month",
        "day", "hour", "minute", "second", "uptime", "label", "labels", "class", "target", "anomaly", "is_anomaly",
        "anomaly_injected", "anomaly_type", "changepoint", "fire_alarm", "latitude", "longitude", "lat", "lon",
    ]
    private static let notFeatureEndings = ["_id", "_index", "_time", "_timestamp", "_seq", "_label", "_utc", "_epoch"]
}
