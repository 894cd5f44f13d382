internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

/// What became of one batch: fulfilled once, awaited any number of times.
final class Receipt: DeliveryReceipt {
    private typealias Waiter = CheckedContinuation<DeliverySummary, any Error>

    private struct State {
        var result: Result<DeliverySummary, any Error>?
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    var isFulfilled: Bool { state.withLock { $0.result != nil } }

    /// Ends early, with `CancellationError`, when the waiting task is cancelled; the batch goes on all the same.
    func wait() async throws -> DeliverySummary {
        let token = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<DeliverySummary, any Error>? = state.withLock { state in
                    if let result = state.result { return result }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[token] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: token) }
            waiter?.resume(throwing: CancellationError())
        }
    }

    func fulfil(_ result: Result<DeliverySummary, any Error>) {
        let waiters = state.withLock { state in
            guard state.result == nil else { return [Waiter]() }
            state.result = result
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }
}

/// The acknowledgement of a batch in the spool: it is durable as soon as the spool says so. What became of its
/// readings is told when that is known soon.
struct SpooledReceipt: DeliveryReceipt {
    let spool: Spool
    let sequence: UInt64
    let receipt: Receipt

    func wait() async throws -> DeliverySummary {
        try await spool.durable(sequence)
        return try await receipt.wait()
    }

    func durable() async throws { try await spool.durable(sequence) }
}

/// Lets receipts go whose batches are in the spool but are not stored soon: under load the acknowledgement does not
/// wait for the store, and not at all for one that is away.
final class ReceiptTimer: Sendable {
    private struct Entry {
        var deadline: ContinuousClock.Instant
        var receipt: Receipt
        /// What can be said before the batch is judged.
        var summary: DeliverySummary
    }

    private struct State {
        var entries: [Entry] = []
        var first = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    /// Those who post one at a time are told what became of their readings, and find them stored.
    private static let patience = Duration.milliseconds(250)
    private static let patienceUnderLoad = Duration.milliseconds(20)
    /// More receipts than this that wait at once are load.
    private static let fewWaiting = 4
    private static let resolution = Duration.milliseconds(5)

    func add(_ receipt: Receipt, _ summary: DeliverySummary) {
        let waiter = state.withLock { state in
            while state.first < state.entries.count, state.entries[state.first].receipt.isFulfilled { state.first += 1 }
            let isLoad = state.entries.count - state.first > Self.fewWaiting
            let deadline = ContinuousClock.now + (isLoad ? Self.patienceUnderLoad : Self.patience)
            state.entries.append(Entry(deadline: deadline, receipt: receipt, summary: summary))
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Runs until its task is cancelled; then all are let go.
    func run() async {
        while !Task.isCancelled {
            await waitForEntries()
            try? await Task.sleep(for: Self.resolution)
            release(before: Task.isCancelled ? nil : .now)
        }
        release(before: nil)
    }

    private func waitForEntries() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    if Task.isCancelled || state.first < state.entries.count { return true }
                    state.waiter = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    private func release(before limit: ContinuousClock.Instant?) {
        let due = state.withLock { state in
            var due: [Entry] = []
            while state.first < state.entries.count {
                let entry = state.entries[state.first]
                // Those behind may have less patience, and wait at most as long as this one.
                if let limit, entry.deadline > limit, !entry.receipt.isFulfilled { break }
                due.append(entry)
                state.first += 1
            }
            if state.first > 4096 || state.first == state.entries.count {
                state.entries.removeFirst(state.first)
                state.first = 0
            }
            return due
        }
        for entry in due { entry.receipt.fulfil(.success(entry.summary)) }
    }
}
