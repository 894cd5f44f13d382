/// What became of the alarm changes that one alert channel was given.
public struct AlertCounts: Sendable, Equatable {
    public var channel: String
    public var delivered = 0
    /// Given up after all retries, or because the queue was full.
    public var failed = 0
    /// Held back by the cooldown.
    public var suppressed = 0

    public init(channel: String) { self.channel = channel }
}

/// The place of one alarm change in the stream: the same in a process that works through the spool again.
public struct AlarmMark: Sendable, Hashable, Comparable {
    /// Of the input that caused the change, in the spool; 0 without one.
    public var sequence: UInt64
    /// Among the changes of that input, from 0.
    public var change: UInt32

    public init(sequence: UInt64, change: UInt32) {
        self.sequence = sequence
        self.change = change
    }

    /// Before every change.
    public static let none = AlarmMark(sequence: 0, change: 0)

    public static func < (left: Self, right: Self) -> Bool {
        (left.sequence, left.change) < (right.sequence, right.change)
    }

    /// The mark of a change further on of the same input.
    public func advanced(by changes: Int) -> AlarmMark {
        AlarmMark(sequence: sequence, change: change &+ UInt32(truncatingIfNeeded: changes))
    }

    /// Stands before this one and after every other that does.
    public var predecessor: AlarmMark {
        if change > 0 { return AlarmMark(sequence: sequence, change: change - 1) }
        return sequence > 0 ? AlarmMark(sequence: sequence - 1, change: .max) : .none
    }
}

/// Someone who is told of alarm changes after they are durable. Must return at once: it queues, it does not send.
public protocol AlarmListener: Sendable {
    /// - Parameter first: the place of the first of them.
    func tell(_ changes: [AlarmChange], from first: AlarmMark)

    /// Everything up to here has been told by an earlier process: it is not told again when the input is worked through
    /// once more after a crash.
    var toldThrough: AlarmMark { get }

    /// Forces what was told to disk: asked before a checkpoint covers it, because afterwards nobody tells it again.
    /// - Returns: false where that cannot be done now; then there is no checkpoint, and the input stays in the spool.
    func keep() async -> Bool
}
