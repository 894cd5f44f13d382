internal import Synchronization
internal import TocsinCore

/// The acknowledgement of one batch: fulfilled once, by the writer; awaited by the source, any number of times.
final class Receipt: DeliveryReceipt {
    private typealias Waiter = CheckedContinuation<DeliverySummary, any Error>

    private struct State {
        var result: Result<DeliverySummary, any Error>?
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

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
