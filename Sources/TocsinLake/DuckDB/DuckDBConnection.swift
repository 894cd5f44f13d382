import CDuckDB
import Dispatch
import Synchronization
import TocsinCore

/// A connection to a database: calls block the caller's thread; `run` moves them to a queue of the connection's own.
///
/// One query at a time: starting another ends a result that was not read to its end.
/// `@unchecked Sendable`: the handle is set once, DuckDB serialises calls on one connection by a lock of its own, and
/// `interrupt` and `progress` may be called from any thread; what is ours is behind locks or atomic.
public final class DuckDBConnection: @unchecked Sendable {
    private var handle: tdk_connection?
    public let database: DuckDB
    private let queue: BlockingQueue
    private let isCancelled = Atomic<Bool>(false)

    init(_ handle: tdk_connection, database: DuckDB, isPatient: Bool) throws {
        self.handle = handle
        queue = isPatient ? .patient("duckdb.connection") : BlockingQueue("duckdb.connection")
        self.database = database
        // Progress is only counted when its bar is on; nothing is printed.
        try execute(
            "SET enable_progress_bar_print = false; SET enable_progress_bar = true; SET progress_bar_time = 1")
    }

    deinit { tdk_disconnect(&handle) }

    /// Runs one or more statements; parameters (`?`, `$1`) are for a single one.
    /// - Returns: rows written, changed or deleted by the last statement.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [DuckDBValue] = []) throws -> Int {
        let statements = try DuckDBStatements(sql, connection: self)
        var changed: UInt64 = 0
        for index in 0..<statements.count {
            let result = try statements.prepare(index, parameters: statements.count == 1 ? parameters : [])
                .start(isStreaming: false)
            changed = result.rowsChanged
        }
        return Int(clamping: changed)
    }

    /// Starts a query whose rows are made while they are read; of several statements the last one's result.
    public func query(_ sql: String, _ parameters: [DuckDBValue] = []) throws -> DuckDBResult {
        let statements = try DuckDBStatements(sql, connection: self)
        guard statements.count > 0 else { throw TocsinError(.lake, "There is no statement to run.", place: "query") }
        for index in 0..<(statements.count - 1) {
            _ = try statements.prepare(index, parameters: []).start(isStreaming: false)
        }
        return try statements.prepare(statements.count - 1, parameters: parameters).start(isStreaming: true)
    }

    /// The first row of a query; empty when there is none.
    public func firstRow(_ sql: String, _ parameters: [DuckDBValue] = []) throws -> [DuckDBValue] {
        let result = try query(sql, parameters)
        guard let chunk = try result.nextChunk() else { return [] }
        return result.columns.indices.map { chunk.value(column: $0, row: 0) }
    }

    /// All rows of a query: for small answers only.
    public func rows(_ sql: String, _ parameters: [DuckDBValue] = []) throws -> [[DuckDBValue]] {
        let result = try query(sql, parameters)
        var rows: [[DuckDBValue]] = []
        while let chunk = try result.nextChunk() {
            for row in 0..<chunk.rowCount {
                rows.append(result.columns.indices.map { chunk.value(column: $0, row: row) })
            }
        }
        return rows
    }

    /// What of the running query is done, 0...1; nil where none runs or DuckDB cannot tell. Any thread.
    public var progress: Double? {
        let percentage = tdk_query_progress(handle).percentage
        return percentage >= 0 ? min(percentage / 100, 1) : nil
    }

    /// Stops the query that runs now; it throws an error with code `interrupted`. Any thread.
    public func interrupt() { tdk_interrupt(handle) }

    /// Runs blocking work on the connection's own queue, in turn; cancelling the task interrupts its query.
    public func run<T: Sendable>(_ body: @escaping @Sendable (DuckDBConnection) throws -> T) async throws -> T {
        let call = DuckDBCall()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.async {
                    continuation.resume(
                        with: Result {
                            guard call.start(self) else { throw CancellationError() }
                            defer { call.finish(self) }
                            return try body(self)
                        })
                }
            }
        } onCancel: {
            call.cancel()
        }
    }

    /// - Throws: after cancellation, before any further statement begins.
    func checkCancelled() throws {
        if isCancelled.load(ordering: .acquiring) { throw TocsinError(.interrupted, "The query was stopped.") }
    }

    func setCancelled(_ flag: Bool) { isCancelled.store(flag, ordering: .releasing) }

    func withHandle<T>(_ body: (tdk_connection?) throws -> T) rethrows -> T { try body(handle) }

    /// An error of this connection; what a source of rows threw is its cause.
    func error(_ message: String, kind: Int32? = nil) -> TocsinError {
        var error = DuckDBError.error(message, kind: kind)
        if let cause = database.sources.takeFailure(in: message) {
            error.cause = cause
            error.isRetriable = (cause as? TocsinError)?.isRetriable ?? false
            if let cause = cause as? TocsinError { error = cause }
        }
        return error
    }
}

/// One call of `run`: knows whether it was cancelled before, during or after its work.
final class DuckDBCall: Sendable {
    private enum State {
        case waiting, cancelled, finished
        case running(DuckDBConnection)
    }
    private let state = Mutex(State.waiting)

    /// False where it was cancelled before its turn came.
    func start(_ connection: DuckDBConnection) -> Bool {
        state.withLock { state in
            if case .cancelled = state { return false }
            connection.setCancelled(false)
            state = .running(connection)
            return true
        }
    }

    func finish(_ connection: DuckDBConnection) {
        state.withLock { $0 = .finished }
        connection.setCancelled(false)
    }

    func cancel() {
        state.withLock { state in
            switch state {
            case .waiting: state = .cancelled
            case .running(let connection):
                connection.setCancelled(true)
                connection.interrupt()
                again()
            case .cancelled, .finished: break
            }
        }
    }

    /// An interrupt that falls between two statements is forgotten by DuckDB, so it is repeated until the work ends.
    private func again() {
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { [self] in
            state.withLock { state in
                guard case .running(let connection) = state else { return }
                connection.interrupt()
                again()
            }
        }
    }
}
