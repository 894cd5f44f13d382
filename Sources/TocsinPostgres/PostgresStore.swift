internal import Synchronization
public import TocsinCore

/// The store of many machines: a PostgreSQL server, durable at every commit.
///
/// ```swift
/// let store = PostgresStore(settings: PostgresSettings(host: "db", database: "plant"), table: table)
/// try await store.prepare()
/// try await store.write([outcome])
/// ```
/// Any number of processes may write and read at once. Nothing is connected before the first call, so that a program can
/// start while the server is away; the tables are made, and brought up to date, by whoever comes first. Blocking calls
/// run on threads of their own, never on Swift's cooperative pool.
public final class PostgresStore: Store {
    let settings: PostgresSettings
    let windows: [WindowDefinition]
    public var keepsRawInput: Bool { storesEvents && storesPayloads }

    private let storesEvents: Bool
    private let storesPayloads: Bool
    private let isReadOnly: Bool
    private let pool: ConnectionPool
    private let writing: PostgresSession
    private let upkeep: PostgresSession
    private let writer: WriterBox
    private let isReady = Atomic(false)
    private let isClosed = Atomic(false)

    // Unchecked: the writer is touched on the writing session's queue only.
    private struct WriterBox: @unchecked Sendable { let writer: PostgresWriter }

    /// - Parameters:
    ///   - storesEvents: false leaves the events themselves out; everything else is still kept.
    ///   - storesPayloads: false leaves out the message as received, which is about half of an event's bytes.
    ///   - windows: the configured windows; `WindowBatch.definition` counts into them.
    ///   - isReadOnly: for queries only; every change throws, and an older schema is refused instead of changed.
    public init(
        settings: PostgresSettings, table: SeriesTable, storesEvents: Bool = true, storesPayloads: Bool = true,
        windows: [WindowDefinition] = [.oneMinute, .fiveMinutes], isReadOnly: Bool = false
    ) {
        self.settings = settings
        self.windows = windows
        self.storesEvents = storesEvents
        self.storesPayloads = storesPayloads
        self.isReadOnly = isReadOnly
        let connector = PostgresConnector(settings)
        pool = ConnectionPool(connector)
        writing = PostgresSession(connector, isWriter: true)
        upkeep = PostgresSession(connector, isWriter: true)
        writer = WriterBox(
            writer: PostgresWriter(
                table: table, storesEvents: storesEvents, storesPayloads: storesPayloads, definitions: windows,
                schema: settings.schema))
    }

    /// Where the server is, for messages; without any password.
    public var place: String { settings.place }

    /// Connects, and makes the tables or brings them up to date. Otherwise the first call does so.
    /// - Throws: `TocsinError`, retriable where the server is away; not where its tables are of a newer version, another
    ///   program's, or the client library is missing.
    public func prepare() async throws {
        try checkOpen()
        guard !isReady.load(ordering: .acquiring) else { return }
        if isReadOnly {
            try await pool.withSession { session in
                try await session.run { _ = try PostgresSchema.inspect($0, isReadOnly: true) }
            }
        } else {
            try await writing.run { [settings] in try PostgresSchema.migrate($0, schema: settings.schema) }
        }
        isReady.store(true, ordering: .releasing)
    }

    // MARK: Access

    /// Runs `body` on the writing connection. It is not cancelled with its task: what was begun becomes durable.
    func change<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Result
    ) async throws -> Result {
        try checkOpen()
        guard !isReadOnly else { throw PostgresFailure.readOnly(place) }
        try await prepare()
        return try await writing.run { connection in
            try LockHolder.naming(connection) { try body(connection) }
        }
    }

    /// Runs `body` beside the writing connection, for as long as it takes.
    func maintain<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Result
    ) async throws -> Result {
        try checkOpen()
        guard !isReadOnly else { throw PostgresFailure.readOnly(place) }
        try await prepare()
        return try await upkeep.run { connection in
            try connection.beVeryPatient()
            return try LockHolder.naming(connection) { try body(connection) }
        }
    }

    /// Runs `body` in a read transaction: it sees one state of the database, whatever is written meanwhile.
    func query<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Result
    ) async throws -> Result {
        try await prepare()
        return try await pool.withSession { session in
            try await session.run { connection in
                try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                let result = try body(connection)
                try connection.execute("COMMIT")
                return result
            }
        }
    }

    /// Runs `body` without looking at the schema first.
    func inspecting<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Result
    ) async throws -> Result {
        try checkOpen()
        return try await pool.withSession { try await $0.run(body) }
    }

    func checkOpen() throws {
        if isClosed.load(ordering: .acquiring) { throw PostgresFailure.closed(place) }
    }

    func forgetPartitions() async throws {
        try await change { [writer] _ in writer.writer.forgetPartitions() }
    }

    // MARK: Writing

    @discardableResult
    public func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings] {
        guard !outcomes.isEmpty else {
            try checkOpen()
            return []
        }
        return try await change { [writer] in try writer.writer.write(outcomes, $0) }
    }

    // MARK: Closing

    public func close() async throws {
        guard !isClosed.load(ordering: .acquiring) else { return }
        if !isReadOnly, isReady.load(ordering: .acquiring) {
            // Best effort: when each sensor was last heard is not worth waiting for a server that is away.
            try? await change { [writer] in try writer.writer.flush($0) }
        }
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        await pool.close()
        await upkeep.close()
        await writing.close()
    }
}

/// Who holds a lock that this process waited for in vain.
private enum LockHolder {
    private static let query = """
        SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.usename, ''), l.relation::regclass::text,
            extract(epoch FROM now() - a.xact_start)::bigint
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = current_schema()::regnamespace
        WHERE l.granted AND l.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL AND c.relkind IN ('r', 'p')
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY l.mode LIKE 'Row%' OR l.mode = 'AccessShareLock', a.xact_start LIMIT 1
        """

    static func naming<Result>(_ connection: PostgresConnection, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch var failure as ServerFailure where failure.state == ServerFailure.lockNotAvailable {
            try? connection.execute("ROLLBACK")
            if let row = try? connection.query(query).first {
                let program = row.text(1).isEmpty ? "" : " (\(row.text(1)))"
                failure.message =
                    "process \(row.int32(0))\(program) of \(row.text(2)) has held \(row.text(3)) for \(row.int64(4)) s"
            }
            throw failure
        }
    }
}
