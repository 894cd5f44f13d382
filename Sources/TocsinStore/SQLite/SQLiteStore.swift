internal import Dispatch
internal import GRDB
internal import Synchronization
public import TocsinCore

/// The store of one machine: one SQLite file in write-ahead mode, durable against a power cut at every commit.
///
/// ```swift
/// let store = try SQLiteStore(path: "data/tocsin.db", table: table)
/// try await store.write([outcome])
/// let latest = try await store.events(RecordQuery(sensor: "pump-7", limit: 10))
/// try await store.close()
/// ```
/// One process writes (a lock file beside the database sees to that); any number may read. docs/schema.md describes
/// the tables. Blocking calls run on the database's own threads, never on Swift's cooperative pool.
public final class SQLiteStore: Store {
    /// The database file.
    public let path: String

    let settings: SQLiteSettings
    public var keepsRawInput: Bool { settings.storesEvents && settings.storesPayloads }
    private let pool: DatabasePool
    private let lock: FolderLock?
    private let writer: Mutex<SQLiteWriter>
    private let isClosed = Atomic(false)
    private let temporaryFolder: TemporaryFolder?

    /// Opens the database, makes it (and its folder) when missing, and brings an older schema up to date.
    /// - Throws: `TocsinError` naming the file and the remedy: in use by another process, not a database, damaged, made
    ///   by a newer version, no rights.
    public convenience init(path: String, table: SeriesTable, settings: SQLiteSettings = SQLiteSettings()) throws {
        try self.init(path: path, table: table, settings: settings, temporaryFolder: nil)
    }

    /// A store in a temporary folder that is deleted when the store is closed: for tests, demonstrations and replays
    /// whose results are not kept. Nothing is forced to disk.
    public static func temporary(
        table: SeriesTable, settings: SQLiteSettings = SQLiteSettings()
    ) throws -> SQLiteStore {
        let folder = try TemporaryFolder()
        return try SQLiteStore(
            path: folder.path + "/tocsin.db", table: table, settings: settings, temporaryFolder: folder)
    }

    private init(
        path: String, table: SeriesTable, settings: SQLiteSettings, temporaryFolder: TemporaryFolder?
    ) throws {
        self.path = path
        self.settings = settings
        self.temporaryFolder = temporaryFolder
        if settings.isReadOnly {
            lock = nil
        } else {
            try TemporaryFolder.makeParents(of: path)
            lock = try FolderLock(database: path)
        }
        do {
            pool = try SQLiteConnection.open(path: path, settings: settings, isDurable: temporaryFolder == nil)
        } catch {
            throw SQLiteFailure.translate(error, path: path)
        }
        writer = Mutex(SQLiteWriter(table: table, settings: settings))
    }

    // MARK: Access

    /// Runs `body` on the writing connection. It is not cancelled with its task: what was begun becomes durable.
    func change<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        guard !settings.isReadOnly else { throw SQLiteFailure.readOnly(path) }
        return try await withCheckedThrowingContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [self] database in
                do {
                    try checkOpen()
                    continuation.resume(returning: try body(database))
                } catch {
                    continuation.resume(throwing: SQLiteFailure.translate(error, path: path))
                }
            }
        }
    }

    /// Runs `body` in a read transaction: it sees one state of the database, whatever is written meanwhile.
    func query<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        try checkOpen()
        do {
            return try await pool.read(body)
        } catch {
            try checkOpen()
            throw SQLiteFailure.translate(error, path: path)
        }
    }

    private func checkOpen() throws {
        if isClosed.load(ordering: .acquiring) { throw SQLiteFailure.closed(path) }
    }

    // MARK: Writing

    @discardableResult
    public func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings] {
        guard !outcomes.isEmpty else {
            try checkOpen()
            return []
        }
        return try await change { [self] database in
            try writer.withLock { writer in try writer.write(outcomes, database) }
        }
    }

    public func saveModel(_ model: ModelRecord) async throws {
        try await change { database in
            try database.inTransaction(.immediate) {
                try SQLiteWriter.writeModel(model, database)
                return .commit
            }
        }
    }

    public func removeDeadLetters(ids: [Int64]) async throws {
        try await change { database in
            try database.inTransaction(.immediate) {
                for id in ids { try database.run("DELETE FROM dead_letters WHERE id = ?", [.integer(id)]) }
                return .commit
            }
        }
    }

    // MARK: Closing

    public func close() async throws {
        guard !isClosed.load(ordering: .acquiring) else { return }
        if !settings.isReadOnly {
            try await change { [self] database in
                try writer.withLock { writer in try writer.flush(database) }
                // Best effort: a reader in another process may hold the log, and then the next start folds it in.
                _ = try? database.integer("PRAGMA wal_checkpoint(TRUNCATE)")
                isClosed.store(true, ordering: .releasing)
            }
        }
        isClosed.store(true, ordering: .releasing)
        let pool = pool
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            // Waits for queries that are still running.
            DispatchQueue.global().async { [path] in
                continuation.resume(
                    with: Result { try pool.close() }.mapError { SQLiteFailure.translate($0, path: path) })
            }
        }
        lock?.release()
        temporaryFolder?.remove()
    }
}
