internal import Synchronization

/// How far a sending is.
public struct SendProgress: Sendable {
    /// Messages handed to the sink.
    public var sent = 0
    /// Of these, the first so many are safe at the receiver.
    public var confirmed = 0
    public var bytes: Int64 = 0
    public var seconds = 0.0
    /// What keeps the receiver from taking more.
    public var trouble: String?

    public init() {}

    /// Safe messages per second of the whole run.
    public var rate: Double { seconds > 0 ? Double(confirmed) / seconds : 0 }
}

/// What became of a sending.
public struct SendSummary: Sendable {
    public var progress: SendProgress
    /// Ended by a signal.
    public var isInterrupted: Bool
    public var sink: String
}

/// The figures behind it.
final class SendTally: Sendable {
    private let sent = Atomic<Int>(0)
    private let confirmed = Atomic<Int>(0)
    private let bytes = Atomic<Int64>(0)
    private let begun = ContinuousClock.now

    func addSent(_ count: Int, bytes length: Int) {
        sent.add(count, ordering: .relaxed)
        bytes.add(Int64(length), ordering: .relaxed)
    }

    func addConfirmed(_ count: Int) { confirmed.add(count, ordering: .relaxed) }

    func progress(trouble: String? = nil) -> SendProgress {
        var progress = SendProgress()
        progress.confirmed = confirmed.load(ordering: .relaxed)
        progress.sent = sent.load(ordering: .relaxed)
        progress.bytes = bytes.load(ordering: .relaxed)
        let elapsed = (ContinuousClock.now - begun).components
        progress.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        progress.trouble = trouble
        return progress
    }
}
