internal import Dispatch
internal import TocsinCore

/// The place of one connection: a queue of its own for blocking calls, and the connection as long as it is good.
// Unchecked: `connection` is touched on `queue` only.
final class PostgresSession: @unchecked Sendable {
    private let queue: DispatchQueue
    private let connector: PostgresConnector
    private let isWriter: Bool
    private var connection: PostgresConnection?

    init(_ connector: PostgresConnector, isWriter: Bool) {
        self.connector = connector
        self.isWriter = isWriter
        queue = DispatchQueue(label: isWriter ? "tocsin.postgres.writer" : "tocsin.postgres.reader")
    }

    /// Runs `body` on the session's queue, connected. A transaction that it leaves open is rolled back.
    ///
    /// Must be idempotent: when a connection that had been idle turns out to be gone (the server was started anew),
    /// `body` runs once more on a new one.
    /// - Throws: `TocsinError`.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: Swift.Result { try attempt(body) }.mapError { $0 as any Error })
            }
        }
    }

    private func attempt<Result>(_ body: (PostgresConnection) throws -> Result) throws(TocsinError) -> Result {
        let wasIdle = connection?.isUsable == true
        do {
            return try once(body)
        } catch {
            guard wasIdle, connection == nil, Self.isLoss(error) else { throw connector.translate(error) }
        }
        do { return try once(body) } catch { throw connector.translate(error) }
    }

    private func once<Result>(_ body: (PostgresConnection) throws -> Result) throws -> Result {
        let connection = try usable()
        do {
            let result = try body(connection)
            tidy(connection)
            return result
        } catch {
            tidy(connection)
            throw error
        }
    }

    private func usable() throws -> PostgresConnection {
        if let connection, connection.isUsable { return connection }
        connection = nil
        let fresh = try connector.connect(isWriter: isWriter)
        connection = fresh
        return fresh
    }

    private func tidy(_ connection: PostgresConnection) {
        if connection.isUsable, !connection.isIdle { try? connection.execute("ROLLBACK") }
        if !connection.isUsable || !connection.isIdle { self.connection = nil }
    }

    private static func isLoss(_ error: any Error) -> Bool {
        guard let failure = error as? ServerFailure else { return false }
        guard let state = failure.state else { return true }
        // The server says goodbye when it is stopped in an orderly way, and when it is no primary any more.
        return state.hasPrefix("57P") || state.hasPrefix("08") || state == "25006"
    }

    /// Ends the connection after what is running.
    func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                connection = nil
                continuation.resume()
            }
        }
    }
}
