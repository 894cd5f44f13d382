/// Where readings are sent: a broker, a server, a file.
///
/// Chunks arrive in the order of the calls of `send`. Nothing that is sent is given up while the receiver is away: `send`
/// and the receipts wait, and `trouble` says for what.
public protocol ReadingSink: Sendable {
    /// For people; without secrets.
    var name: String { get }
    /// What it wants to be given.
    var wants: SinkWants { get }
    /// What keeps the receiver from taking more; nil = all is well.
    var trouble: String? { get }
    /// Returns when the chunk is taken, and suspends while too much is under way.
    /// - Throws: `TocsinError` when the receiver refuses for good; `SinkEnd` when there is nobody to send to any more.
    func send(_ chunk: ReadingChunk) async throws -> any SendReceipt
    /// Returns when nothing is left that `send` has taken.
    func finish() async throws
    /// Ends, also while the receiver is away: what it does not have by then fails.
    func close() async
}

/// What a sink does with a chunk.
public struct SinkWants: Sendable {
    /// Messages one by one with their sensors, each an object of its own; else lines or rows as they are.
    public var messages: Bool
    /// Messages of a chunk, at most.
    public var chunkMessages: Int

    public init(messages: Bool, chunkMessages: Int) {
        self.messages = messages
        self.chunkMessages = max(1, chunkMessages)
    }
}

/// What travels back for a chunk.
public protocol SendReceipt: Sendable {
    /// Returns when the receiver has the chunk safe.
    func wait() async throws
}

/// For a receiver that has had the chunk safe when `send` returned.
public struct SentReceipt: SendReceipt {
    public init() {}
    public func wait() async throws {}
}

/// The reader at the other end of a pipe has gone: the end, not an error.
public struct SinkEnd: Error {
    public init() {}
}
