import CDuckDB
import TocsinCore

/// A DuckDB database, in memory or in a file; closed when the last connection to it is gone.
///
/// `@unchecked Sendable`: the handle never changes after `init`, and DuckDB allows `connect` from any thread.
public final class DuckDB: @unchecked Sendable {
    private var handle: tdk_database?
    let sources = DuckDBSources()

    /// Loads the library on first use and opens one database.
    /// - Throws: `TocsinError` where the library is missing, a setting is refused, the file cannot be opened, or
    ///   S3 is wanted and its extension is missing.
    public static func open(_ settings: DuckDBSettings = DuckDBSettings()) throws -> DuckDB {
        try DuckDBLibrary.load(path: settings.libraryPath, searchFolders: settings.searchFolders)
        let database = try DuckDB(settings)
        let connection = try database.connect()
        // Times are shown and read in UTC whatever the machine's zone is.
        try connection.execute("SET GLOBAL TimeZone = 'UTC'")
        if let s3 = settings.s3 { try connection.prepareS3(s3, httpfsPath: settings.httpfsPath) }
        return database
    }

    /// Version of the library ("v1.5.5").
    public static var version: String { DuckDBLibrary.path == nil ? "" : String(cString: tdk_library_version()) }

    private init(_ settings: DuckDBSettings) throws {
        var config: tdk_config?
        guard tdk_create_config(&config) == 0 else { throw DuckDBError.error("No memory for a configuration.") }
        defer { tdk_destroy_config(&config) }
        for (name, value) in Self.options(settings) where tdk_set_config(config, name, value) != 0 {
            throw TocsinError(.lake, "DuckDB refuses the setting \(name) = \(value).")
        }
        var message: UnsafeMutablePointer<CChar>?
        guard tdk_open_ext(settings.path, &handle, config, &message) == 0 else {
            let text = message.map { String(cString: $0) } ?? ""
            if let message { tdk_free(message) }
            throw DuckDBError.error(text, place: settings.path)
        }
    }

    deinit { tdk_close(&handle) }

    private static func options(_ settings: DuckDBSettings) -> [(String, String)] {
        // Nothing is fetched from the network behind the user's back, and no secret is written to the home folder.
        var options = [
            ("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false"),
            ("allow_persistent_secrets", "false"), ("temp_directory", settings.temporaryFolder ?? ""),
            ("preserve_insertion_order", settings.preservesOrder ? "true" : "false"),
        ]
        if settings.isReadOnly { options.append(("access_mode", "READ_ONLY")) }
        if let bytes = settings.memoryLimitBytes { options.append(("memory_limit", "\(max(bytes, 1))B")) }
        if let threads = settings.threads { options.append(("threads", "\(max(threads, 1))")) }
        return options
    }

    /// A new connection; each thread or task uses its own.
    /// - Parameter isPatient: `run` works at the lowest priority: nobody waits for it.
    public func connect(isPatient: Bool = false) throws -> DuckDBConnection {
        var connection: tdk_connection?
        guard tdk_connect(handle, &connection) == 0, let connection else {
            throw DuckDBError.error("DuckDB gives no further connection.")
        }
        return try DuckDBConnection(connection, database: self, isPatient: isPatient)
    }

    /// Text as an SQL literal.
    public static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// A name as an SQL identifier.
    public static func identifier(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
