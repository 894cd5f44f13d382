/// What kind of thing was found. Raw values are stored: append only.
public enum AnomalyKind: UInt8, CaseIterable, Sendable {
    case spike, drift, stuck, noise, silence, range, pattern, multivariate, fire
    /// Not of a sensor: the program's own trouble. No detector speaks of it.
    case system

    /// What detectors find.
    public static let allCases: [AnomalyKind] = [
        .spike, .drift, .stuck, .noise, .silence, .range, .pattern, .multivariate, .fire,
    ]

    /// The word in the API, the store and on the screen.
    public var name: String { String(describing: self) }

    public init?(name: String) {
        guard let kind = (Self.allCases + [.system]).first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}

/// Which detector spoke. Raw values are stored: append only.
public enum DetectorKind: UInt8, CaseIterable, Sendable {
    /// Tier 1: the bank of O(1) detectors on every reading.
    case bank
    /// Isolation Forest over all metrics of one event and their ratios.
    case eventForest
    /// Isolation Forest over the statistics of a closed window.
    case windowForest
    /// What a series has never shown before: pattern memory, entropy, shapes.
    case novelty
    /// T² across the metrics of one sensor.
    case assetChart
    /// LSTM autoencoder over the last windows of a series.
    case autoencoder
    /// Random Forest and rates of change of a smoke or fire sensor.
    case fire
    /// Fixed limits of a smoke or fire sensor that no model can silence.
    case safetyLimits

    public var name: String {
        switch self {
        case .bank: "bank"
        case .eventForest: "event-forest"
        case .windowForest: "window-forest"
        case .novelty: "novelty"
        case .assetChart: "asset-chart"
        case .autoencoder: "lstm"
        case .fire: "fire"
        case .safetyLimits: "safety-limits"
        }
    }

    public init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}

/// How much one metric (or window statistic) contributed to a score. Shares of one verdict sum to at most 1.
public struct Contribution: Sendable, Equatable {
    /// A metric's name, a ratio ("temperature/humidity"), or a window statistic ("slope").
    public var name: String
    public var share: Double
    public init(name: String, share: Double) {
        self.name = name
        self.share = share
    }
}

/// What a detector says of a reading, an event or a window: something is wrong, this much, of this kind.
///
/// Rare by construction, so it may own strings; the per-reading path deals in `Assessment`.
public struct Verdict: Sendable {
    public var sensor: SensorID
    /// The series it is about; nil for a verdict on a whole event.
    public var series: SeriesID?
    public var kind: AnomalyKind
    public var detector: DetectorKind
    /// When it began and when it was found (equal for a spike), in event time.
    public var start: Timestamp
    public var time: Timestamp
    /// The observed value (for drift the level, for noise the standard deviation, for silence the seconds of silence).
    public var value: Double
    /// What was expected: NaN where no band makes sense.
    public var expectedLow: Double
    public var expectedHigh: Double
    /// 0…1, high = anomalous.
    public var score: Double
    /// Probability of a score at least this high on normal data, as calibrated for the series.
    public var pValue: Double
    public var contributions: [Contribution]
    /// True when it only says that a known condition goes on: the alarm is kept alive, no new anomaly is stored.
    public var isContinuation: Bool
    /// What the detector has to say in words beyond its numbers; part of the sentence.
    public var reason: String?
    /// Without another word for so long what it tells of may be over: some of the series' own usual intervals. 0 where
    /// they are not known.
    public var quiet = Span64.seconds(0)

    public init(
        sensor: SensorID, series: SeriesID?, kind: AnomalyKind, detector: DetectorKind, start: Timestamp,
        time: Timestamp, value: Double, expectedLow: Double, expectedHigh: Double, score: Double, pValue: Double,
        contributions: [Contribution] = [], isContinuation: Bool = false, reason: String? = nil
    ) {
        self.sensor = sensor
        self.series = series
        self.kind = kind
        self.detector = detector
        self.start = start
        self.time = time
        self.value = value
        self.expectedLow = expectedLow
        self.expectedHigh = expectedHigh
        self.score = score
        self.pValue = pValue
        self.contributions = contributions
        self.isContinuation = isContinuation
        self.reason = reason
    }
}
