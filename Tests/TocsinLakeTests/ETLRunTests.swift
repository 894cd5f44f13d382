import Foundation
import Testing
import TocsinCore
import TocsinLake

@Suite(.enabled(if: TestDuckDB.isThere, "\(TestDuckDB.comment)"), .serialized)
struct ETLRunTests {
    private let next = LakePartition(hourOf: TestLake.hour.end)

    private func twoHours() throws -> TestLake {
        let lake = try TestLake()
        try lake.bronze(
            "part-1.parquet",
            (0..<50).map {
                TestLake.message("s\($0 % 7)", second: Double($0), "MAP {'temperature': \(Double($0) / 7)}")
            })
        try lake.bronze(
            "part-2.parquet",
            (0..<50).map {
                TestLake.message("s\($0 % 7)", second: Double($0), "MAP {'x': \(Double($0) / 3)}", hour: next)
            }, hour: next)
        return lake
    }

    @Test func aSecondRunMakesTheSameFilesAndNothingNew() async throws {
        let lake = try twoHours()
        let first = await lake.run()
        #expect(
            first.job.error == nil
                && first.made == ["silver/readings": 2, "gold/hourly": 1, "gold/daily": 1, "gold/features": 2])
        let files = try await lake.files("")
        let second = await lake.run()
        #expect(second.made.isEmpty && second.unchanged == first.made && second.rows.isEmpty)
        #expect(try await lake.files("") == files)
        // All made anew, by one worker instead of two: the same bytes.
        for name in files.keys where !name.hasPrefix("bronze") { try await lake.storage.delete(name) }
        #expect(await lake.run { $0.workers = 1 }.made == first.made)
        #expect(try await lake.files("") == files)
    }

    @Test func onlyWhatChangedIsMadeAnew() async throws {
        let lake = try twoHours()
        _ = await lake.run()
        let files = Set(try await lake.files("silver").keys)
        try lake.bronze("part-3.parquet", [TestLake.message("s9", second: 5, "MAP {'x': 1.0}", hour: next)], hour: next)
        let result = await lake.run()
        #expect(result.made == ["silver/readings": 1, "gold/hourly": 1, "gold/daily": 1, "gold/features": 1])
        #expect(Set(try await lake.files("silver").keys).intersection(files).count == 1)
        #expect(try lake.rows("SELECT count(*) FROM table(silver/readings)") == ["101"])
        // Limits are part of what silver is made of.
        #expect(await lake.run { $0.ranges = [] }.made["silver/readings"] == 2)
    }

    @Test func rangeAndLayerCutTheWork() async throws {
        let lake = try twoHours()
        let result = await lake.run { settings in
            settings.layers = [.silver]
            settings.end = TestLake.hour.end
        }
        #expect(result.made == ["silver/readings": 1] && result.rows["rows_in"] == 50)
        #expect(
            await lake.run { $0.tables = ["gold/daily"] }.made == [
                "silver/readings": 1, "gold/hourly": 1, "gold/daily": 1,
            ])
    }

    @Test func whatAKilledRunLeftIsClearedAway() async throws {
        let lake = try twoHours()
        _ = await lake.run()
        let files = try await lake.files("")
        let silver = try #require(files.keys.first { $0.hasPrefix("silver") })
        // Killed between the new file and the deletion of the one before it, and with a file in the making.
        let old = silver.split(separator: "/").dropLast().joined(separator: "/") + "/part-0000000000000000.parquet"
        try FileManager.default.copyItem(
            atPath: lake.folder.file("lake/\(silver)"), toPath: lake.folder.file("lake/\(old)"))
        try lake.folder.write([1, 2, 3], to: "state/etl/0/result.parquet")
        #expect(await lake.run().job.error == nil)
        #expect(try await lake.files("") == files)
        #expect(try FileManager.default.contentsOfDirectory(atPath: lake.folder.file("state/etl")).isEmpty)
    }

    @Test func aDamagedFileIsNamedAndTheRestGoesOn() async throws {
        let lake = try twoHours()
        let path = LakeFile(.events, TestLake.hour, name: "part-9.parquet").path
        try lake.folder.write(Array("PAR1 no parquet at all PAR1".utf8), to: "lake/\(path)")
        let result = await lake.run()
        #expect(result.job.error == nil && result.skipped.map(\.name) == [path] && result.rows["rows_out"] == 100)
        let again = await lake.run()
        #expect(again.skipped.map(\.name) == [path] && again.made.isEmpty)
    }

    @Test func aPassedLimitFailsTheRunAndNamesTheRule() async throws {
        let lake = try TestLake()
        try lake.bronze(
            "part-1.parquet",
            [
                TestLake.message("a", second: 1, "MAP {'temperature': 999.0}"),
                TestLake.message("a", second: 2, "MAP {'temperature': 9.0}"),
            ])
        let result = await lake.run { $0.maximumShares = ["out_of_range": 0.25, "late": 0.1] }
        #expect(!result.isSuccess && result.exceeded.map(\.rule) == ["out_of_range"])
        #expect(result.job.state == .failed && result.job.error?.contains("out_of_range: 1 of 2 rows (50.0 %)") == true)
        #expect(result.reports.map(\.exceedsLimit) == [true])
        #expect(try lake.rows("SELECT count(*) FROM table(gold/hourly)") == ["1"])
    }

    @Test func anHourWhoseBronzeAgedOutIsKept() async throws {
        let lake = try twoHours()
        _ = await lake.run()
        try await lake.storage.delete(LakeFile(.events, TestLake.hour, name: "part-1.parquet").path)
        try lake.bronze("part-8.parquet", [TestLake.message("s1", second: 3, "MAP {'late': 1.0}")])
        let result = await lake.run()
        #expect(result.job.error == nil && result.kept == ["silver/readings/\(TestLake.hour.path)"])
        #expect(try lake.rows("SELECT count(*) FROM table(silver/readings)") == ["100"])
    }

    @Test func verdictsComeFromTheStoreAndStayWhenItForgets() async throws {
        let lake = try twoHours()
        let raised = TestLake.hour.start.advanced(by: .seconds(10))
        let window = StoredWindow(
            sensor: "s1", metric: "x", start: TestLake.hour.start, end: raised,
            statistics: [Double](repeating: .nan, count: WindowStatistic.columns), score: 0.5)
        var source = ListedGold(
            anomalies: [.of("s1", "temperature", time: raised)], alarms: [.of("s1", nil, raised: raised, cleared: nil)],
            windows: [window])
        #expect(await lake.run(source: source).job.error == nil)
        let files = try await lake.files("")
        #expect(await lake.run(source: source).made.isEmpty)
        #expect(try await lake.files("") == files)
        #expect(try lake.rows("SELECT sensor, state, cleared FROM table(gold/alarms)") == ["s1|open|NULL"])
        #expect(try lake.rows("SELECT sensor, contributions['temperature'] FROM table(gold/anomalies)") == ["s1|1.0"])
        #expect(try lake.rows("SELECT sensor, mean, forest_score FROM table(gold/windows)") == ["s1|NULL|0.5"])
        let alarmed = "SELECT count(*) FROM table(silver/readings) WHERE is_alarmed"
        #expect(try lake.rows(alarmed) == ["12"])
        // The alarm ends: only then the hours that it touched are flagged anew.
        source.alarms = [.of("s1", nil, raised: raised, cleared: raised.advanced(by: .seconds(9)))]
        source.anomalies = []
        #expect(await lake.run(source: source).job.error == nil)
        #expect(try lake.rows(alarmed) == ["1"])
        #expect(try lake.rows("SELECT count(*) FROM table(gold/anomalies)") == ["1"])
        // Without the store the lake's own alarms hold.
        #expect(await lake.run().made.isEmpty)
    }

    @Test func plainFilesBecomeBronzeOnce() async throws {
        let lake = try TestLake()
        try lake.folder.write(Array("a,1\nb,2\n".utf8), to: "in/x.csv")
        try lake.folder.write(Array("c,3\n".utf8), to: "in/deep/y.ndjson")
        try lake.folder.write(Array("bad".utf8), to: "in/z.csv")
        try lake.folder.write(Array("no".utf8), to: "in/readme.txt")
        let input = PlainInput(lake.settings, storage: lake.storage, reader: LineReader())
        let first = try await input.run(lake.folder.file("in"))
        #expect((first.files, first.messages, first.unparsable, first.made) == (3, 3, 0, 3))
        #expect(first.skipped.map(\.name) == [lake.folder.file("in/z.csv")])
        let files = try await lake.files("")
        let second = try await input.run(lake.folder.file("in"))
        #expect((second.made, second.unchanged) == (0, 3))
        #expect(try await lake.files("") == files)
        // A changed file takes the place of its former self.
        try lake.folder.write(Array("a,1\nb,5\nd,6\n".utf8), to: "in/x.csv")
        _ = try await input.run(lake.folder.file("in"))
        #expect(
            try lake.rows("SELECT sensor, readings['v'], \"position\", received FROM table(bronze/events) ORDER BY 1")
                == [
                    "a|1.0|0|NULL", "b|5.0|4|NULL", "c|3.0|0|NULL", "d|6.0|8|NULL",
                ])
        let result = await lake.run()
        #expect(result.rows["rows_out"] == 4 && result.rows["late"] == 0)
        await #expect(throws: TocsinError.self) { try await input.run(lake.folder.file("none")) }
    }
}

/// `sensor,value` lines, one a minute (sensor a) or an hour (others).
private struct LineReader: PlainReader {
    func read(
        _ path: String, source: String, into table: SeriesTable, _ body: @Sendable (Batch) async throws -> Void
    ) async throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: source, position: 0, received: Timestamp(nanoseconds: 1)))
        batch.bytes = Array(text.utf8)
        var offset = 0
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ",")
            guard parts.count == 2, let value = Double(parts[1]) else {
                throw TocsinError(.format, "No line.", place: path)
            }
            let name = String(parts[0])
            let ids = table.withIndex { index -> (SensorID, SeriesID)? in
                guard let sensor = index.sensor(name.utf8.span), let metric = index.metric("v".utf8.span),
                    let series = index.series(sensor, metric)
                else { return nil }
                return (sensor, series)
            }
            guard let (sensor, series) = ids else { return }
            batch.series.append(series)
            batch.values.append(value)
            let hour = name == "a" ? Span64.minutes(1) : .hours(1)
            batch.appendEvent(
                sensor: sensor, time: TestLake.hour.start.advanced(by: hour), key: 0,
                payload: ByteRange(offset: offset, length: line.utf8.count), label: .none)
            offset += line.utf8.count + 1
        }
        try await body(batch)
    }
}
