public import TocsinCore

/// How the bank judges. One default for every kind of sensor; the bank learns the rest from each series.
public struct BankSettings: Sendable {
    /// Which side of the expectation is worth a verdict.
    public enum Direction: Sendable { case both, up, down }

    /// Whether the level is judged against its own course at the same hour of other days and one period ago.
    public enum Season: Sendable {
        /// Learned where there is history enough, used where it explains more than half of the movement.
        case automatic
        case off
    }

    /// Accepted rate of false spike verdicts per reading on data like the past. Default 1e-7: at one reading a second
    /// that is one in 115 days and series.
    public var falseAlarmRate: Double
    /// Deviations smaller than this, in the metric's own unit, are never a verdict: of a spike from the prediction, of a
    /// drift from the former level, of a value from the valid range. Default 0: units differ by metric.
    public var minimumDeviation: Double
    /// Deviations smaller than this share of the level are never a verdict. Default 0: a share means nothing where zero
    /// is arbitrary, as in °C.
    public var minimumRelativeDeviation: Double
    /// Default both.
    public var direction: Direction
    /// Readings per series before spikes are judged. Default 60: enough for a median within about 20 %.
    public var learningReadings: Int
    /// Kinds the bank may report. Default: all that it knows.
    public var enabledKinds: Set<AnomalyKind>
    /// How many robust standard deviations a reading must at least be off to be a spike, whatever the tail estimate
    /// says. Default 5: estimates from few readings are optimistic.
    public var minimumSpikeDeviations: Double
    /// How many standard deviations of one reading the level must at least move to be a drift. Default 2: smaller
    /// lasting changes are real but seldom worth a person's time.
    public var minimumDriftDeviations: Double
    /// Exactly equal readings in a row before "stuck" is considered. Default 10.
    public var minimumStuckReadings: Int
    /// The dead-man timer never fires before this. Default 30 s, below which jitter of networks is normal.
    public var minimumSilence: Span64
    /// Silence counts from so many usual intervals. Default 8.
    public var silenceIntervals: Double
    /// A condition that goes on is repeated (as a continuation) no more often than this, in event time. Default 60 s.
    public var continuationInterval: Span64
    /// Default automatic.
    public var season: Season
    /// A series silent for longer than this is taken as withdrawn and no longer repeated. Default one day.
    public var silenceForgottenAfter: Span64

    public init(
        falseAlarmRate: Double = 1e-7, minimumDeviation: Double = 0, minimumRelativeDeviation: Double = 0,
        direction: Direction = .both, learningReadings: Int = 60,
        enabledKinds: Set<AnomalyKind> = [.spike, .drift, .stuck, .noise, .silence, .range],
        minimumSpikeDeviations: Double = 5, minimumDriftDeviations: Double = 2, minimumStuckReadings: Int = 10,
        minimumSilence: Span64 = .seconds(30), silenceIntervals: Double = 8,
        continuationInterval: Span64 = .seconds(60), silenceForgottenAfter: Span64 = .days(1),
        season: Season = .automatic
    ) {
        self.falseAlarmRate = falseAlarmRate
        self.minimumDeviation = minimumDeviation
        self.minimumRelativeDeviation = minimumRelativeDeviation
        self.direction = direction
        self.learningReadings = learningReadings
        self.enabledKinds = enabledKinds
        self.minimumSpikeDeviations = minimumSpikeDeviations
        self.minimumDriftDeviations = minimumDriftDeviations
        self.minimumStuckReadings = minimumStuckReadings
        self.minimumSilence = minimumSilence
        self.silenceIntervals = silenceIntervals
        self.continuationInterval = continuationInterval
        self.silenceForgottenAfter = silenceForgottenAfter
        self.season = season
    }
}

/// The settings in the units of the hot path: computed once, read for every reading.
struct BankParameters: Sendable {
    var surpriseLimit: Double
    /// What a spike must reach by frequency too: the limit, where it is not rarer than the frequency is known, else 0.
    var knownSurprise: Double
    var minimumDeviation: Double
    var minimumRelativeDeviation: Double
    var judgesUp: Bool
    var judgesDown: Bool
    var learningReadings: UInt32
    var minimumSpikeDeviations: Double
    var minimumDriftDeviations: Double
    var minimumStuckReadings: UInt32
    var minimumSilence: Float
    var silenceIntervals: Float
    var continuationSeconds: UInt32
    var silenceForgottenAfter: Int64
    var usesSeason: Bool
    var kinds: UInt16

    init(_ settings: BankSettings) {
        surpriseLimit = -naturalLog(settings.falseAlarmRate.clamped(1e-300, 0.5))
        knownSurprise = surpriseLimit > TailQuantiles.reach + 2.3 ? 0 : 0.999 * surpriseLimit
        minimumDeviation = settings.minimumDeviation
        minimumRelativeDeviation = settings.minimumRelativeDeviation
        judgesUp = settings.direction != .down
        judgesDown = settings.direction != .up
        learningReadings = UInt32(clamping: max(settings.learningReadings, 8))
        minimumSpikeDeviations = max(settings.minimumSpikeDeviations, 3)
        minimumDriftDeviations = settings.minimumDriftDeviations
        minimumStuckReadings = UInt32(clamping: max(settings.minimumStuckReadings, 2))
        minimumSilence = Float(settings.minimumSilence.seconds)
        silenceIntervals = Float(settings.silenceIntervals)
        continuationSeconds = UInt32(settings.continuationInterval.seconds.rounded(.up).clamped(0, 4e9))
        silenceForgottenAfter = settings.silenceForgottenAfter.nanoseconds
        usesSeason = settings.season == .automatic
        kinds = settings.enabledKinds.reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    @inline(__always) func allows(_ kind: AnomalyKind) -> Bool { kinds & (1 << UInt16(kind.rawValue)) != 0 }

    /// Whether a deviation from a level is large enough, and on the right side, to be worth a verdict.
    @inline(__always) func isWorthwhile(_ deviation: Double, level: Double) -> Bool {
        let size = abs(deviation)
        return size >= minimumDeviation && size >= minimumRelativeDeviation * abs(level)
            && (deviation > 0 ? judgesUp : judgesDown)
    }
}
