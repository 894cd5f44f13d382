public import TocsinCore

/// What the program knows besides the alarm: looked up when a message is routed and when it is sent.
public struct AlertContext: Sendable {
    /// Of the alarm's sensor; asked when a message is routed. Must return at once.
    public var zone: @Sendable (Alarm) -> String?
    /// What else is known; asked when a message is made.
    public var details: @Sendable (AlarmChange) -> AlertDetails
    /// The page with chart and alarm; nil = the page with all of them.
    public var link: @Sendable (Alarm?) -> String?

    public init(
        zone: @escaping @Sendable (Alarm) -> String? = { _ in nil },
        details: @escaping @Sendable (AlarmChange) -> AlertDetails = { _ in AlertDetails() },
        link: @escaping @Sendable (Alarm?) -> String? = { _ in nil }
    ) {
        self.zone = zone
        self.details = details
        self.link = link
    }
}

/// How one lane stands, for `/health`, metrics and the dashboard.
public struct AlertLaneStatus: Sendable, Equatable {
    public var lane: String
    /// Steps that wait, held-back ones included.
    public var waiting: Int
    /// Of them, held back by quiet hours, rate limit or the wait for an acknowledgement.
    public var heldBack: Int
    /// Dead letters.
    public var dead = 0
    /// Failures in a row; 0 = the receiver takes messages.
    public var failures: Int
    public var lastError: String?
    public var lastDelivered: Timestamp?
    /// When the next attempt may come, where the whole channel rests.
    public var restsUntil: Timestamp?
}
