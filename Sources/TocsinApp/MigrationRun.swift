public import TocsinConfiguration
public import TocsinCore
internal import TocsinPostgres
internal import TocsinStore

/// `tocsin migrate`: which schema the store has, and bringing it up to date.
public struct MigrationRun: Sendable {
    private let configuration: TocsinConfiguration

    public init(configuration: TocsinConfiguration) { self.configuration = configuration }

    /// Changes nothing.
    /// - Throws: `TocsinError` where the store cannot be read, or is another program's.
    public func status() async throws -> SchemaStatus {
        guard configuration.store.usesPostgres else {
            return try SQLiteStore.schemaStatus(path: configuration.storePath)
        }
        let store = PostgresStore(
            settings: PostgresSettings(configuration.store.postgres), table: SeriesTable(), isReadOnly: true)
        do {
            let status = try await store.schemaStatus()
            try await store.close()
            return status
        } catch {
            try? await store.close()
            throw error
        }
    }

    /// What every start does first. Whoever else comes at the same time waits, and finds it done.
    /// - Throws: `TocsinError` where a newer version has made the store, or it is in use (SQLite).
    public func migrate() async throws {
        if !configuration.store.usesPostgres { try DataFolder.create(at: configuration.data.directory) }
        let store = try StoreAccess(configuration).writing(table: SeriesTable())
        do {
            // The first call brings a server's tables up to date.
            _ = try await store.jobs(name: nil, limit: 1)
            try await store.close()
        } catch {
            try? await store.close()
            throw error
        }
    }
}
