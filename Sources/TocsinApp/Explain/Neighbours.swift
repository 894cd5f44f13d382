public import TocsinCore

/// What other sensors of the same metric read at the same time: one sensor alone, or all of them.
public struct Neighbours: Sendable {
    /// Which statistic of a window is compared; nil = single readings.
    public var statistic: WindowStatistic?
    /// Other sensors that were compared.
    public var count: Int
    public var value: Double
    public var others: RobustSummary
    /// 1 = the highest of all, this sensor included.
    public var rank: Int
    /// Others that moved away from their own past as far as is remarkable, and of how many that is known.
    public var moved = 0
    public var movedOf = 0
    /// Others with a finding on the same metric at that time, by name.
    public var alsoFound: [String] = []
    /// Median and quartiles of the others over the view, for the picture; empty where there are too few.
    public var times: [Timestamp] = []
    public var medians: [Double] = []
    public var lowQuartiles: [Double] = []
    public var highQuartiles: [Double] = []

    static let leastForBand = 3

    /// The statistic that shows a kind best: a spike stands out in the extreme of its window, noise in the scatter.
    static func statistic(for anomaly: Anomaly) -> WindowStatistic {
        switch anomaly.kind {
        case .noise: .standardDeviation
        case .spike, .range:
            if anomaly.value > anomaly.expectedHigh {
                .maximum
            } else if anomaly.value < anomaly.expectedLow {
                .minimum
            } else {
                .mean
            }
        default: .mean
        }
    }

    /// From the windows of all sensors of the metric.
    ///
    /// - Parameter windows: in any order and of any lengths; of each sensor the shortest ones count.
    init?(_ windows: [StoredWindow], of anomaly: Anomaly) {
        let statistic = Self.statistic(for: anomaly)
        var latest: [String: StoredWindow] = [:]
        for window in windows where window.start <= anomaly.time && window.statistics.count > statistic.rawValue {
            guard let known = latest[window.sensor] else {
                latest[window.sensor] = window
                continue
            }
            if Self.isNearer(window, than: known, to: anomaly.time) { latest[window.sensor] = window }
        }
        guard let own = latest[anomaly.sensor] else { return nil }
        // Who has long been silent says nothing of that time.
        let back = Span64(nanoseconds: -max(0, Self.size(own).nanoseconds))
        let oldest = own.start.advanced(by: back).advanced(by: back)
        let rest = latest.values.filter { $0.sensor != anomaly.sensor && $0.start >= oldest }
        guard
            let summary = Self(
                own: own.statistics[statistic.rawValue], others: rest.map { $0.statistics[statistic.rawValue] })
        else { return nil }
        self = summary
        self.statistic = statistic
        countMoved(windows, latest: latest, statistic: statistic, anomaly: anomaly, size: Self.size(own))
        summarise(windows, of: anomaly, size: Self.size(own))
    }

    /// From one value of each sensor.
    init?(own: Double, others values: [Double]) {
        guard own.isFinite, let others = RobustSummary(values) else { return nil }
        count = others.count
        value = own
        self.others = others
        rank = 1 + values.filter { $0 > own }.count
    }

    private static func size(_ window: StoredWindow) -> Span64 { window.end.since(window.start) }

    private static func isNearer(_ window: StoredWindow, than other: StoredWindow, to time: Timestamp) -> Bool {
        if size(window) != size(other) { return size(window) < size(other) }
        func distance(_ window: StoredWindow) -> UInt64 {
            let middle = window.start.advanced(by: Span64(nanoseconds: size(window).nanoseconds / 2))
            return middle.since(time).nanoseconds.magnitude
        }
        return distance(window) < distance(other)
    }

    private mutating func countMoved(
        _ windows: [StoredWindow], latest: [String: StoredWindow], statistic: WindowStatistic, anomaly: Anomaly,
        size: Span64
    ) {
        var past: [String: [Double]] = [:]
        for window in windows
        where window.sensor != anomaly.sensor && window.end <= anomaly.start && Self.size(window) == size
            && window.statistics.count > statistic.rawValue
        {
            past[window.sensor, default: []].append(window.statistics[statistic.rawValue])
        }
        for (sensor, values) in past {
            guard values.count >= 8, let usual = RobustSummary(values), let now = latest[sensor] else { continue }
            movedOf += 1
            if abs(usual.distance(now.statistics[statistic.rawValue])) >= Movement.remarkable { moved += 1 }
        }
    }

    private mutating func summarise(_ windows: [StoredWindow], of anomaly: Anomaly, size: Span64) {
        var byStart: [Timestamp: [Double]] = [:]
        for window in windows where window.sensor != anomaly.sensor && Self.size(window) == size {
            guard window.statistics.count > WindowStatistic.mean.rawValue else { continue }
            byStart[window.start, default: []].append(window.statistics[WindowStatistic.mean.rawValue])
        }
        for start in byStart.keys.sorted() {
            guard let summary = byStart[start].flatMap({ RobustSummary($0) }), summary.count >= Self.leastForBand else {
                continue
            }
            times.append(start.advanced(by: Span64(nanoseconds: size.nanoseconds / 2)))
            medians.append(summary.median)
            lowQuartiles.append(summary.lowQuartile)
            highQuartiles.append(summary.highQuartile)
        }
    }
}
