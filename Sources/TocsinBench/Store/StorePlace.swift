internal import TocsinApp
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinPostgres
internal import TocsinStore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A store of its own for one measurement: a file in a new folder, or a new schema on a server.
enum StorePlace: Sendable {
    case sqlite(folder: String)
    case postgres(PostgresSettings)

    /// - Parameters:
    ///   - folder: a temporary one, which exists.
    ///   - name: a word that differs between the places of one run.
    init(_ settings: StoreBenchSettings, in folder: String, name: String) throws(TocsinError) {
        switch settings.engine {
        case .sqlite: self = .sqlite(folder: try DataFolder.temporary(in: folder))
        case .postgres:
            self = .postgres(
                PostgresSettings(
                    url: settings.postgresURL, schema: "tocsin_bench_\(getpid())_\(name)",
                    applicationName: "tocsin bench", statementTimeout: .hours(1)))
        }
    }

    /// Lends a place and removes it afterwards, whatever happens.
    static func lend<Result>(
        _ settings: StoreBenchSettings, in folder: String, name: String, _ body: (StorePlace) async throws -> Result
    ) async throws -> Result {
        let place = try StorePlace(settings, in: folder, name: name)
        do {
            let result = try await body(place)
            await place.remove()
            return result
        } catch {
            await place.remove()
            throw error
        }
    }

    /// - Throws: `TocsinError` where the server is away, or its client library is missing.
    func open(_ table: SeriesTable, isReadOnly: Bool = false) async throws -> any Store {
        switch self {
        case .sqlite(let folder):
            return try SQLiteStore(
                path: Self.file(folder), table: table, settings: SQLiteSettings(isReadOnly: isReadOnly))
        case .postgres(let settings):
            let store = PostgresStore(settings: settings, table: table, isReadOnly: isReadOnly)
            try await store.prepare()
            return store
        }
    }

    /// Gives back what the store has taken.
    func remove() async {
        switch self {
        case .sqlite(let folder): DataFolder.removeTemporary(folder)
        case .postgres(let settings):
            let store = PostgresStore(settings: settings, table: SeriesTable())
            // Best effort: where the server is away nothing can be removed, and why has been told already.
            try? await store.execute("DROP SCHEMA IF EXISTS \(settings.schema) CASCADE")
            try? await store.close()
        }
    }

    /// Bytes of everything that is stored; of a file when it is closed.
    func bytes(_ table: SeriesTable) async throws -> Int64 {
        switch self {
        case .sqlite(let folder): return FolderListing.size(of: Self.file(folder))
        case .postgres:
            let store = try await open(table, isReadOnly: true)
            let bytes = try await store.statistics().bytes
            try await store.close()
            return bytes
        }
    }

    /// Takes the file out of the system's memory, so that the next query reads the disk.
    /// - Returns: false where this cannot be done from here.
    func forgetPages() -> Bool {
        guard case .sqlite(let folder) = self else { return false }
        #if canImport(Glibc)
        let descriptor = Glibc.open(Self.file(folder), O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        // What is not on disk yet stays in memory.
        return fdatasync(descriptor) == 0 && posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0
        #else
        return false
        #endif
    }

    private static func file(_ folder: String) -> String { folder + "/bench.sqlite" }
}
