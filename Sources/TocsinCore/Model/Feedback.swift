/// What a person says of an alarm.
public enum FeedbackWord: String, Sendable, CaseIterable {
    /// It was worth telling.
    case real
    /// Nothing was wrong.
    case falseAlarm = "false"
    /// It was as found, and it is known: a shift change, a cleaning cycle.
    case expected
}

/// When something that is expected comes again.
public enum Recurrence: String, Sendable, CaseIterable {
    case weekly, daily
    /// At any time.
    case always
}

/// One word of a person on one alarm, with all that is needed to use it again: stored, it makes the same book.
public struct Feedback: Sendable, Equatable {
    public var word: FeedbackWord
    /// For `expected` only; nil = weekly, and daily once the same hour was marked on two days of the week.
    public var recurrence: Recurrence?
    public var alarmID: String
    public var sensor: String
    public var metric: String?
    public var kind: AnomalyKind
    /// The alarm's highest score.
    public var score: Double
    /// From the alarm's raising to its last verdict.
    public var start: Timestamp
    public var end: Timestamp
    /// Stream progress when it was said: from here it counts.
    public var given: Timestamp
    /// What the person wrote, for people.
    public var note: String?

    public init(
        word: FeedbackWord, recurrence: Recurrence? = nil, alarmID: String, sensor: String, metric: String?,
        kind: AnomalyKind, score: Double, start: Timestamp, end: Timestamp, given: Timestamp, note: String? = nil
    ) {
        self.word = word
        self.recurrence = recurrence
        self.alarmID = alarmID
        self.sensor = sensor
        self.metric = metric
        self.kind = kind
        self.score = score
        self.start = start
        self.end = end
        self.given = given
        self.note = note
    }

    public init(_ word: FeedbackWord, on alarm: Alarm, recurrence: Recurrence? = nil, given: Timestamp) {
        self.init(
            word: word, recurrence: recurrence, alarmID: alarm.id, sensor: alarm.sensor, metric: alarm.metric,
            kind: alarm.kind, score: alarm.score, start: alarm.raised, end: alarm.lastSeen, given: given)
    }
}

extension JSONWriter {
    public mutating func value(_ feedback: Feedback) {
        object {
            $0.field("feedback", feedback.word.rawValue)
            $0.field("recurrence", feedback.recurrence?.rawValue)
            $0.field("alarm_id", feedback.alarmID)
            $0.field("sensor_id", feedback.sensor)
            $0.field("metric", feedback.metric)
            $0.field("kind", feedback.kind.name)
            $0.field("score", feedback.score)
            $0.field("start", feedback.start)
            $0.field("end", feedback.end)
            $0.field("given", feedback.given)
        }
    }
}
