#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore
internal import TocsinStore

/// `tocsin explain`: opens the store of a data folder for reading alone, so that it works beside a running tocsin.
public struct ExplainRun: Sendable {
    private let storePath: String

    /// - Parameter storePath: the database file (`TocsinConfiguration.storePath`).
    public init(storePath: String) { self.storePath = storePath }

    /// The newest findings.
    /// - Throws: `TocsinError` when there is no store, or nothing in it.
    public func list(limit: Int) async throws -> [Anomaly] {
        try await reading { try await ExplainSearch(store: $0, place: storePath).list(limit: limit) }
    }

    /// - Parameter id: of an anomaly or an alarm, or the first digits of one; nil = the newest anomaly.
    /// - Throws: `TocsinError` when there is no store, nothing in it, or no such id (with the nearest ones).
    public func explain(id: String?) async throws -> Explanation {
        try await reading { store in
            let search = ExplainSearch(store: store, place: storePath)
            let subject = if let id { try await search.find(id) } else { try await search.last() }
            return try await ExplanationBuilder(store: store).explain(subject)
        }
    }

    private func reading<Result: Sendable>(
        _ body: (SQLiteStore) async throws -> Result
    ) async throws -> Result {
        guard access(storePath, F_OK) == 0 else {
            throw TocsinError(
                .usage, "there is no store here", place: storePath,
                remedy: "give --data-dir the folder of tocsin run, or of tocsin replay FILE --data-dir FOLDER")
        }
        let store = try SQLiteStore(
            path: storePath, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
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
