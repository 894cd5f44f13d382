import Foundation
import Testing
import TocsinCore
import TocsinLake

/// Limits are held against the whole range, and messages that could not be decoded count.
@Suite(.enabled(if: TestDuckDB.isThere, "\(TestDuckDB.comment)"))
struct ETLLimitTests {
    /// Hour 7: half of the readings out of range; hour 8: none.
    private func halfBad() throws -> TestLake {
        let lake = try TestLake()
        let next = LakePartition(hourOf: TestLake.hour.end)
        try lake.bronze(
            "part-1.parquet",
            [
                TestLake.message("a", second: 1, "MAP {'temperature': 999.0}"),
                TestLake.message("a", second: 2, "MAP {'temperature': 9.0}"),
            ])
        try lake.bronze(
            "part-2.parquet",
            (0..<6).map { TestLake.message("a", second: Double($0), "MAP {'temperature': 9.0}", hour: next) },
            hour: next)
        return lake
    }

    @Test func hoursThatStayAsTheyWereCountWithTheirFigures() async throws {
        let lake = try halfBad()
        #expect(await lake.run().judged == nil)
        let again = await lake.run { $0.maximumShares = ["out_of_range": 0.1] }
        #expect(again.made.isEmpty && again.rows.isEmpty)
        #expect(again.judged?["rows_in"] == 8 && again.judged?["out_of_range"] == 1 && again.unjudged.isEmpty)
        #expect(
            again.exceeded.map(\.sentence) == [
                "out_of_range: 1 of 8 rows (12.5 %) are more than the limit of 10.0 %."
            ])
        let wide = await lake.run { $0.maximumShares = ["out_of_range": 0.2] }
        #expect(wide.isSuccess)
        // Of the range only.
        let first = await lake.run {
            $0.maximumShares = ["out_of_range": 0.2]
            $0.end = TestLake.hour.end
        }
        #expect(first.judged?["rows_in"] == 2 && !first.isSuccess)
    }

    @Test func figuresOutliveBronzeAndLayersThatAreNotMade() async throws {
        let lake = try halfBad()
        _ = await lake.run()
        try await lake.storage.delete(LakeFile(.events, TestLake.hour, name: "part-1.parquet").path)
        let result = await lake.run {
            $0.maximumShares = ["out_of_range": 0.1]
            $0.layers = [.gold]
        }
        #expect(result.judged?["out_of_range"] == 1 && result.judged?["rows_in"] == 8)
    }

    @Test func aRunThatWasKilledBetweenHoursIsJudgedWhole() async throws {
        let lake = try halfBad()
        // The first hour was made by a process that then was killed.
        _ = await lake.run { $0.end = TestLake.hour.end }
        let result = await lake.run { $0.maximumShares = ["out_of_range": 0.1] }
        #expect(result.rows["rows_in"] == 6 && result.judged?["rows_in"] == 8 && !result.isSuccess)
    }

    @Test func filesSayTheirFiguresToAnyReader() async throws {
        let lake = try halfBad()
        _ = await lake.run()
        let text = try lake.rows(
            "SELECT DISTINCT trim(decode(value)) FROM parquet_kv_metadata('\(lake.folder.file("lake"))"
                + "/silver/readings/\(TestLake.hour.path)/*.parquet') WHERE decode(key) = 'tocsin_rows'")
        #expect(text.first?.contains("rows_in=2\n") == true && text.first?.contains("out_of_range=1\n") == true)
    }

    @Test func anUnknownRuleIsRefusedBeforeAnythingIsMade() async throws {
        let lake = try halfBad()
        let result = await lake.run { $0.maximumShares = ["outofrange": 0.1] }
        #expect(!result.isSuccess && result.made.isEmpty)
        #expect(result.job.error?.contains("'outofrange'") == true)
        #expect(result.job.error?.contains("unparsable, not_finite, duplicate, out_of_range, future, late") == true)
        var settings = lake.settings
        settings.maximumShares = ["rows_out": 0.5]
        await #expect(throws: TocsinError.self) {
            try await ETLRun.check(settings, transforms: nil, location: lake.storage.location)
        }
        settings.maximumShares = ["future": 0.5]
        try await ETLRun.check(settings, transforms: nil, location: lake.storage.location)
    }

    @Test func aUsersRuleCanHaveALimit() async throws {
        let lake = try halfBad()
        let sql = """
            SELECT unnest([{'rule': 'rows_in', 'rows': (SELECT count(*) FROM input)},
                {'rule': 'rows_out', 'rows': (SELECT count(*) FROM output)},
                {'rule': 'cold', 'rows': (SELECT count(*) FROM output WHERE "value" < 10)}], recursive := true)
            """
        try lake.folder.write(Array(sql.utf8), to: "sql/silver/quality.sql")
        let result = await lake.run(transforms: lake.folder.file("sql")) { $0.maximumShares = ["cold": 0.5] }
        #expect(result.exceeded.map(\.rule) == ["cold"] && result.judged?["cold"] == 7)
        let unknown = await lake.run(transforms: lake.folder.file("sql")) { $0.maximumShares = ["late": 0.5] }
        #expect(unknown.job.error?.contains("Known rules are cold.") == true)
    }

    @Test func whatCannotBeDecodedCountsAndIsNamed() async throws {
        let lake = try TestLake()
        let lines = (0..<30).map { $0 % 2 == 0 ? "good \($0)" : "bad \($0)" }
        try lake.folder.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: "in/a.ndjson")
        let input = PlainInput(lake.settings, storage: lake.storage, reader: HalfReader())
        let imported = try await input.run(lake.folder.file("in"))
        #expect(imported.messages == 15 && imported.unparsable == 15 && imported.undecoded.count == 10)
        #expect(imported.undecoded.map(\.line) == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
        #expect(imported.undecoded[0].file == lake.folder.file("in/a.ndjson"))
        #expect(imported.undecoded[0].reason == "no reading in 'bad 1'")
        let result = await lake.run {
            $0.undecoded = imported.unparsable
            $0.maximumShares = ["unparsable": 0.4]
        }
        #expect(result.rows["rows_in"] == 30 && result.rows["unparsable"] == 15 && result.rows["rows_out"] == 15)
        #expect(!result.isSuccess && result.exceeded.map(\.rule) == ["unparsable"])
        let again = await lake.run {
            $0.undecoded = imported.unparsable
            $0.maximumShares = ["unparsable": 0.6]
        }
        #expect(again.isSuccess && again.judged?["rows_in"] == 30 && again.judged?["unparsable"] == 15)
    }
}

