public import TocsinCore

/// A step in an incident's life, and whether people are told of it: all are stored and shown.
public struct AlarmNotice: Sendable {
    public var change: AlarmChange
    /// False for members of a summary: its own notices speak for them.
    public var isTold: Bool
    /// The summary that the incident is a member of.
    public var summaryID: String?

    public init(change: AlarmChange, isTold: Bool = true, summaryID: String? = nil) {
        self.change = change
        self.change.isTold = isTold
        self.change.alarm.summary = summaryID
        self.isTold = isTold
        self.summaryID = summaryID
    }
}

/// What became of one finding.
public struct Booking: Sendable {
    public enum Outcome: Sendable, Equatable {
        /// In an incident that is open.
        case booked
        /// In an incident that is raised when the condition holds for the rule's on delay.
        case pending
        /// No incident: maintenance, and its reason.
        case suppressed(String)
        /// No incident: a person has said so.
        case heldBack(FeedbackBook.Reason)
        /// No incident: the level has been taken as the new normal.
        case accepted
        /// No finding under the rules: neither incident nor anomaly.
        case ruledOut
    }

    public var outcome: Outcome
    /// Of the incident, also of one that is not raised yet.
    public var alarmID: String?
    /// In the order in which they happened.
    public var notices: [AlarmNotice]
    /// Whether an anomaly is to be stored.
    public var isNews: Bool
    /// For that anomaly: says why there is no alarm, where there is none.
    public var sentence: String
}

/// What the desk has done since it began, through all restarts.
public struct AlarmCounts: Sendable, Equatable {
    /// Incidents raised, and those among them that became members of a summary.
    public var raised = 0
    public var grouped = 0
    public var summaries = 0
    /// Findings (continuations left out) without an incident, by cause.
    public var ruledOut = 0
    public var suppressed = 0
    public var calledFalse = 0
    public var expected = 0
    public var accepted = 0

    public init() {}
}
