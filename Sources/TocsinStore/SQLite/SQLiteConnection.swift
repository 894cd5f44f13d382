#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import GRDB
internal import TocsinCore

/// Opens the connections of a store, each with its pragmas.
enum SQLiteConnection {
    // Larger than SQLite's usual 4 KiB: rows arrive in bulk and in order, and a third fewer pages are logged.
    private static let pageBytes = 8192
    // The log is folded into the database when it holds this many pages (32 MiB).
    private static let checkpointPages = 4096
    private static let readerCount = 4
    private static let readerCacheBytes = 8 << 20

    static func open(
        path: String, settings: SQLiteSettings, isDurable: Bool,
        observing: (SQLiteSchema.Moment) throws -> Void = { _ in }
    ) throws -> DatabasePool {
        try refuseForeignFile(path)
        var configuration = Configuration()
        configuration.label = "tocsin.store"
        configuration.readonly = settings.isReadOnly
        configuration.busyMode = .timeout(settings.busyTimeout.seconds)
        configuration.maximumReaderCount = readerCount
        configuration.prepareDatabase { database in
            let isReader = database.configuration.readonly
            if !isReader || settings.isReadOnly {
                try SQLiteSchema.inspect(database, path: path, isReadOnly: settings.isReadOnly)
            }
            let cache = isReader ? readerCacheBytes : settings.cacheBytes
            try database.execute(sql: "PRAGMA cache_size = -\(max(1, cache / 1024))")
            guard !isReader else { return }
            // Distributions switch it on: deleted pages would be written once more, filled with zeros.
            try database.execute(sql: "PRAGMA secure_delete = OFF")
            // These two take effect only while the file is empty.
            try database.execute(sql: "PRAGMA page_size = \(pageBytes)")
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
            try database.execute(sql: "PRAGMA journal_size_limit = \(2 * checkpointPages * pageBytes)")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        guard !settings.isReadOnly else { return pool }
        try pool.writeWithoutTransaction { database in
            // Last, because GRDB sets NORMAL when it turns the log on, and NORMAL may lose commits in a power cut.
            try database.execute(sql: "PRAGMA synchronous = \(isDurable ? "FULL" : "OFF")")
            try SQLiteSchema.migrate(database, observing: observing)
        }
        return pool
    }

    /// SQLite takes a file shorter than its smallest page for an empty database and writes over it: ask first.
    static func refuseForeignFile(_ path: String) throws {
        let smallestPage = 512
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else { return }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size < smallestPage else { return }
        throw DatabaseError(resultCode: .SQLITE_NOTADB, message: "it has only \(status.st_size) bytes")
    }
}