/// Lines in batches of four; "good" ones are readings.
private struct HalfReader: PlainReader {
    func read(
        _ path: String, source: String, into table: SeriesTable, _ body: @Sendable (Batch) async throws -> Void
    ) async throws {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        var position = 0
        for start in stride(from: 0, to: lines.count, by: 4) {
            var batch = Batch(
                origin: Origin(
                    source: SourceID(0), sourceName: source, position: Int64(position),
                    received: Timestamp(nanoseconds: 1)))
            for (index, line) in lines[start..<min(start + 4, lines.count)].enumerated() {
                let payload = ByteRange(offset: batch.bytes.count, length: line.utf8.count)
                batch.bytes += Array(line.utf8) + [10]
                guard line.hasPrefix("good") else {
                    batch.rejects.append(
                        Reject(reason: .malformed, detail: "no reading in '\(line)'", payload: payload))
                    continue
                }
                table.withIndex { table in
                    guard let sensor = table.sensor("s".utf8.span), let metric = table.metric("v".utf8.span),
                        let series = table.series(sensor, metric)
                    else { return }
                    batch.series.append(series)
                    batch.values.append(1)
                    batch.appendEvent(
                        sensor: sensor, time: TestLake.hour.start.advanced(by: .seconds(Int64(start + index))), key: 0,
                        payload: payload, label: .none)
                }
            }
            position += batch.bytes.count
            try await body(batch)
        }
    }
}
