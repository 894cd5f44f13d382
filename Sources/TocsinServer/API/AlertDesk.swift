public import TocsinCore

/// What the API shows of the alerts on their way, and what people do with them and with the program's own alarms.
public protocol AlertDesk: Sendable {
    /// By channel, since the start.
    var counts: [AlertCounts] { get }
    var channels: [AlertChannelRecord] { get }
    /// What was given up, oldest first.
    var dead: [DeadAlertRecord] { get }

    /// Sends dead letters again; nil = whatever their number, of every channel.
    /// - Returns: how many.
    func resend(_ numbers: Set<UInt64>?, channel: String?) -> Int
    /// Throws dead letters away; nil = whatever their number, of every channel.
    /// - Returns: how many.
    func discard(_ numbers: Set<UInt64>?, channel: String?) -> Int

    /// A person is about to do this: messages of it say who, and what they wrote.
    func note(_ action: AlarmAction)

    /// What a person does with an alarm of kind `system`, which the engine knows nothing of. Durable on return.
    /// - Throws: when the store does not take it.
    func take(_ action: AlarmAction, on alarm: Alarm) async throws
}

/// How a channel, or an escalation to it, stands.
public struct AlertChannelRecord: Sendable {
    public var name: String
    public var waiting: Int
    /// Of them, held back by quiet hours, rate limit, or the wait for an acknowledgement.
    public var heldBack: Int
    public var dead: Int
    /// In a row; 0 = the receiver takes messages.
    public var failures: Int
    public var lastError: String?
    public var lastDelivered: Timestamp?
    /// Before that no attempt is made.
    public var restsUntil: Timestamp?

    public init(
        name: String, waiting: Int, heldBack: Int, dead: Int, failures: Int, lastError: String?,
        lastDelivered: Timestamp?, restsUntil: Timestamp?
    ) {
        self.name = name
        self.waiting = waiting
        self.heldBack = heldBack
        self.dead = dead
        self.failures = failures
        self.lastError = lastError
        self.lastDelivered = lastDelivered
        self.restsUntil = restsUntil
    }
}

/// A step of an alarm that a channel was not told of in the end.
public struct DeadAlertRecord: Sendable {
    /// Its number in the outbox; the same step has the same number in every channel.
    public var number: UInt64
    public var channel: String
    public var change: AlarmChange
    public var recorded: Timestamp
    public var givenUp: Timestamp
    public var attempts: Int
    public var reason: String

    public init(
        number: UInt64, channel: String, change: AlarmChange, recorded: Timestamp, givenUp: Timestamp, attempts: Int,
        reason: String
    ) {
        self.number = number
        self.channel = channel
        self.change = change
        self.recorded = recorded
        self.givenUp = givenUp
        self.attempts = attempts
        self.reason = reason
    }
}
