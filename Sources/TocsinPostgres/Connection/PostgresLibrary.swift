internal import CPostgres
internal import Synchronization
internal import TocsinCore

/// The client library of PostgreSQL, opened once per process.
enum PostgresLibrary {
    /// The file that was opened; empty for the system's own.
    private static let loaded = Mutex<String?>(nil)

    /// - Throws: `TocsinError` when the library is not installed, or too old.
    static func load(_ path: String?) throws {
        try loaded.withLock { loaded in
            let wanted = path ?? ""
            guard loaded != wanted else { return }
            let reason = loaded == nil ? tpq_load(path).map { String(cString: $0) } : "another one is in use already"
            if let reason {
                throw TocsinError(
                    .store, "PostgreSQL's client library cannot be used: \(reason)", place: path ?? "libpq",
                    remedy: "Install it: `apt-get install libpq5` (Debian, Ubuntu), `dnf install libpq` (Fedora).")
            }
            loaded = wanted
        }
    }
}
