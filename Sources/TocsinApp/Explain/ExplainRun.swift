public import TocsinConfiguration
public import TocsinCore

/// `tocsin explain`: opens the store for reading alone, so that it works beside a running tocsin.
public struct ExplainRun: Sendable {
    private let access: StoreAccess

    public init(configuration: TocsinConfiguration) { access = StoreAccess(configuration) }

    /// The newest findings.
    /// - Throws: `TocsinError` when there is no store, or nothing in it.
    public func list(limit: Int) async throws -> [Anomaly] {
        try await access.reading { try await ExplainSearch(store: $0, place: access.place).list(limit: limit) }
    }

    /// - Parameter id: of an anomaly or an alarm, or the first digits of one; nil = the newest anomaly.
    /// - Throws: `TocsinError` when there is no store, nothing in it, or no such id (with the nearest ones).
    public func explain(id: String?) async throws -> Explanation {
        try await access.reading { store in
            let search = ExplainSearch(store: store, place: access.place)
            let subject = if let id { try await search.find(id) } else { try await search.last() }
            return try await ExplanationBuilder(store: store).explain(subject)
        }
    }
}
