import Foundation
import GRDB
import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

/// Chunks under retention, and chunks whose bytes a disk has changed.
@Suite struct WindowDamageTests {
    private static let columns = [
        "series", "start", "count", "mean", "minimum", "maximum", "standard_deviation", "score", "statistics",
    ]

    @Test(arguments: columns)
    func aFlippedBitIsNamedAndTheOtherChunksAreRead(_ column: String) async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        let table = SeriesTable()
        let store = try SQLiteStore(path: path, table: table)
        for group in 0..<3 as Range<Int64> {
            var input = StoreInput(table: table)
            for row in 0..<200 { input.window("s\(row)", "t", start: group * 10, base: Double(row) / 7) }
            try await store.write([input.outcome])
        }
        try await store.close()
        let whole = try folder.read(path)
        var generator = Generator(state: 3)
        for round in 0..<12 {
            let image = folder.path("\(column)\(round).db")
            try folder.write(whole, to: image)
            try Self.flip(column, ofRow: 2, in: image, &generator, isCut: round % 4 == 3)
            let damaged = try SQLiteStore(path: image, table: SeriesTable())
            let error = await #expect(throws: TocsinError.self) {
                _ = try await damaged.windows(RecordQuery(limit: 1000))
            }
            #expect(error?.place == image)
            #expect(error?.message.contains("row 2 of window_chunks") == true)
            #expect(error?.remedy?.contains("WHERE id = 2") == true)
            let newest = RecordQuery(start: StoreInput.second(20), limit: 1000)
            #expect(try await damaged.windows(newest).count == 200)
            let oldest = RecordQuery(sensor: "s7", end: StoreInput.second(10))
            #expect(try await damaged.windows(oldest).map { $0.statistics[0] } == [1])
            // Old windows go, damaged or not.
            let policy = RetentionPolicy(windowAge: .seconds(0))
            let deleted = try await damaged.applyRetention(policy, now: StoreInput.second(15))
            #expect(deleted == ["windows": 400])
            #expect(try await damaged.windows(RecordQuery(limit: 1000)).count == 200)
            try await damaged.close()
        }
    }

    /// Changes one bit of a blob, or cuts its end off.
    private static func flip(
        _ column: String, ofRow id: Int64, in path: String, _ generator: inout Generator, isCut: Bool
    ) throws {
        let queue = try DatabaseQueue(path: path)
        let bit = generator.next()
        try queue.write { database in
            let stored = try Data.fetchOne(
                database, sql: "SELECT \(column) FROM window_chunks WHERE id = ?", arguments: [id])
            var blob = try #require(stored.map(Array.init))
            if isCut { blob.removeLast() } else { blob[Int(bit / 8 % UInt64(blob.count))] ^= 1 << UInt8(bit % 8) }
            try database.execute(
                sql: "UPDATE window_chunks SET \(column) = ? WHERE id = ?", arguments: [Data(blob), id])
        }
        try queue.close()
    }

    @Test func aDamagedChunkDoesNotStopWritingOrMerging() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        let table = SeriesTable()
        let settings = SQLiteSettings(unindexedRows: 1024)
        for process in 0..<3 {
            let store = try SQLiteStore(path: path, table: table, settings: settings)
            for second in 0..<3 as Range<Int64> {
                var input = StoreInput(table: table)
                for row in 0..<10 { input.window("s\(row)", "t", start: Int64(process) * 10 + second, base: 1) }
                try await store.write([input.outcome])
            }
            try await store.close()
            guard process == 0 else { continue }
            var generator = Generator(state: 1)
            try Self.flip("mean", ofRow: 1, in: path, &generator, isCut: false)
        }
        let store = try SQLiteStore(path: path, table: table, settings: settings)
        #expect(try await store.windows(RecordQuery(start: StoreInput.second(1), limit: 1000)).count == 80)
        #expect(try await store.text("SELECT sum(rows) FROM window_chunks") == ["90"])
        try await store.close()
    }

    @Test func retentionCutsThroughChunks() async throws {
        let table = SeriesTable()
        let store = try SQLiteStore.temporary(table: table)
        var input = StoreInput(table: table)
        // Ordered by series, so that every chunk holds all times.
        for second in 0..<600 as Range<Int64> {
            for sensor in 0..<3 { input.window("s\(sensor)", "t", start: second, base: Double(second), score: 0.25) }
        }
        try await store.write([input.outcome])
        var left = 1800
        for age in [550, 550, 300, 299, 0] as [Int64] {
            let deleted = try await store.applyRetention(
                RetentionPolicy(windowAge: .seconds(age)), now: StoreInput.second(600))
            #expect(deleted["windows", default: 0] == left - Int(age) * 3)
            left = Int(age) * 3
            let windows = try await store.windows(RecordQuery(limit: 10_000))
            #expect(windows.count == left)
            #expect(windows.allSatisfy { $0.start >= StoreInput.second(600 - age) && $0.score == 0.25 })
            #expect(try await store.statistics().rows["windows"] == left)
        }
        #expect(try await store.text("SELECT count(*) FROM window_chunks") == ["0"])
        try await store.close()
    }
}
