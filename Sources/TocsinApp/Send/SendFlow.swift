#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinConnectors
internal import UnixSignals

/// Sends chunks while earlier ones are still under way, and counts in order which are safe.
///
/// The first SIGTERM or SIGINT ends the making of messages; what was sent gets some time to arrive. The second ends the
/// process.
struct SendFlow: Sendable {
    let sink: any ReadingSink
    /// False in tests, whose process is not to be ended.
    var obeysSignals = true
    var progress: (@Sendable (SendProgress) -> Void)?
    private static let grace = Duration.seconds(10)
    private static let reportInterval = Duration.milliseconds(200)

    init(sink: any ReadingSink, obeysSignals: Bool, progress: (@Sendable (SendProgress) -> Void)?) {
        self.sink = sink
        self.obeysSignals = obeysSignals
        self.progress = progress
    }

    struct Pending: Sendable {
        let receipt: any SendReceipt
        let count: Int
    }

    private enum Step {
        case produced((any Error)?)
        case confirmed((any Error)?)
        case interrupted
        case other
    }

    /// - Parameter produce: sends by the outlet until it has no more; cancelled when it is to end.
    /// - Throws: what `produce` or the sink throws, when all that was sent before is safe or has failed.
    func run(_ produce: @escaping @Sendable (SendOutlet) async throws -> Void) async throws -> SendSummary {
        let tally = SendTally()
        let (stream, continuation) = AsyncStream.makeStream(of: Pending.self)
        let outlet = SendOutlet(sink: sink, tally: tally, receipts: continuation)
        // Of its own, so that it alone can be ended; the group awaits it.
        let producing = Task { try await produce(outlet) }
        var isInterrupted = false
        var failure: (any Error)?
        await withTaskGroup(of: Step.self) { group in
            group.addTask {
                defer { continuation.finish() }
                return await withTaskCancellationHandler {
                    do {
                        try await producing.value
                        return .produced(nil)
                    } catch { return .produced(error) }
                } onCancel: {
                    producing.cancel()
                }
            }
            group.addTask { .confirmed(await confirm(stream, tally)) }
            if obeysSignals {
                let (signals, signalled) = AsyncStream.makeStream(of: Void.self)
                group.addTask { await obeySignals { signalled.yield() } }
                group.addTask {
                    for await _ in signals { return .interrupted }
                    return .other
                }
            }
            if let progress { group.addTask { await report(tally, to: progress) } }
            for await step in group {
                switch step {
                case .produced(let error):
                    // Told to end, it ends: what the receiver said last keeps nobody.
                    if !isInterrupted, let error, !(error is SinkEnd) { failure = error }
                case .interrupted:
                    isInterrupted = true
                    producing.cancel()
                    group.addTask { await abandon() }
                case .confirmed(let error):
                    // A sending that was broken off leaves things that never arrive.
                    if !isInterrupted, let error { failure = error }
                    producing.cancel()
                    if error != nil { await sink.close() }
                    group.cancelAll()
                case .other: break
                }
            }
        }
        await sink.close()
        let summary = SendSummary(progress: tally.progress(), isInterrupted: isInterrupted, sink: sink.name)
        if let failure { throw SendFailure(cause: failure, summary: summary) }
        try Task.checkCancellation()
        return summary
    }

    private func confirm(_ receipts: AsyncStream<Pending>, _ tally: SendTally) async -> (any Error)? {
        do {
            for await pending in receipts {
                try await pending.receipt.wait()
                tally.addConfirmed(pending.count)
            }
            try await sink.finish()
            return nil
        } catch { return error }
    }

    private func report(_ tally: SendTally, to progress: @Sendable (SendProgress) -> Void) async -> Step {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.reportInterval)
            progress(tally.progress(trouble: sink.trouble))
        }
        return .other
    }

    private func abandon() async -> Step {
        try? await Task.sleep(for: Self.grace)
        if !Task.isCancelled { await sink.close() }
        return .other
    }

    private func obeySignals(first: @Sendable () -> Void) async -> Step {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            count += 1
            if count > 1 { _exit(130) }
            first()
        }
        return .other
    }
}

/// Where a producer of messages puts them.
struct SendOutlet: Sendable {
    let sink: any ReadingSink
    let tally: SendTally
    let receipts: AsyncStream<SendFlow.Pending>.Continuation

    /// Returns when the sink has taken the chunk. A chunk is not broken off in its midst when the task is cancelled, or
    /// what was sent could not be told from what was not; a sink that is closed lets go of it.
    func send(_ chunk: ReadingChunk) async throws {
        guard chunk.count > 0 else { return }
        try Task.checkCancellation()
        let receipt = try await Task { [sink] in try await sink.send(chunk) }.value
        tally.addSent(chunk.count, bytes: chunk.textLength)
        receipts.yield(SendFlow.Pending(receipt: receipt, count: chunk.count))
    }
}

/// A sending that ended early, and how far it had come.
public struct SendFailure: Error, CustomStringConvertible {
    public var cause: any Error
    public var summary: SendSummary

    public var description: String { "\(cause)" }
}
