public import TocsinCore

/// One way to reach people or machines. A small value: all pacing, order and repetition is the lane's.
public protocol AlertChannel: Sendable {
    /// As in the configuration and the log.
    var name: String { get }
    /// What it can do.
    var traits: AlertChannelTraits { get }
    /// Tells it, once. The same message again carries the same key.
    func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer
}

/// What the lane must know of a kind of channel.
public struct AlertChannelTraits: Sendable {
    /// Whether many messages may be told as one list. Machines (pagers, topics) get every message by itself, later.
    public var takesDigests: Bool
    /// Steps it is told of, unless the configuration says otherwise; other steps are passed over. `*` means all,
    /// `-updated` all but that one.
    public var steps: Set<String>
    /// How often all alarms that are open must be said again; nil = never.
    public var refresh: Duration?

    public init(takesDigests: Bool, steps: Set<String> = Self.usualSteps, refresh: Duration? = nil) {
        self.takesDigests = takesDigests
        self.steps = steps
        self.refresh = refresh
    }

    public static let usualSteps: Set<String> = [
        "raised", "reopened", "escalated", "cleared", "unshelved", "in_service",
    ]
    /// For receivers that keep a state of their own.
    public static let lifeCycleSteps: Set<String> = usualSteps.union(["acknowledged"])
}

/// What a receiver said to a message that it took.
public struct AlertAnswer: Sendable, Equatable {
    /// HTTP or SMTP; nil where there is none.
    public var status: Int?
    public var text: String

    public init(status: Int? = nil, text: String = "") {
        self.status = status
        self.text = text
    }
}

/// Why a message was not taken; `error.isRetriable` says whether trying again can help.
public struct AlertFailure: Error, Sendable, CustomStringConvertible {
    public var error: TocsinError
    public var status: Int?
    /// The receiver's own wish, which counts for the whole channel.
    public var retryAfter: Duration?

    public init(_ error: TocsinError, status: Int? = nil, retryAfter: Duration? = nil) {
        self.error = error
        self.status = status
        self.retryAfter = retryAfter
    }

    public var description: String { error.description }
}
