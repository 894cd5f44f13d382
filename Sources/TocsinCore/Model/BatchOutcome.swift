/// What became of one batch, in stream order: what the store writes in one transaction before the source is acknowledged.
public struct BatchOutcome: Sendable {
    /// Its columns are shared, not copied (copy on write).
    public var batch: Batch
    /// One per event of the batch.
    public var fates: [EventFate]
    /// Per reading: false where validation refused it (its dead letter is in `deadLetters`).
    public var accepted: [Bool]
    public var windows: WindowBatch
    public var anomalies: [Anomaly]
    public var alarmChanges: [AlarmChange]
    public var deadLetters: [DeadLetter]
    /// What people said of alarms.
    public var feedback: [Feedback]
    /// What people did with alarms.
    public var actions: [AlarmAction]

    public init(
        batch: Batch, fates: [EventFate], accepted: [Bool], windows: WindowBatch = WindowBatch(),
        anomalies: [Anomaly] = [], alarmChanges: [AlarmChange] = [], deadLetters: [DeadLetter] = [],
        feedback: [Feedback] = [], actions: [AlarmAction] = []
    ) {
        self.batch = batch
        self.fates = fates
        self.accepted = accepted
        self.windows = windows
        self.anomalies = anomalies
        self.alarmChanges = alarmChanges
        self.deadLetters = deadLetters
        self.feedback = feedback
        self.actions = actions
    }
}

/// What became of an event as a whole.
public enum EventFate: UInt8, Sendable {
    /// Goes to the store.
    case stored
    /// Older than its window's allowed lateness: goes to the store, marked late, and into no window.
    case late
    /// Seen before: nothing is written.
    case duplicate
    /// None of its readings was accepted.
    case deadLettered
}
