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

/// Someone who is told of alarm changes after they are durable. Must return at once: it queues, it does not send.
public protocol AlarmListener: Sendable {
    /// - Parameter sequence: of the batch that caused them, in the spool; 0 without one.
    func tell(_ changes: [AlarmChange], sequence: UInt64)

    /// Everything up to this batch has been told by an earlier process: it is not told again when its batches are
    /// worked through once more after a crash.
    var toldThrough: UInt64 { get }
}
