internal import CKafka
internal import Synchronization
internal import TocsinCore

/// The fate of records that were sent together.
public final class KafkaDelivery: Sendable {
    private struct State {
        /// Records without an answer, and one for whoever is still sending.
        var open = 1
        var failure: KafkaFailure?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let place: String
    private let secrets: KafkaSecrets
    private let onAnswers: @Sendable (Int) -> Void

    init(place: String, secrets: KafkaSecrets, onAnswers: @escaping @Sendable (Int) -> Void) {
        self.place = place
        self.secrets = secrets
        self.onAnswers = onAnswers
    }

    /// Returns when the brokers have all records safe.
    /// - Throws: the first failure; `isRetriable` says whether sending again can help. Others may have arrived.
    public func wait() async throws {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                guard state.open > 0 else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure.error(place: place, secrets: secrets) }
    }

    func sent(_ count: Int) { state.withLock { $0.open += count } }

    /// Answers for records, or the end of sending.
    func answered(_ count: Int, _ failure: KafkaFailure?) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.open -= count
            if let failure, state.failure == nil { state.failure = failure }
            guard state.open == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// What a record carries through the library and back: one reference each.
    func reference() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static func answer(_ opaque: UnsafeMutableRawPointer, _ code: Int32) {
        let delivery = Unmanaged<KafkaDelivery>.fromOpaque(opaque).takeRetainedValue()
        delivery.onAnswers(1)
        delivery.answered(1, code == 0 ? nil : KafkaFailure(code))
    }
}
