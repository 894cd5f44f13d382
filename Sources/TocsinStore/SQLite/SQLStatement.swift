internal import GRDB
internal import TocsinCore
internal import GRDBSQLite

/// One prepared statement, bound and stepped through the C interface: a row costs no allocation.
///
/// GRDB's own arguments box every value, which is several times the cost of the insertion itself. The statement
/// belongs to the connection's cache; a value of this type must not outlive the database access it was made in.
struct SQLStatement {
    // Keeps the handle alive.
    private let statement: Statement
    private let handle: SQLiteStatement
    private let connection: OpaquePointer?

    init(_ database: Database, _ sql: String) throws {
        statement = try database.cachedStatement(sql: sql)
        handle = statement.sqliteStatement
        connection = sqlite3_db_handle(handle)
        reset()
        sqlite3_clear_bindings(handle)
    }

    /// Holds the connection's own lock meanwhile. Every C call takes that lock; taken by its holder it costs a counter
    /// instead of an atomic operation, and a row makes a dozen such calls.
    func repeatedly(_ body: () throws -> Void) rethrows {
        let mutex = sqlite3_db_mutex(connection)
        sqlite3_mutex_enter(mutex)
        defer { sqlite3_mutex_leave(mutex) }
        try body()
    }

    func reset() { sqlite3_reset(handle) }

    // MARK: Binding: columns count from 1

    func bind(_ column: Int32, _ number: Int64) { sqlite3_bind_int64(handle, column, number) }

    /// Not-a-number becomes NULL: SQL has no other word for it.
    func bind(_ column: Int32, _ number: Double) { sqlite3_bind_double(handle, column, number) }

    func bindNull(_ column: Int32) { sqlite3_bind_null(handle, column) }

    func bind(_ column: Int32, _ text: String) throws {
        var text = text
        try text.withUTF8 { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { characters in
                try bindText(column, characters, Self.copied)
            }
        }
    }

    func bind(_ column: Int32, _ text: String?) throws {
        if let text { try bind(column, text) } else { bindNull(column) }
    }

    func bind(_ column: Int32, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try bindBlob(column, $0, Self.copied) }
    }

    /// Not copied: `text` must stay where it is until the statement has been stepped.
    func bindBorrowed(_ column: Int32, text: UnsafeBufferPointer<UInt8>) throws {
        try text.withMemoryRebound(to: CChar.self) { try bindText(column, $0, nil) }
    }

    /// Not copied: `bytes` must stay where they are until the statement has been stepped.
    func bindBorrowed(_ column: Int32, bytes: UnsafeRawBufferPointer) throws { try bindBlob(column, bytes, nil) }

    private func bindText(
        _ column: Int32, _ characters: UnsafeBufferPointer<CChar>, _ destructor: sqlite3_destructor_type?
    ) throws {
        // A null pointer would bind NULL instead of the empty text.
        let code =
            if let start = characters.baseAddress, !characters.isEmpty, let length = Int32(exactly: characters.count) {
                sqlite3_bind_text(handle, column, start, length, destructor)
            } else if characters.isEmpty {
                sqlite3_bind_text(handle, column, "", 0, Self.copied)
            } else {
                SQLITE_TOOBIG
            }
        if code != SQLITE_OK { throw failure(code) }
    }

    private func bindBlob(
        _ column: Int32, _ bytes: UnsafeRawBufferPointer, _ destructor: sqlite3_destructor_type?
    ) throws {
        let code =
            if let start = bytes.baseAddress, !bytes.isEmpty, let length = Int32(exactly: bytes.count) {
                sqlite3_bind_blob(handle, column, start, length, destructor)
            } else if bytes.isEmpty {
                sqlite3_bind_zeroblob(handle, column, 0)
            } else {
                SQLITE_TOOBIG
            }
        if code != SQLITE_OK { throw failure(code) }
    }

    // SQLITE_TRANSIENT, a macro that Swift cannot import.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    // MARK: Stepping

    /// Runs a statement without result rows and makes it ready for the next binding; returns rows changed.
    @discardableResult
    func run() throws -> Int {
        let code = sqlite3_step(handle)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
        let changed = sqlite3_changes(connection)
        reset()
        return Int(changed)
    }

    /// Of the connection: GRDB's own property asks each time whether the thread is right.
    var lastInsertedID: Int64 { sqlite3_last_insert_rowid(connection) }

    /// True when a row is ready, false after the last.
    func next() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else { throw failure(code) }
        reset()
        return false
    }

    /// The first column of the first row; nil when there is no row or it is NULL.
    func firstInteger() throws -> Int64? {
        defer { reset() }
        return try next() && !isNull(0) ? int64(0) : nil
    }

    private func failure(_ code: Int32) -> DatabaseError {
        let message = String(cString: sqlite3_errmsg(connection))
        reset()
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: statement.sql)
    }

    // MARK: Reading: columns count from 0

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// Not-a-number for NULL.
    func double(_ column: Int32) -> Double {
        isNull(column) ? .nan : sqlite3_column_double(handle, column)
    }

    func text(_ column: Int32) -> String {
        guard let characters = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: characters, count: count), as: UTF8.self)
    }

    func optionalTimestamp(_ column: Int32) -> Timestamp? { isNull(column) ? nil : timestamp(column) }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
