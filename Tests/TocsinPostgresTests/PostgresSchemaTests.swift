import Testing
import TocsinCore
import TocsinPostgres
import TocsinTestKit

@Suite(.enabled(if: PostgresServer.isInstalled, Comment(rawValue: PostgresServer.isMissing)))
struct PostgresSchemaTests {
    private func store(_ settings: PostgresSettings, isReadOnly: Bool = false) -> PostgresStore {
        PostgresStore(settings: settings, table: SeriesTable(seed: 1), isReadOnly: isReadOnly)
    }

    @Test func manyStartAtOnce() async throws {
        let settings = try PostgresServer.shared.get().settings()
        let stores = (0..<6).map { _ in store(settings) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { try await store.prepare() } }
            try await group.waitForAll()
        }
        let status = try await stores[0].schemaStatus()
        #expect(status.version == status.knownVersion)
        #expect(status.stepsToCome.isEmpty)
        #expect(try await stores[0].text("SELECT count(*) FROM tocsin_migrations") == ["\(status.knownVersion)"])
        for store in stores { try await store.close() }
    }

    @Test func statusChangesNothing() async throws {
        let store = try store(PostgresServer.shared.get().settings())
        let status = try await store.schemaStatus()
        #expect(status.version == 0)
        #expect(status.stepsToCome.count == status.knownVersion)
        #expect(status.stepsToCome.first?.sql.contains("CREATE TABLE sensors") == true)
        #expect(try await store.schemaStatus() == status)
        try await store.close()
    }

    @Test func newerSchemaIsRefused() async throws {
        let settings = try PostgresServer.shared.get().settings()
        let first = store(settings)
        try await first.prepare()
        try await first.execute("INSERT INTO tocsin_migrations (version, title) VALUES (99, 'to come')")
        try await first.close()
        let second = store(settings)
        let error = await #expect(throws: TocsinError.self) { try await second.prepare() }
        #expect(error?.message.contains("newer version") == true)
        #expect(error?.message.contains("number 99") == true)
        #expect(error?.isRetriable == false)
        #expect(try await second.schemaStatus().isNewer)
        try await second.close()
    }

    @Test func readersRefuseWhatIsNotThere() async throws {
        let settings = try PostgresServer.shared.get().settings()
        let reader = store(settings, isReadOnly: true)
        let error = await #expect(throws: TocsinError.self) { _ = try await reader.openAlarms() }
        #expect(error?.message.contains("no tables of this program") == true)
        let writer = store(settings)
        try await writer.prepare()
        #expect(try await reader.openAlarms().isEmpty)
        await #expect(throws: TocsinError.self) { try await reader.removeDeadLetters(ids: [1]) }
        try await reader.close()
        try await writer.close()
    }

    /// Every table and column says what it is; the columns of windows are those of the statistics.
    @Test func everythingIsDescribed() async throws {
        let store = try store(PostgresServer.shared.get().settings())
        try await store.prepare()
        let silent = try await store.text(
            """
            SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
                AND NOT c.relispartition AND c.relname <> 'tocsin_migrations'
                AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)
            """)
        #expect(silent.isEmpty)
        let columns = try await store.text(
            """
            SELECT attname FROM pg_attribute WHERE attrelid = 'windows'::regclass AND attnum > 5 ORDER BY attnum
            """)
        #expect(columns == WindowStatistic.allCases.map(\.name))
        try await store.close()
    }

    /// A listing searches: no table that grows is read from end to end, however few rows it has today.
    @Test func listingsUseIndexes() async throws {
        let table = SeriesTable(seed: 1)
        let store = try PostgresStore(settings: PostgresServer.shared.get().settings(), table: table)
        var input = StoreInput(table: table, received: 8 * 86_400)
        for second in 0..<400 as Range<Int64> {
            // Eight days, and more sensors than are asked one by one.
            let sensor = "s\(second % 100)"
            input.event(sensor, at: second * 1800, [("t", 1)])
            input.window(sensor, "t", start: second * 1800, base: 1)
            input.deadLetter(.malformed, position: second)
            input.outcome.anomalies.append(
                StoreInput.anomaly(StableHash.hex(UInt64(second)), sensor: sensor, at: second))
        }
        input.event("s1", at: 5, [("rare", 1)])
        input.window("s1", "rare", start: 5, base: 1)
        try await store.write([input.outcome])
        try await store.execute("ANALYZE sensors, series, sensor_events, windows, anomalies, dead_letters")
        var listings: [PostgresStore.Listing] = [.openAlarms, .deadLetters(nil), .deadLetters(.malformed), .jobs("a")]
        for sensor in [nil, "s1"] {
            for metric in [nil, "t", "rare"] {
                for (start, end) in [(nil, nil), (StoreInput.second(0), StoreInput.second(400_000))]
                    as [(Timestamp?, Timestamp?)]
                {
                    let query = RecordQuery(
                        sensor: sensor, metric: metric, start: start, end: end, limit: 10, offset: 20)
                    listings += [
                        .events(query), .windows(query), .anomalies(query), .alarms(query, state: nil),
                        .alarms(query, state: .open),
                    ]
                }
            }
        }
        for listing in listings {
            for (sql, steps) in try await store.plans(of: listing) where !sql.contains("pg_inherits") {
                for step in steps {
                    #expect(!step.contains("Seq Scan on"), "\(step) in \(sql)")
                    #expect(!step.contains("Hash Join"), "\(step) in \(sql)")
                }
            }
        }
        // Only the newest day is looked at where that is enough.
        let plans = try await store.plans(of: .events(RecordQuery(limit: 5)))
        var scans: [String] = []
        for (_, steps) in plans {
            scans += steps.filter { $0.contains("Index Scan") && $0.contains("sensor_events") }
        }
        #expect(scans.count <= 2, "\(scans)")
        try await store.close()
    }
}
