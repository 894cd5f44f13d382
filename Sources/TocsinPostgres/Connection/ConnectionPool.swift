internal import Dispatch
internal import Synchronization
internal import TocsinCore

/// A bounded number of sessions for reading, lent one at a time; who comes first is served first.
final class ConnectionPool: Sendable {
    private struct State {
        var idle: [PostgresSession] = []
        var made = 0
        var lent = 0
        var isClosed = false
        var nextWaiter: UInt64 = 0
        var waiters: [(id: UInt64, continuation: CheckedContinuation<PostgresSession, any Error>)] = []
        /// Waits until everything that was lent is back.
        var closer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let connector: PostgresConnector

    init(_ connector: PostgresConnector) { self.connector = connector }

    private var settings: PostgresSettings { connector.settings }

    func withSession<Result: Sendable>(
        _ body: (PostgresSession) async throws -> Result
    ) async throws -> Result {
        let session = try await acquire()
        do {
            let result = try await body(session)
            release(session)
            return result
        } catch {
            release(session)
            throw error
        }
    }

    private func acquire() async throws -> PostgresSession {
        try await withCheckedThrowingContinuation { continuation in
            let waiter: UInt64? = state.withLock { state in
                if state.isClosed {
                    continuation.resume(throwing: PostgresFailure.closed(settings.place))
                } else if let session = state.idle.popLast() {
                    state.lent += 1
                    continuation.resume(returning: session)
                } else if state.made < max(1, settings.poolSize) {
                    state.made += 1
                    state.lent += 1
                    continuation.resume(returning: PostgresSession(connector, isWriter: false))
                } else {
                    state.nextWaiter += 1
                    state.waiters.append((state.nextWaiter, continuation))
                    return state.nextWaiter
                }
                return nil
            }
            guard let waiter else { return }
            let patience = DispatchTimeInterval.nanoseconds(Int(clamping: settings.poolTimeout.nanoseconds))
            DispatchQueue.global().asyncAfter(deadline: .now() + patience) { [weak self] in self?.giveUp(waiter) }
        }
    }

    private func giveUp(_ waiter: UInt64) {
        let continuation = state.withLock { state in
            state.waiters.firstIndex { $0.id == waiter }.map { state.waiters.remove(at: $0).continuation }
        }
        continuation?.resume(
            throwing: TocsinError(
                .store,
                "all \(max(1, settings.poolSize)) connections for reading were busy for "
                    + "\(settings.poolTimeout.seconds) s", place: settings.place,
                remedy: "Ask for less at once, or raise the number of connections.", isRetriable: true))
    }

    private func release(_ session: PostgresSession) {
        let closer = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if !state.waiters.isEmpty {
                state.waiters.removeFirst().continuation.resume(returning: session)
                return nil
            }
            state.lent -= 1
            state.idle.append(session)
            guard state.isClosed, state.lent == 0 else { return nil }
            defer { state.closer = nil }
            return state.closer
        }
        closer?.resume()
    }

    /// Waits for queries that are running; those that wait for a connection fail.
    func close() async {
        await withCheckedContinuation { continuation in
            let (refused, isDone) = state.withLock { state in
                state.isClosed = true
                let waiters = state.waiters
                state.waiters = []
                if state.lent > 0, state.closer == nil { state.closer = continuation }
                return (waiters, state.lent == 0)
            }
            for waiter in refused { waiter.continuation.resume(throwing: PostgresFailure.closed(settings.place)) }
            if isDone { continuation.resume() }
        }
        for session in state.withLock({ $0.idle }) { await session.close() }
    }
}
