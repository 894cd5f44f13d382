#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinConfiguration
public import TocsinCore
internal import TocsinPostgres
internal import TocsinStore

/// Opens the store that the configuration names: one SQLite file, or a PostgreSQL server.
public struct StoreAccess: Sendable {
    private let configuration: TocsinConfiguration

    public init(_ configuration: TocsinConfiguration) { self.configuration = configuration }

    /// For messages: the file, or `postgresql://user@host:port/database`.
    public var place: String {
        configuration.store.usesPostgres
            ? PostgresSettings(configuration.store.postgres).place : configuration.storePath
    }

    /// For the one process that writes. A PostgreSQL server need not answer yet.
    /// - Throws: `TocsinError` when the database cannot be used.
    public func writing(table: SeriesTable) throws -> any Store {
        if configuration.store.usesPostgres {
            return PostgresStore(
                settings: PostgresSettings(configuration.store.postgres), table: table,
                storesEvents: configuration.store.storeEvents, windows: configuration.windows)
        }
        return try SQLiteStore(
            path: configuration.storePath, table: table,
            settings: SQLiteSettings(
                storesEvents: configuration.store.storeEvents, windows: configuration.windows))
    }

    /// Lends the store for reading, also while another process writes, and closes it.
    /// - Throws: `TocsinError` when there is none, and what `body` throws.
    public func reading<Result>(_ body: (any Store) async throws -> Result) async throws -> Result {
        let store: any Store
        if configuration.store.usesPostgres {
            store = PostgresStore(
                settings: PostgresSettings(configuration.store.postgres), table: SeriesTable(), isReadOnly: true)
        } else {
            guard access(configuration.storePath, F_OK) == 0 else {
                throw TocsinError(
                    .usage, "there is no store here", place: configuration.storePath,
                    remedy: "give --data-dir the folder of tocsin run, or of tocsin replay FILE --data-dir FOLDER")
            }
            store = try SQLiteStore(
                path: configuration.storePath, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        }
        do {
            let result = try await body(store)
            try await store.close()
            return result
        } catch {
            try? await store.close()
            throw error
        }
    }
}
