import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

/// The statements behind the listings search an index; none reads a large table from end to end.
@Suite struct SQLiteIndexTests {
    private static let recent = RecordQuery(start: StoreInput.second(10))
    private static let one = RecordQuery(sensor: "s1", start: StoreInput.second(10))

    @Test(arguments: [
        SQLiteStore.Listing.events(recent), .events(one), .events(RecordQuery(sensor: "s1", metric: "t")),
        .events(RecordQuery(metric: "t")), .events(RecordQuery(metric: "rare")), .anomalies(RecordQuery(metric: "t")),
        .windows(recent), .windows(one), .windows(RecordQuery(metric: "t")), .anomalies(recent), .anomalies(one),
        .alarms(recent, state: nil), .alarms(one, state: nil), .alarms(RecordQuery(), state: .open), .openAlarms,
        .deadLetters(nil), .deadLetters(.future), .deadLetterCounts,
    ])
    func listingsUseTheirIndex(_ listing: SQLiteStore.Listing) async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(unindexedRows: 40))
        for round in 0..<5 as Range<Int64> {
            var input = StoreInput(table: table)
            for second in (round * 30)..<(round * 30 + 30) {
                input.event("s\(second % 3)", at: second, [("t", 1)])
                input.window("s\(second % 3)", "t", start: second, base: 0)
            }
            // A metric of one sensor among many is looked for by that sensor.
            for number in 0..<40 { input.event("many\(number)", at: round, [(number == 7 ? "rare" : "t", 1)]) }
            try await store.write([input.outcome])
        }
        let plans = try await store.plans(of: listing)
        #expect(!plans.isEmpty)
        for (sql, steps) in plans {
            // The list of runs is short, and so are the rows that wait for theirs; those are found by id and sorted.
            let isShort = sql.contains("_runs") || sql.contains("NOT INDEXED")
            for step in steps {
                // "SCAN t" reads the table; "SCAN t USING INDEX" walks an index in order, and LIMIT ends the walk.
                // "page" is what a search in an index has found.
                let isIndexed =
                    step == "SCAN page" || step.contains("INDEX") || step.contains("PRIMARY KEY")
                    || step.contains("VIRTUAL TABLE")
                #expect(isShort || !step.hasPrefix("SCAN") || isIndexed, "\(sql): \(steps)")
                #expect(isShort || !step.contains("TEMP B-TREE"), "\(sql): \(steps)")
            }
            if sql.contains("NOT INDEXED") {
                #expect(steps.first == "SEARCH t USING INTEGER PRIMARY KEY (rowid>?)", "\(sql): \(steps)")
            }
        }
        try await store.close()
    }

    /// Sensors' times and zones reach the database on closing at the latest.
    @Test func firstAndLastSeenAreEventTimes() async throws {
        let folder = try ScratchFolder()
        let table = SeriesTable()
        let path = folder.path("tocsin.db")
        let store = try SQLiteStore(path: path, table: table)
        for second in [50, 10, 90, 40] as [Int64] {
            var input = StoreInput(table: table, received: 1_000_000)
            input.event("a", at: second, [("t", 1)])
            table.withIndex { index in
                if let id = index.sensor(named: "a") { index.setZone("hall 3", of: id) }
            }
            try await store.write([input.outcome])
        }
        try await store.close()
        let reader = try SQLiteStore(path: path, table: table, settings: SQLiteSettings(isReadOnly: true))
        let rows = try await reader.text("SELECT first_seen || ' ' || last_seen || ' ' || zone FROM sensors")
        #expect(rows == ["\(StoreInput.second(10).nanoseconds) \(StoreInput.second(90).nanoseconds) hall 3"])
        try await reader.close()
    }

    @Test func eventsAreLeftOutOnRequest() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(storesEvents: false))
        var input = StoreInput(table: table)
        input.event("a", at: 1, [("t", 1)])
        input.window("a", "t", start: 0, base: 0)
        try await store.write([input.outcome])
        #expect(try await store.events(RecordQuery()).isEmpty)
        #expect(try await store.windows(RecordQuery(sensor: "a")).count == 1)
        #expect(try await store.text("SELECT name FROM sensors") == ["a"])
        try await store.close()

        let lean = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(storesPayloads: false))
        try await lean.write([input.outcome])
        #expect(try await lean.events(RecordQuery()).map(\.payload) == [[]])
        try await lean.close()
    }

    @Test func readingsAreFlatJSON() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        var input = StoreInput(table: table)
        let values: [Double] = [21.4, -0.5, 40, 0.0625, 1e-9, 1_000_000, 99.99, -273.15, 0.1 + 0.2, 1e20, 12_345.6789]
        input.event("a", at: 1, values.enumerated().map { ("m\($0.offset)", $0.element) })
        try await store.write([input.outcome])
        let fields = zip(
            values.indices,
            [
                "21.4", "-0.5", "40", "0.0625", "1e-09", "1000000", "99.99", "-273.15", "0.30000000000000004", "1e+20",
                "12345.6789",
            ])
        let expected = "{" + fields.map { "\"m\($0)\":\($1)" }.joined(separator: ",") + "}"
        #expect(try await store.text("SELECT readings FROM sensor_events") == [expected])
        #expect(try await store.text("SELECT json_valid(readings) FROM sensor_events") == ["1"])
        try await store.close()
    }
}
