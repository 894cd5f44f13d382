/// One incident: the verdicts of one kind on one sensor, from raise to clear. What a person sees.
public struct Alarm: Sendable {
    public enum State: String, Sendable, CaseIterable { case open, cleared }
    /// Rising.
    public enum Severity: String, Sendable, CaseIterable, Comparable {
        case info, warning, critical

        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
        /// 0, 1 or 2.
        public var rank: UInt8 {
            switch self {
            case .info: 0
            case .warning: 1
            case .critical: 2
            }
        }
    }

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
    /// The summary it was told in, instead of by itself: that alarm's id.
    public var summary: String?
    /// The likely first cause, as a sentence, where several sensors moved.
    public var cause: String?
    /// What people have done with it.
    public var care = AlarmCare.none

    public init(
        id: String, sensor: String, metric: String?, kind: AnomalyKind, state: State, severity: Severity,
        raised: Timestamp, lastSeen: Timestamp, cleared: Timestamp? = nil, verdicts: Int, score: Double,
        pValue: Double, sentence: String, summary: String? = nil, cause: String? = nil
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
        self.summary = summary
        self.cause = cause
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
        /// What people did: somebody looks after it; nobody is to be told for a time; the time is over and it still holds.
        case acknowledged, assigned, commented, shelved, unshelved
        case outOfService = "out_of_service"
        case inService = "in_service"
        /// Its sensor goes on in another process, or comes from one, and the alarm with it: for those who will tell, or have
        /// told, that it is over. Neither stored nor shown.
        case handedOver = "handed_over"
        case takenOver = "taken_over"
    }

    public var step: Step
    public var alarm: Alarm
    /// False for a member of a summary, whose own changes speak for it: stored and shown, and nobody is woken.
    public var isTold: Bool

    public init(step: Step, alarm: Alarm, isTold: Bool = true) {
        self.step = step
        self.alarm = alarm
        self.isTold = isTold
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
    /// Why it raised no alarm, where that was a decision: maintenance, an answer of a person, a rule.
    public var note: String?

    public init(
        id: String, alarmID: String?, sensor: String, metric: String?, kind: AnomalyKind, detector: DetectorKind,
        model: String, start: Timestamp, time: Timestamp, value: Double, expectedLow: Double, expectedHigh: Double,
        score: Double, pValue: Double, contributions: [Contribution], sentence: String, note: String? = nil
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
        self.note = note
    }
}
