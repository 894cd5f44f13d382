public import TocsinCore

/// One alarm change in the outbox.
public struct AlertItem: Sendable {
    /// Rises by one; never used again.
    public var number: UInt64
    public var change: AlarmChange
    public var recorded: Timestamp
    /// A person wants a dead letter sent again: no rule of the channel counts.
    public var isAgain: Bool

    public init(number: UInt64, change: AlarmChange, recorded: Timestamp, isAgain: Bool = false) {
        self.number = number
        self.change = change
        self.recorded = recorded
        self.isAgain = isAgain
    }
}

/// What became of an item in one lane.
public enum AlertSettlement: Sendable, Equatable {
    case told
    /// Not meant for this lane, or held back by a rule.
    case passedOver
    /// Given up, with the last error's words.
    case dead(reason: String, attempts: Int, time: Timestamp)
}

/// A dead letter: kept until someone sends it again or throws it away.
public struct DeadAlert: Sendable {
    public var lane: String
    public var item: AlertItem
    public var reason: String
    public var attempts: Int
    public var time: Timestamp

    public init(lane: String, item: AlertItem, reason: String, attempts: Int, time: Timestamp) {
        self.lane = lane
        self.item = item
        self.reason = reason
        self.attempts = attempts
        self.time = time
    }
}

/// Where alarm changes wait until every lane has told them or given them up. Returns at once; what it took is there again
/// after the process has been killed.
public protocol AlertOutbox: Sendable {
    /// Whether waiting items outlive the process.
    var isDurable: Bool { get }
    /// The last of the engine's changes that was put, by any process.
    var lastMark: AlarmMark { get }
    /// Lanes that are new get what is put from now on; what waited for one that is gone becomes a dead letter.
    /// - Returns: how many did.
    func open(lanes: [String]) -> Int
    /// - Parameter mark: the place of the first change in the engine's stream; nil for changes from elsewhere.
    func put(_ changes: [AlarmChange], mark: AlarmMark?, now: Timestamp) -> [AlertItem]
    func settle(_ numbers: [UInt64], in lane: String, as settlement: AlertSettlement)
    /// In order.
    func waiting(in lane: String) -> [AlertItem]
    /// Alarms that this lane has told and not yet told as cleared.
    func openAlarms(in lane: String) -> [Alarm]
    /// Oldest first.
    var dead: [DeadAlert] { get }
    /// By lane, without those that have none.
    var deadCounts: [String: Int] { get }
    /// Makes dead letters wait again, under new numbers and with a time of their own; nil = all of this lane.
    func requeue(_ numbers: Set<UInt64>?, in lane: String, now: Timestamp) -> [AlertItem]
    /// Forces everything that was put to disk.
    /// - Throws: `TocsinError(.file)` where that cannot be done now.
    func keep() async throws(TocsinError)
    /// Throws dead letters away; nil = all of this lane.
    func discard(_ numbers: Set<UInt64>?, in lane: String) -> Int
}
