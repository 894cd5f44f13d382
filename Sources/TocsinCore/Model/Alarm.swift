/// One incident: the verdicts of one kind on one sensor, from raise to clear. What a person sees.
public struct Alarm: Sendable {
    public enum State: String, Sendable, CaseIterable { case open, cleared }
    public enum Severity: String, Sendable, CaseIterable { case warning, critical }

    /// Derived from sensor, kind and start: a replay of the same stream raises the same alarm over itself. 16 hex digits.
    public var id: String
    public var sensor: String
    /// The metric named in the sentence; nil where the whole sensor is meant (silence, multivariate).
    public var metric: String?
    public var kind: AnomalyKind
    public var state: State
    public var severity: Severity
    /// Event times: first and last verdict, and when it was cleared.
    public var raised: Timestamp
    public var lastSeen: Timestamp
    public var cleared: Timestamp?
    /// Verdicts grouped into it, continuations included.
    public var verdicts: Int
    /// Highest score and lowest p-value so far.
    public var score: Double
    public var pValue: Double
    /// One plain sentence: what, where, since when, how sure.
    public var sentence: String

    public init(
        id: String, sensor: String, metric: String?, kind: AnomalyKind, state: State, severity: Severity,
        raised: Timestamp, lastSeen: Timestamp, cleared: Timestamp? = nil, verdicts: Int, score: Double,
        pValue: Double, sentence: String
    ) {
        self.id = id
        self.sensor = sensor
        self.metric = metric
        self.kind = kind
        self.state = state
        self.severity = severity
        self.raised = raised
        self.lastSeen = lastSeen
        self.cleared = cleared
        self.verdicts = verdicts
        self.score = score
        self.pValue = pValue
        self.sentence = sentence
    }
}

/// A step in an alarm's life, for channels and the live screen.
public struct AlarmChange: Sendable {
    public enum Step: String, Sendable {
        case raised, cleared
        /// It was told as cleared and has come back, or has become critical: whoever was told of it wants to know.
        case reopened, escalated
        /// It goes on; for screens.
        case updated
    }

    public var step: Step
    public var alarm: Alarm
    public init(step: Step, alarm: Alarm) {
        self.step = step
        self.alarm = alarm
    }
}

/// A verdict with its names resolved, its id and its sentence: what is stored and shown.
public struct Anomaly: Sendable {
    /// Derived from sensor, series, time, kind and detector: replay writes the same row over itself. 16 hex digits.
    public var id: String
    public var alarmID: String?
    public var sensor: String
    public var metric: String?
    public var kind: AnomalyKind
    public var detector: DetectorKind
    /// The model that spoke, by name.
    public var model: String
    public var start: Timestamp
    public var time: Timestamp
    public var value: Double
    public var expectedLow: Double
    public var expectedHigh: Double
    public var score: Double
    public var pValue: Double
    public var contributions: [Contribution]
    public var sentence: String

    public init(
        id: String, alarmID: String?, sensor: String, metric: String?, kind: AnomalyKind, detector: DetectorKind,
        model: String, start: Timestamp, time: Timestamp, value: Double, expectedLow: Double, expectedHigh: Double,
        score: Double, pValue: Double, contributions: [Contribution], sentence: String
    ) {
        self.id = id
        self.alarmID = alarmID
        self.sensor = sensor
        self.metric = metric
        self.kind = kind
        self.detector = detector
        self.model = model
        self.start = start
        self.time = time
        self.value = value
        self.expectedLow = expectedLow
        self.expectedHigh = expectedHigh
        self.score = score
        self.pValue = pValue
        self.contributions = contributions
        self.sentence = sentence
    }
}
