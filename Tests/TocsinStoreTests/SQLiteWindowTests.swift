import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

@Suite struct SQLiteWindowTests {
    /// A window that holds only what was sent again says less than the one that is there.
    @Test func aWindowIsNeverReplacedByOneOfFewerReadings() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        // The first statistic is the count.
        for (count, score) in [(11.0, 0.1), (1, 0.2), (11, 0.3), (10, 0.4), (12, 0.5), (1, 0.6)] {
            var input = StoreInput(table: table)
            input.window("a", "t", start: 0, base: count, score: score)
            try await store.write([input.outcome])
        }
        let windows = try await store.windows(RecordQuery(sensor: "a", metric: "t"))
        #expect(windows.map(\.score) == [0.5])
        #expect(windows.first?.statistics.first == 12)
        try await store.close()
    }
}
