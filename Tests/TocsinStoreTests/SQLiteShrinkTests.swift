import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

/// What retention deletes leaves the file, also where no bound on its size is set.
@Suite struct SQLiteShrinkTests {
    @Test func theFileShrinksWithItsRows() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        let payload = Array(repeating: UInt8(ascii: "x"), count: 3000)
        for batch in 0..<20 as Range<Int64> {
            var input = StoreInput(table: table)
            for row in 0..<1000 as Range<Int64> {
                input.event("s\(row % 10)", at: batch * 1000 + row, [("t", 1)], payload: payload)
            }
            try await store.write([input.outcome])
        }
        let full = try await store.statistics().bytes
        let policy = RetentionPolicy(eventAge: .seconds(1000))
        _ = try await store.applyRetention(policy, now: StoreInput.second(20_000))
        let left = try await store.statistics().bytes
        // A twentieth of the events is left, and no more than 16 MiB stay free for new ones.
        #expect(left < full / 20 * 2 + 17 << 20)
        #expect(left < full / 2)
        #expect(try await store.events(RecordQuery(limit: 20_000)).count == 1000)
        #expect(try await store.text("PRAGMA integrity_check") == ["ok"])
        try await store.close()
    }

    /// Entries of the index by sensor outlive their rows for a while: nobody sees them, on no page.
    @Test func pagesDoNotCountWhatIsDeleted() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(unindexedRows: 100))
        func write(_ seconds: Range<Int64>) async throws {
            var input = StoreInput(table: table)
            for second in seconds { input.event("a", at: second, [("t", Double(second))]) }
            try await store.write([input.outcome])
        }
        // Runs of 250 seconds each, of which retention leaves the middle of one.
        for start in stride(from: 0, to: 1000, by: 250) as StrideTo<Int64> { try await write(start..<start + 250) }
        #expect(try await store.text("SELECT count(*) FROM sensor_event_runs") == ["4"])
        _ = try await store.applyRetention(RetentionPolicy(eventAge: .seconds(400)), now: StoreInput.second(1000))
        let expected = (600..<1000).reversed().map { StoreInput.second($0) }
        #expect(try await store.text("SELECT count(*) FROM sensor_event_runs") == ["2"])
        func seconds(_ offset: Int, _ limit: Int) async throws -> [Timestamp] {
            try await store.events(RecordQuery(sensor: "a", limit: limit, offset: offset)).map(\.time)
        }
        #expect(try await seconds(0, 1000) == expected)
        #expect(try await seconds(390, 1000) == expected.suffix(10))
        #expect(try await seconds(400, 10).isEmpty)
        // Late ones from before the deletion come in a run of their own.
        try await write(0..<150)
        #expect(try await seconds(400, 1000).count == 150)
        #expect(try await seconds(0, 1000).prefix(400).elementsEqual(expected))
        try await store.close()
    }

    /// Many small runs become few: the same events are found, the deleted ones have no entries left.
    @Test func retentionMergesRuns() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table, settings: SQLiteSettings(unindexedRows: 50))
        for batch in 0..<20 as Range<Int64> {
            var input = StoreInput(table: table)
            for row in 0..<50 as Range<Int64> {
                input.event("s\(row % 3)", at: batch * 50 + row * 7 % 50, [("t", Double(row))])
            }
            try await store.write([input.outcome])
        }
        func listing() async throws -> [String] {
            try await store.events(RecordQuery(sensor: "s1", limit: 1000)).map { "\($0)" }
        }
        let before = try await listing()
        #expect(try await store.text("SELECT count(*) FROM sensor_event_runs") == ["20"])
        _ = try await store.applyRetention(RetentionPolicy(), now: StoreInput.second(1000))
        // Two of eight, and four that wait for more.
        #expect(try await store.text("SELECT count(*) FROM sensor_event_runs") == ["6"])
        #expect(try await store.text("SELECT count(*) FROM sensor_event_index") == ["1000"])
        #expect(try await listing() == before)
        _ = try await store.applyRetention(RetentionPolicy(eventAge: .seconds(100)), now: StoreInput.second(1000))
        #expect(try await listing() == before.prefix(try await listing().count).map(\.self))
        #expect(try await store.events(RecordQuery(limit: 1000)).count == 100)
        try await store.close()
    }
}
