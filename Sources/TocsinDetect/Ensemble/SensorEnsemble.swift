public import TocsinCore

/// The detectors behind `default` for one sensor: what a series has never done before, metric by metric, and across the
/// metrics what does not go together; cold start, no setting to make.
///
/// ```swift
/// var ensemble = SensorEnsemble()
/// var findings: [EnsembleFinding] = []
/// ensemble.observe(time: event.time, values: row.span, evidence: evidence.span, into: &findings)
/// ```
/// Every part brings its score in units of its own decision limit, each limit learnt from the sensor's own past: the
/// bank's accepted false-alarm rate under its fitted tail, `NoveltyDetector`'s nats of how seldom something is new,
/// `AdaptiveChart`'s multiple of its first rows' 99.5 % quantile. One metric: novelty decides alone, as the bank's evidence
/// adds false marks and no event on recordings. Several: the chart decides, and bank and novelty add up to 0.3 each,
/// corrected for the number of metrics, so that they tip the scales and never alarm alone; that ranks better than
/// maximum, product and Fisher's sum of logarithms on server, application and sensor-network recordings.
///
/// 31 KB a metric, and the chart. One metric: 0.5 µs a reading, of a series read faster than every 20 s 25 ns. An
/// observation allocates nothing once learning is over.
public struct SensorEnsemble: Sendable {
    /// What bank and novelty add at most to the chart's score, each.
    static let lightWeight = 0.3
    /// The bank's decision limit in nats, for correcting by the number of metrics.
    static let bankNats = 16.118
    static let release = 0.4
    /// A new value must lie so far outside the band of 98 % of the kept values, as a share of its width: plain noise
    /// makes small records all the time. At 0.5 noise gives a quarter of the findings that it gives at 0.
    static let leastExcess = 0.5
    /// In units of the limit: what is so new is told wherever it lies. The band of a series with a season is wide, and
    /// the year's highest value lies less than half of that outside. Noise, also autocorrelated, hardly reaches it (100
    /// sensors and day at one reading a minute: 10.7 findings with it and without); the Numenta benchmark gives 71
    /// instead of 63 points.
    static let decisive = 2.5
    /// A lasting multivariate finding is repeated no more often, in event time.
    static let continuationInterval = Span64.seconds(60)
    /// More metrics than a sensor has: the rest of a wider row is passed over.
    public static let mostMetrics = 256

    var series: [PacedNovelty] = []
    /// Without one, a single metric or no room.
    var chart: AdaptiveChart?
    let usesNovelty: Bool
    var history = ScoreHistory()
    var lastTime = Int64.min
    var isAlarm = false
    /// Since when the row's score is above `release`.
    var rising = Int64.min
    var lastEmission = Int64.min

    /// - Parameter usesNovelty: false keeps the chart alone, for want of memory.
    public init(usesNovelty: Bool = true) { self.usesNovelty = usesNovelty }

    /// An ensemble whose chart has learnt rows given as normal, row after row, at least 64; novelty learns them too.
    ///
    /// - Parameter times: of the rows, ascending.
    /// - Throws: `TocsinError(.model)` for too few rows.
    public init(fitting rows: [Double], times: [Timestamp], width: Int) throws {
        self.init()
        let width = min(max(width, 1), Self.mostMetrics)
        grow(to: width)
        if width > 1 { chart = try AdaptiveChart(fitting: rows, width: width) }
        for row in 0..<min(times.count, rows.count / width) {
            lastTime = max(lastTime, times[row].nanoseconds)
            for metric in 0..<width {
                _ = series[metric].observe(rows[row * width + metric], time: times[row].nanoseconds)
            }
        }
    }

    public var width: Int { usesNovelty ? series.count : chart?.width ?? 0 }

    /// Nothing was observed yet.
    var isNew: Bool { lastTime == .min }

    /// How new a metric's last reading was, in units of novelty's decision limit, within an event too: what opens a
    /// `SuspicionGate` beside the bank. 0 for a metric that is not watched.
    public func novelty(of metric: Int) -> Double {
        series.indices.contains(metric) ? series[metric].raw / series[metric].threshold : 0
    }

    /// Bytes of an ensemble of so many metrics.
    public static func bytes(metrics: Int, usesNovelty: Bool = true) -> Int {
        let width = min(max(metrics, 1), mostMetrics)
        let chart = width > 1 ? 24 * width * width + 1000 * width + 1500 : 0
        return MemoryLayout<SensorEnsemble>.stride + chart + (usesNovelty ? 31_500 * width : 0)
    }

    /// Judges one row, then learns it.
    ///
    /// - Parameters:
    ///   - time: event time; a row older than the last one is passed over.
    ///   - values: by metric; NaN for a metric that the event does not have.
    ///   - evidence: the bank's word by metric, `Assessment.evidence`; where it is too short it counts as 0.
    ///   - findings: appended to.
    /// - Returns: the row's score in units of the decision limit: 1 and above belongs to a finding.
    @discardableResult
    public mutating func observe(
        time: Timestamp, values: Span<Double>, evidence: Span<Double>, into findings: inout [EnsembleFinding]
    ) -> Double {
        guard time.nanoseconds >= lastTime else { return 0 }
        lastTime = time.nanoseconds
        let width = min(values.count, Self.mostMetrics)
        if width > self.width { grow(to: width) }
        return chart == nil
            ? single(time, values, into: &findings) : row(time, values, evidence, width: width, into: &findings)
    }

    private mutating func grow(to width: Int) {
        if usesNovelty { while series.count < width { series.append(PacedNovelty()) } }
        // A new metric: how they move together is learnt anew.
        if width > 1 { chart = AdaptiveChart(width: width) }
    }
}
