internal import TocsinCore

/// Watches all metrics of one asset together from a cold start and goes on learning: an `AssetChart` without a setting
/// and without a training run.
///
/// ```swift
/// var chart = AdaptiveChart(width: 2)
/// let reading = chart.observe(row)
/// if reading.isAlarm { chart.contributions(into: &shares) }
/// ```
/// T² = d · P · d, where d is the smoothed row (`ShiftingAverage`) less its learned mean and P the inverse of
/// C + `wander` · B: C the covariance of d, B that of the means of blocks, which says where the asset wanders by
/// itself. It learns `learningRows` rows in silence, then every row, with a weight that falls to 1 / `memory`; rows in
/// alarm are not learnt, nor the last rows before one, as a beginning fault must not become normal. An alarm that
/// lasts longer than `acceptance` rows is the new normal and learnt quickly. A metric that has shown no more than two
/// values ever has states (a lamp, a door, a pump) and no distance: it is left out until it shows a third.
///
/// About 24 · width² + 1,020 · width bytes; 2 · width² multiplications a row and a matrix inverted every 64 rows.
public struct AdaptiveChart: Sendable {
    public struct Settings: Sendable, Equatable {
        /// Readings over which the row is smoothed (weight 2 / (span + 1)). Default 16.
        public var span = 16.0
        /// How much the drift between blocks is forgiven. Default 10.
        public var wander = 10.0
        /// Shrinkage of correlations towards independence, 0 … 1. Default 0.1.
        public var shrinkage = 0.1
        /// The alarm begins above this multiple of the 99.5 % quantile of the first rows. Default 4.5.
        public var limit = 4.5
        /// … and ends below this share of the limit (dead band). Default 0.4.
        public var release = 0.4
        /// Rows learnt before the first judgement. Default 400: 7 minutes at 1 Hz, 7 hours at one a minute.
        public var learningRows = 400
        /// Rows it remembers. Default 8,192.
        public var memory = 8192.0
        /// What a row that was given as normal counts, in rows merely seen. Default 10.
        public var priorWeight = 10.0
        /// Rows in alarm after which the new state is taken as normal. Default 2,000.
        public var acceptance = 2000

        public init() {}
    }

    /// What one row says.
    public struct Reading: Sendable, Equatable {
        /// T² over its limit: 1 and above is an alarm. 0 while learning.
        public var score = 0.0
        /// On from score 1 until the score falls below `Settings.release`.
        public var isAlarm = false
    }

    static let refresh = 64
    static let mostDelay = 100
    static let blocks = 8
    static let quantile = 0.995

    public let settings: Settings
    public let width: Int
    /// The first rows, until there are enough; then empty.
    var first: [Double] = []
    var model: ChartModel?

    /// A chart that has seen nothing.
    ///
    /// - Parameter width: metrics in a row, 1 … 1,024.
    public init(width: Int, settings: Settings = Settings()) {
        self.settings = settings
        self.width = min(max(width, 1), 1024)
    }

    /// A chart that has learnt rows given as normal.
    ///
    /// - Parameters:
    ///   - rows: normal rows in order of time, row after row; at least 64.
    ///   - width: metrics in a row.
    /// - Throws: `TocsinError(.model)` for too few rows.
    public init(fitting rows: [Double], width: Int, settings: Settings = Settings()) throws {
        guard width > 0, width <= 1024, rows.count / width >= 64 else {
            throw TocsinError(
                .model,
                "\(rows.count / max(width, 1)) rows of \(width) metrics are too few to learn how the metrics move together.",
                remedy: "Give at least 64 rows of normal operation and at most 1,024 metrics.")
        }
        self.init(width: width, settings: settings)
        model = ChartModel(fitting: rows, width: width, settings: settings, weight: settings.priorWeight)
    }

    /// False until `learningRows` rows were seen: scores are 0 until then.
    public var isReady: Bool { model != nil }

    /// Judges one row of `width` metrics, then learns it. A missing metric (NaN) is taken at its mean, a short row
    /// likewise.
    public mutating func observe(_ row: Span<Double>) -> Reading {
        if model != nil { return model?.observe(row, settings: settings) ?? Reading() }
        let target = min(max(settings.learningRows, 64), 1 << 20)
        for metric in 0..<width { first.append(metric < row.count ? row[metric] : .nan) }
        if first.count >= target * width {
            model = ChartModel(fitting: first, width: width, settings: settings, weight: 1)
            first = []
        }
        return Reading()
    }

    /// Judges one row given as an array.
    public mutating func observe(_ row: [Double]) -> Reading { observe(row.span) }

    /// The share of each metric in the last row's statistic: exact, summing to 1 (to 0 before the first row).
    ///
    /// A share may be negative: that metric, moving with the others, made the row more normal.
    public func contributions(into shares: inout [Double]) {
        shares.removeAll(keepingCapacity: true)
        for metric in 0..<width { shares.append(share(of: metric)) }
    }

    /// One metric's share.
    public func share(of metric: Int) -> Double { model?.share(of: metric) ?? 0 }

    /// Where a metric is normally, in its own unit: its mean and four standard deviations of the smoothed value about
    /// it. NaN while learning.
    public func band(of metric: Int) -> (low: Double, high: Double) {
        model?.band(of: metric, wander: settings.wander) ?? (.nan, .nan)
    }
}
