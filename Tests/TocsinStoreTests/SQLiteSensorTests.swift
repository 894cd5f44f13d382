import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

/// What is written of sensors besides their events: when they were heard, and the units of their series.
@Suite struct SQLiteSensorTests {
    /// More sensors than one transaction writes down: each write takes a part, and closing takes the rest.
    @Test func timesOfManySensorsAreWrittenInParts() async throws {
        let folder = try ScratchFolder()
        let table = SeriesTable()
        let path = folder.path("tocsin.db")
        let store = try SQLiteStore(
            path: path, table: table, settings: SQLiteSettings(storesEvents: false))
        let names = (0..<25_000).map { "s\($0)" }
        func heard(at second: Int64) async throws -> Int {
            let time = StoreInput.second(second).nanoseconds
            let rows = try await store.text("SELECT count(*) FROM sensors WHERE last_seen = \(time)")
            return rows.first.flatMap(Int.init) ?? 0
        }
        for (second, received) in [(10, 0), (20, 100)] as [(Int64, Int64)] {
            var input = StoreInput(table: table, received: received)
            for name in names { input.event(name, at: second, [("t", 1)], payload: []) }
            try await store.write([input.outcome])
        }
        #expect(try await heard(at: 20) == 20_000)
        // Half a second later is too early for the next part, two seconds later is not.
        var input = StoreInput(table: table, received: 100)
        input.outcome.batch.origin.received = StoreInput.second(100).advanced(by: .nanoseconds(500_000_000))
        try await store.write([input.outcome])
        #expect(try await heard(at: 20) == 20_000)
        try await store.write([StoreInput(table: table, received: 102).outcome])
        #expect(try await heard(at: 20) == 25_000)
        input = StoreInput(table: table, received: 103)
        input.event("s7", at: 5, [("t", 1)])
        input.event("s24999", at: 30, [("t", 1)])
        try await store.write([input.outcome])
        try await store.close()
        let reader = try SQLiteStore(path: path, table: table, settings: SQLiteSettings(isReadOnly: true))
        let ranges = try await reader.text(
            """
            SELECT (first_seen / 1000000000 - \(StoreInput.epoch)) || '-' || (last_seen / 1000000000 - \(StoreInput.epoch))
            FROM sensors WHERE name IN ('s0', 's7', 's24999') ORDER BY id
            """)
        #expect(ranges == ["10-20", "5-20", "10-30"])
        #expect(try await reader.statistics().rows["sensors"] == 25_000)
        try await reader.close()
    }

    @Test func aUnitThatComesLateIsWritten() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        for (process, unit) in [nil, "°C", nil, "K"].enumerated() {
            let table = SeriesTable()
            let store = try SQLiteStore(path: path, table: table)
            var input = StoreInput(table: table)
            input.event("a", at: Int64(process), [("t", 1)], unit: process == 1 ? nil : unit)
            try await store.write([input.outcome])
            if process == 1 {
                table.withIndex { index in
                    if let sensor = index.sensor(named: "a"), let series = index.series(of: sensor).first {
                        index.setUnit("°C", of: series)
                    }
                }
            }
            try await store.close()
        }
        let store = try SQLiteStore(path: path, table: SeriesTable(), settings: SQLiteSettings(isReadOnly: true))
        #expect(try await store.text("SELECT metric || ' ' || unit FROM series") == ["t K"])
        #expect(try await store.events(RecordQuery(limit: 1)).first?.readings.first?.unit == "K")
        try await store.close()
    }
}
