public import TocsinCore
public import TocsinSpool

/// Where the engine keeps what must survive its process, and how often it saves its state.
public struct EngineDurability: Sendable {
    public var spool: Spool
    public var checkpoints: CheckpointFolder
    /// Between two checkpoints, at least; longer where writing one takes more than a tenth of it.
    public var interval: Span64
    /// Decodes a batch again whose ids have lost their names, because the record that held these is damaged.
    public var decodeAgain: @Sendable (RawInput) -> Batch?
    /// What the spool held when it was opened ends here.
    public let lastFound: UInt64
    /// What the spool may hold. A checkpoint is made early when a quarter of that has come in since the last one, or
    /// three quarters are full; older checkpoints are given up, with the input they need, where more than half is full.
    public var spoolBytes: Int

    public init(
        spool: Spool, checkpoints: CheckpointFolder, interval: Span64 = .seconds(30), spoolBytes: Int = 4 << 30,
        decodeAgain: @escaping @Sendable (RawInput) -> Batch? = { _ in nil }
    ) {
        lastFound = spool.figures.nextSequence - 1
        self.decodeAgain = decodeAgain
        self.spool = spool
        self.checkpoints = checkpoints
        self.interval = interval
        self.spoolBytes = spoolBytes
    }
}

/// Something of checkpoints and recovery that a person may want to know.
public struct EngineNote: Sendable {
    public var isProblem: Bool
    /// One sentence.
    public var text: String

    public init(_ text: String, isProblem: Bool = false) {
        self.text = text
        self.isProblem = isProblem
    }
}

/// Bytes of one part of the state.
public struct EngineMemory: Sendable {
    public var part: String
    public var bytes: Int

    public init(part: String, bytes: Int) {
        self.part = part
        self.bytes = bytes
    }
}
