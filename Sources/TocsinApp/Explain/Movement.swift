public import TocsinCore

/// How one metric of the sensor moved at the finding, measured against what it did before.
public struct Movement: Sendable {
    public var metric: String
    public var unit: String?
    /// Median before.
    public var before: Double
    /// The value of the stretch itself that lies furthest from that.
    public var during: Double
    /// `during - before` in robust standard deviations of the time before, at most 99 either way.
    public var distance: Double
    /// When it left its usual range and stayed outside for two values; nil = it did not.
    public var began: Timestamp?

    public static let remarkable = 4.0
    public var isRemarkable: Bool { abs(distance) >= Self.remarkable }

    // The last part of the time before may hold the beginning of what is looked for.
    private static let baselineShare = 0.7
    private static let leastBaseline = 8

    /// nil where too little is known of the time before, or nothing of the finding's own.
    init?(_ series: SeriesExtract, view: ClosedRange<Timestamp>, start: Timestamp, end: Timestamp) {
        let before = Double(start.since(view.lowerBound).nanoseconds) * Self.baselineShare
        let baselineEnd = view.lowerBound.advanced(by: Span64(nanoseconds: Int64(exactly: before.rounded()) ?? 0))
        let baseline = series.times.indices.filter { series.times[$0] <= baselineEnd }.map { series.values[$0] }
        guard let usual = RobustSummary(baseline), usual.count >= Self.leastBaseline else { return nil }
        let near = max(series.reach, series.interval ?? Span64(nanoseconds: 0))
        let last = end.advanced(by: near)
        // What was read meanwhile; where nothing was, what was read next to it.
        guard
            let during = Self.furthest(series, from: usual.median, start, end, reach: series.reach)
                ?? Self.furthest(series, from: usual.median, start, end, reach: near)
        else { return nil }
        metric = series.metric
        unit = series.unit
        self.before = usual.median
        self.during = during
        distance = usual.distance(during)
        let first = start.advanced(by: Span64(nanoseconds: -series.reach.nanoseconds))
        began = Self.beginning(series, usual, from: baselineEnd, finding: first, to: last)
    }

    private static func furthest(
        _ series: SeriesExtract, from median: Double, _ start: Timestamp, _ end: Timestamp, reach: Span64
    ) -> Double? {
        let first = start.advanced(by: Span64(nanoseconds: -reach.nanoseconds))
        let last = end.advanced(by: reach)
        return series.times.indices.lazy.filter { series.times[$0] >= first && series.times[$0] <= last }
            .map { series.values[$0] }.filter(\.isFinite).max { abs($0 - median) < abs($1 - median) }
    }

    private static func beginning(
        _ series: SeriesExtract, _ usual: RobustSummary, from start: Timestamp, finding: Timestamp, to end: Timestamp
    ) -> Timestamp? {
        var candidate: Timestamp?
        for row in series.times.indices where series.times[row] > start && series.times[row] <= end {
            guard series.values[row].isFinite else { continue }
            guard abs(usual.distance(series.values[row])) >= remarkable else {
                // A lone value counts where it is the finding itself.
                if let candidate, candidate >= finding { return candidate }
                candidate = nil
                continue
            }
            if let candidate { return candidate }
            candidate = series.times[row]
        }
        // The last value alone counts: what it does next is not known.
        return candidate
    }
}
