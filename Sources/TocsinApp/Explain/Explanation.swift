public import TocsinCore

/// Everything that the store knows about one finding: what was found, how sure, and what else happened then.
///
/// Made by `ExplanationBuilder`; shown as text, JSON and picture.
public struct Explanation: Sendable {
    public var anomaly: Anomaly
    /// The incident that it belongs to.
    public var alarm: Alarm?
    /// Findings of that incident in the store.
    public var alarmFindings = 1
    /// What a person said of that incident, the last word.
    public var feedback: Feedback?
    public var model: ModelNote?
    /// The stretch of time that was looked at.
    public var view: ClosedRange<Timestamp>
    /// The metric that is shown first: the one it is about, or the one that contributes most.
    public var main: SeriesExtract?
    /// The other metrics of the same sensor.
    public var others: [SeriesExtract] = []
    public var stretches: [Stretch] = []
    /// How every metric of the sensor moved, the strongest first.
    public var movements: [Movement] = []
    public var neighbours: Neighbours?
    /// Findings of the same kind on the same series before this one, newest first.
    public var earlier: [Anomaly] = []
    /// Other findings on the same sensor within the view.
    public var around: [Anomaly] = []

    public init(anomaly: Anomaly, view: ClosedRange<Timestamp>) {
        self.anomaly = anomaly
        self.view = view
    }

    /// Which saved model spoke.
    public struct ModelNote: Sendable {
        public var name: String
        public var version: Int
        public var origin: ModelOrigin
        public var created: Timestamp
    }

    /// What a metric did before, during or after.
    public struct Stretch: Sendable {
        public enum Part: String, Sendable, CaseIterable { case before, during, after }
        public var part: Part
        public var start: Timestamp
        public var end: Timestamp
        /// Readings, or windows where the store has no readings.
        public var count: Int
        public var mean: Double
        public var minimum: Double
        public var maximum: Double
    }
}

/// The values of one metric of one sensor within the view.
public struct SeriesExtract: Sendable {
    public enum Origin: Sendable, Equatable {
        case readings
        /// Means of closed windows of that length, at their middles.
        case windows(Span64)
    }

    public var metric: String
    public var unit: String?
    public var origin: Origin
    /// Rising.
    public var times: [Timestamp]
    public var values: [Double]
    /// Smallest and greatest reading of each window; empty for readings.
    public var low: [Double] = []
    public var high: [Double] = []

    public init(metric: String, unit: String? = nil, origin: Origin, times: [Timestamp] = [], values: [Double] = []) {
        self.metric = metric
        self.unit = unit
        self.origin = origin
        self.times = times
        self.values = values
    }

    /// Half of a window's length: how far to both sides a value speaks for.
    var reach: Span64 {
        if case .windows(let size) = origin { return Span64(nanoseconds: size.nanoseconds / 2) }
        return Span64(nanoseconds: 0)
    }

    /// "temperature (°C)"
    var title: String { Wording.symbol(of: unit).map { "\(metric) (\($0))" } ?? metric }

    /// Usual distance of two values; nil for fewer than three.
    var interval: Span64? {
        guard times.count > 2 else { return nil }
        let gaps = zip(times.dropFirst(), times).map { $0.since($1).nanoseconds }.sorted()
        return Span64(nanoseconds: max(1, gaps[gaps.count / 2]))
    }

    /// The statistics of the values that speak for a part of the view.
    func stretch(_ part: Explanation.Stretch.Part, from start: Timestamp, to end: Timestamp) -> Explanation.Stretch? {
        let back = Span64(nanoseconds: -reach.nanoseconds)
        var stretch = Explanation.Stretch(
            part: part, start: start, end: end, count: 0, mean: 0, minimum: .infinity, maximum: -.infinity)
        for row in times.indices where values[row].isFinite {
            let isIn =
                switch part {
                case .before: times[row].advanced(by: reach) <= end && (reach.nanoseconds > 0 || times[row] < end)
                case .during: times[row].advanced(by: reach) >= start && times[row].advanced(by: back) <= end
                case .after: times[row].advanced(by: back) >= start && (reach.nanoseconds > 0 || times[row] > start)
                }
            guard isIn else { continue }
            stretch.count += 1
            stretch.mean += (values[row] - stretch.mean) / Double(stretch.count)
            stretch.minimum = min(stretch.minimum, low.indices.contains(row) ? low[row] : values[row])
            stretch.maximum = max(stretch.maximum, high.indices.contains(row) ? high[row] : values[row])
        }
        return stretch.count > 0 ? stretch : nil
    }
}
