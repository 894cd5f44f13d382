public import TocsinCore

/// When the lake's writer makes files, and what of them.
public struct LakeWriterSettings: Sendable {
    /// A roll is made when its messages have so many bytes, or bytes of columns where payloads are left out; at most 1 GiB …
    public var rollBytes = 64 << 20
    /// … or when there are so many of them …
    public var rollEvents = 2_000_000
    /// … or so that the oldest is in the lake within this time.
    public var rollAge = Span64.seconds(60)
    /// Whether the bytes of each message are kept as received.
    public var keepsPayload = true
    /// Files that are written at the same time, each on a thread of its own.
    public var threads = 2
    /// How often the spool is looked at when it held nothing new.
    public var pollInterval = Span64.milliseconds(250)
    /// Waits after a failure: doubled from the first to the longest.
    public var firstRetryDelay = Span64.milliseconds(500)
    public var longestRetryDelay = Span64.seconds(30)

    public init() {}
}

/// What a person, or a test, is told of the lake's writer.
public struct LakeObserver: Sendable {
    /// Once for each thing that somebody may want to know.
    public var tell: @Sendable (LakeNote) -> Void
    /// After each step behind which a crash leaves something to be taken up. What it throws ends the step there, as a
    /// crash would.
    public var onStep: @Sendable (LakeRollStep) throws -> Void

    public init(
        tell: @escaping @Sendable (LakeNote) -> Void = { _ in },
        onStep: @escaping @Sendable (LakeRollStep) throws -> Void = { _ in }
    ) {
        self.tell = tell
        self.onStep = onStep
    }
}

/// Something of the lake that a person may want to know.
public struct LakeNote: Sendable, Equatable {
    public var isProblem: Bool
    /// One sentence.
    public var text: String

    public init(_ text: String, isProblem: Bool = false) {
        self.text = text
        self.isProblem = isProblem
    }
}

/// How far a roll has come on disk.
public enum LakeRollStep: Sendable, Hashable {
    /// The intent to make it.
    case intended
    /// File number `index` stands complete in the staging folder.
    case staged(Int)
    /// File number `index` is in its place, or in the queue.
    case placed(Int)
    /// The position is behind it.
    case positioned
    /// The intent is gone.
    case finished
}
