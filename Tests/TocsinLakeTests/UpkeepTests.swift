import Foundation
import Testing
import TocsinCore
import TocsinLake

@Suite(.enabled(if: TestDuckDB.isThere, "\(TestDuckDB.comment)"), .serialized)
struct UpkeepTests {
    private struct LaterClock: WallClock {
        func now() -> Timestamp { SystemClock().now().advanced(by: .hours(3)) }
    }

    private func compaction(_ lake: TestLake, clock: any WallClock = LaterClock()) -> Compaction {
        var settings = CompactionSettings(workFolder: lake.folder.file("state/compaction"))
        settings.duckdb = TestDuckDB.settings
        return Compaction(settings, storage: lake.storage, clock: clock)
    }

    private func smallFiles() throws -> TestLake {
        let lake = try TestLake()
        for file in 0..<6 {
            try lake.bronze(
                "part-\(file).parquet",
                (0..<10).map {
                    TestLake.message(
                        "s\($0 % 3)", second: Double(file * 10 + $0), "MAP {'temperature': \(Double($0))}",
                        units: "MAP {'temperature': 'C'}", position: $0)
                })
        }
        return lake
    }

    private let sums = "SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM table(bronze/events) AS t"

    @Test func smallFilesBecomeOneAndNothingIsMadeAnew() async throws {
        let lake = try smallFiles()
        _ = await lake.run()
        let (rows, silver) = (try lake.rows(sums), try await lake.files("silver"))
        #expect(try await compaction(lake, clock: SystemClock()).run().hours == 0)
        let result = try await compaction(lake).run()
        #expect((result.hours, result.filesBefore) == (1, 6) && result.bytesAfter < result.bytesBefore)
        #expect(try await lake.files("bronze").count == 1)
        #expect(try await lake.files("_compaction").isEmpty)
        #expect(try lake.rows(sums) == rows)
        #expect(
            try lake.rows("SELECT sensor, count(*), min(\"time\") FROM table(bronze/events) GROUP BY 1 ORDER BY 1")
                .count == 3)
        #expect(await lake.run().made.isEmpty)
        #expect(try await lake.files("silver") == silver)
        #expect(try await compaction(lake).run().hours == 0)
    }

    @Test func aCompactionThatWasKilledIsFinishedOrUndone() async throws {
        let lake = try smallFiles()
        _ = await lake.run()
        let rows = try lake.rows(sums)
        let sources = try await lake.files("bronze")
        _ = try await compaction(lake).run()
        let target = try #require(try await lake.files("bronze").keys.first)
        // Killed after the new file appeared and one source went.
        for (name, bytes) in sources.sorted(by: { $0.key < $1.key }).dropFirst() {
            try lake.folder.write(bytes, to: "lake/\(name)")
        }
        let note = ([target] + sources.keys.sorted()).joined(separator: "\n")
        try lake.folder.write(Array(note.utf8), to: "lake/_compaction/1.txt")
        #expect(await lake.run().made.isEmpty)
        #expect(try lake.rows(sums) == rows)
        #expect(Array(try await lake.files("bronze").keys) == [target])
        // Killed before the new file appeared: its sources stay.
        try await lake.storage.delete(target)
        for (name, bytes) in sources { try lake.folder.write(bytes, to: "lake/\(name)") }
        try lake.folder.write(Array(note.utf8), to: "lake/_compaction/1.txt")
        try await Compaction.recover(lake.storage)
        #expect(try await lake.files("bronze") == sources)
        // A note that names anything else deletes nothing.
        let other = "gold/hourly/date=2025-10-01/part-1.parquet"
        try lake.folder.write([1], to: "lake/\(other)")
        try lake.folder.write(
            Array("\(try #require(sources.keys.first))\n\(other)\n../x".utf8), to: "lake/_compaction/2.txt")
        try await Compaction.recover(lake.storage)
        #expect(try await lake.files(other).count == 1)
        #expect(try await lake.files("_compaction").isEmpty)
    }

    @Test func aDamagedFileStaysOutOfCompaction() async throws {
        let lake = try smallFiles()
        let path = LakeFile(.events, TestLake.hour, name: "part-9.parquet").path
        try lake.folder.write(Array("PAR1 no parquet PAR1".utf8), to: "lake/\(path)")
        let result = try await compaction(lake).run()
        #expect(result.skipped.map(\.name) == [path] && result.filesBefore == 6)
        #expect(try await lake.files("bronze").count == 2)
    }

    @Test func oldDaysGoByLayerAndSizesSayWhatIsThere() async throws {
        let lake = try smallFiles()
        let later = LakePartition(day: TestLake.hour.day + 40, hour: 3)
        try lake.bronze(
            "part-1.parquet", [TestLake.message("a", second: 0, "MAP {'x': 1.0}", hour: later)], hour: later)
        #expect(await lake.run().job.error == nil)
        let sizes = try await LakeTableSize.all(of: lake.storage)
        #expect(
            sizes.map(\.table) == ["bronze/events", "silver/readings", "gold/daily", "gold/features", "gold/hourly"])
        #expect(sizes[0].files == 7 && sizes[0].oldest == TestLake.hour.start && sizes[0].newest == later.end)
        let now = later.end.advanced(by: .hours(24))
        let deleted = try await LakeRetention(ages: [.bronze: .days(30)]).apply(to: lake.storage, now: now)
        #expect(deleted[.bronze]?.files == 6 && deleted.count == 1)
        #expect(try await lake.files("bronze").count == 1)
        #expect(try await lake.files("silver").count == 2)
        #expect(await lake.run().made.isEmpty)
        _ = try await LakeRetention(ages: [.silver: .days(30)]).apply(to: lake.storage, now: now)
        #expect(await lake.run().made.isEmpty)
        #expect(try lake.rows("SELECT count(*) FROM table(gold/hourly)") == ["4"])
    }
}
