internal import Synchronization
internal import TocsinCore

/// Messages of one partition without gaps, on their way from the polling thread to the engine.
struct MessageRun: Sendable {
    var messages: MessageBatch
    /// Offset of the first message, and the one behind the last.
    var first: Int64
    var next: Int64

    var size: Size { Size(next: next, bytes: messages.bytes.count, messages: messages.count) }

    /// Some of the messages, as a run of its own.
    func part(_ range: Range<Int>) -> MessageRun {
        var part = MessageBatch()
        part.envelopes = messages.envelopes
        for index in range {
            let payload = messages.payloads[index].range
            messages.bytes.withUnsafeBytes { part.append(UnsafeRawBufferPointer(rebasing: $0[payload])) }
        }
        if !messages.envelopeOfMessage.isEmpty { part.envelopeOfMessage = Array(messages.envelopeOfMessage[range]) }
        if !messages.times.isEmpty { part.times = Array(messages.times[range]) }
        return MessageRun(
            messages: part, first: first + Int64(range.lowerBound), next: first + Int64(range.upperBound))
    }

    /// What is left of a run when its messages are the engine's.
    struct Size: Sendable {
        var next: Int64
        var runs = 1
        var bytes: Int
        var messages: Int
    }
}

/// One partition while this process reads it: what the polling thread and the task that delivers share.
final class PartitionLane: Sendable {
    let partition: TopicPartition
    let source: SourceID
    /// Of the ownership under which the batches are delivered; 0 where nobody else can take over.
    let generation: UInt64
    /// The first offset; below 0 where only the broker knows it.
    let start: Int64
    let runs: AsyncStream<MessageRun>
    private let input: AsyncStream<MessageRun>.Continuation
    private let state: Mutex<State>
    private let onDurable: @Sendable () -> Void

    struct State: Sendable {
        /// Given to the task and not taken by it yet.
        var queuedRuns = 0
        var pendingRuns = 0
        /// Of these the ones that the engine has not taken yet.
        var unhandedRuns = 0
        var pendingBytes = 0
        var pendingMessages = 0
        /// Behind the last message that the engine took, and the last that is durable.
        var delivered: Int64
        var durable: Int64
        /// What is queued is thrown away: the partition goes to somebody else.
        var isClosed = false
        var isFinished = false
        /// The partition has messages that are not here yet, or may have: its end is not known.
        var hasMore = true
        /// When (monotonic) it last got on, or could not because it was paused.
        var active = SystemClock.monotonicNanoseconds
        /// It gives nothing: the other partitions do not wait for it.
        var isLeftOut = false
    }

    init(
        _ partition: TopicPartition, source: SourceID, generation: UInt64, start: Int64,
        onDurable: @escaping @Sendable () -> Void
    ) {
        self.partition = partition
        self.source = source
        self.generation = generation
        self.start = start
        self.onDurable = onDurable
        (runs, input) = AsyncStream.makeStream()
        state = Mutex(State(delivered: start, durable: start))
    }

    var figures: State { state.withLock { $0 } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    // MARK: The polling thread's side

    func push(_ run: MessageRun) {
        state.withLock {
            if $0.unhandedRuns == 0 { $0.active = SystemClock.monotonicNanoseconds }
            $0.queuedRuns += 1
            $0.pendingRuns += 1
            $0.unhandedRuns += 1
            $0.pendingBytes += run.messages.bytes.count
            $0.pendingMessages += run.messages.count
        }
        input.yield(run)
    }

    /// Whether the broker has more; a lane that is paused cannot get on.
    func see(hasMore: Bool, isPaused: Bool) {
        state.withLock {
            $0.hasMore = hasMore
            if !hasMore, $0.unhandedRuns == 0 { $0.isLeftOut = false }
            if isPaused, $0.unhandedRuns == 0 { $0.active = SystemClock.monotonicNanoseconds }
        }
    }

    func see(isLeftOut: Bool) { state.withLock { $0.isLeftOut = isLeftOut } }

    /// No more comes; what the engine has not taken yet is dropped.
    func close() {
        state.withLock { $0.isClosed = true }
        input.finish()
    }

    // MARK: The delivering task's side

    /// False: the run is to be dropped.
    func take(_ run: MessageRun) -> Bool {
        state.withLock {
            $0.queuedRuns -= 1
            $0.active = SystemClock.monotonicNanoseconds
            return !$0.isClosed
        }
    }

    /// - Parameter runs: how many are the engine's wholly with that.
    func delivered(_ size: MessageRun.Size) {
        state.withLock {
            $0.delivered = max($0.delivered, size.next)
            $0.unhandedRuns -= size.runs
            $0.active = SystemClock.monotonicNanoseconds
        }
    }

    /// It gets on: whoever waits for it waits for good reason.
    func wasActive() { state.withLock { $0.active = SystemClock.monotonicNanoseconds } }

    func durable(_ run: MessageRun.Size) {
        state.withLock {
            $0.durable = max($0.durable, run.next)
            $0.pendingRuns -= run.runs
            $0.pendingBytes -= run.bytes
            $0.pendingMessages -= run.messages
        }
        onDurable()
    }

    /// The partition goes on elsewhere: only while nothing is pending.
    func move(to offset: Int64) {
        state.withLock {
            $0.delivered = offset
            $0.durable = offset
        }
    }

    func finished() {
        state.withLock { $0.isFinished = true }
        onDurable()
    }

    /// False where it took longer than `timeout`, or the task was cancelled.
    func waitUntilFinished(timeout: Span64) async -> Bool {
        let deadline = SystemClock.monotonicNanoseconds &+ timeout.nanoseconds
        while !figures.isFinished {
            guard !Task.isCancelled, SystemClock.monotonicNanoseconds < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }
}
