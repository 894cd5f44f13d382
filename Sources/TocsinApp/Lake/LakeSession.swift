internal import Synchronization
internal import TocsinCore
internal import TocsinLake

/// One session of SQL over the lake for everybody in this process: opened when it is first needed and kept, since opening
/// one looks at every table. One query at a time.
final class LakeSession: Sendable {
    private let settings: LakeQuerySettings
    private let queue = BlockingQueue("tocsin.lake.session")
    private let open = Mutex<(query: LakeQuery, refreshed: ContinuousClock.Instant)?>(nil)
    /// Tables that had no file before are looked for as often as that.
    private static let refreshInterval = Duration.seconds(60)

    init(location: String, duckdb: DuckDBSettings) {
        var settings = LakeQuerySettings(location: location, duckdb: duckdb)
        settings.keepsFilesInMemory = false
        self.settings = settings
    }

    /// Runs work with the session, off the cooperative pool. After an error the next one gets a new session.
    func run<Value: Sendable>(_ body: @escaping @Sendable (LakeQuery) throws -> Value) async throws -> Value {
        try await queue.run { [self] in
            do {
                return try body(try current())
            } catch {
                open.withLock { $0 = nil }
                throw error
            }
        }
    }

    /// On the queue only.
    private func current() throws -> LakeQuery {
        let now = ContinuousClock.now
        guard let known = open.withLock({ $0 }) else {
            let query = try LakeQuery(settings)
            open.withLock { $0 = (query, now) }
            return query
        }
        if known.refreshed.duration(to: now) > Self.refreshInterval {
            try known.query.refresh()
            open.withLock { $0 = (known.query, now) }
        }
        return known.query
    }
}

/// How much the lake holds, as the process that owns it saw last.
final class LakeStock: Sendable {
    private let state = Mutex<[LakeTableSize]?>(nil)

    /// nil before the first look.
    var sizes: [LakeTableSize]? { state.withLock { $0 } }

    func note(_ sizes: [LakeTableSize]) { state.withLock { $0 = sizes } }
}
