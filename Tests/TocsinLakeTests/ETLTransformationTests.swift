import Testing
import TocsinCore
import TocsinLake

/// Each SQL file on a few rows: rows in, rows out.
@Suite(.enabled(if: TestDuckDB.isThere, "\(TestDuckDB.comment)"), .serialized)
struct ETLTransformationTests {
    private func at(_ second: Double) -> Timestamp {
        TestLake.hour.start.advanced(by: .milliseconds(Int64(second * 1000)))
    }

    @Test func silverTakesOverRefusesAndFlags() async throws {
        let lake = try TestLake()
        try lake.bronze(
            "part-1.parquet",
            [
                TestLake.message(
                    "b", second: 1, key: 7, "MAP {'temperature': 20.0, 'humidity': 40.0}",
                    units: "MAP {'temperature': 'C'}", zone: "hall"),
                // Not late by received, flagged by range.
                TestLake.message("a", second: 2, "MAP {'temperature': 99.0}"),
                TestLake.message("a", second: 3, received: 3600, "MAP {'temperature': 21.0}"),
                TestLake.message("a", second: 4, "MAP {'temperature': 'nan'::DOUBLE}"),
                TestLake.message("a", second: 5, "MAP {}"),
                TestLake.message(nil, second: 6, "MAP {'temperature': 1.0}"),
            ])
        try lake.bronze(
            "part-2.parquet",
            [
                // The same event again, later, with another value: the first received stays.
                TestLake.message("b", second: 1, key: 7, received: 9, "MAP {'temperature': 25.0, 'humidity': 45.0}"),
                // Without an id: other metrics of the same time are another message, the same ones a repetition.
                TestLake.message("a", second: 2, "MAP {'humidity': 50.0}"),
                TestLake.message("a", second: 2, received: 5, "MAP {'temperature': 98.0}"),
                // Another id makes no other reading of the same metric and time.
                TestLake.message("b", second: 1, key: 8, received: 0.2, "MAP {'temperature': 22.0}"),
            ])
        let source = ListedGold(alarms: [.of("b", "temperature", raised: at(0.5), cleared: at(30))])
        let result = await lake.run(source: source)
        #expect(result.job.error == nil)
        #expect(
            try lake.rows(
                "SELECT sensor, metric, epoch_ms(\"time\") % 60000, \"value\", unit, \"zone\", is_late, quality, is_alarmed FROM table(silver/readings) ORDER BY 1, 3, 2, 4"
            ) == [
                "a|humidity|2000|50.0|NULL|NULL|false||false",
                "a|temperature|2000|99.0|NULL|NULL|false|out_of_range|false",
                "a|temperature|3000|21.0|NULL|NULL|true||false",
                "b|humidity|1000|40.0|NULL|hall|false||false",
                "b|temperature|1000|20.0|C|hall|false||true",
            ])
        #expect(
            result.rows == [
                "rows_in": 12, "duplicate": 4, "not_finite": 1, "unparsable": 2, "out_of_range": 1, "future": 0,
                "late": 1,
                "rows_out": 5,
            ])
        let report = try #require(result.reports.first)
        #expect(result.reports.count == 1)
        #expect((report.rowsIn, report.rowsOut) == (12, 5))
        #expect(
            report.rules
                == "{\"unparsable\":2,\"not_finite\":1,\"duplicate\":4,\"out_of_range\":1,\"future\":0,\"late\":1}")
    }

    @Test func repetitionsAreThoseOfTheEngine() async throws {
        let lake = try TestLake()
        let kept = "SELECT metric, epoch_ms(\"time\") % 60000, \"value\" FROM table(silver/readings) ORDER BY 2, 1, 3"
        try lake.bronze(
            "part-1.parquet",
            [
                // One event in narrow messages of one id: its metrics are no repetitions of one another.
                TestLake.message("a", second: 1, key: 5, "MAP {'x': 1.0}", position: 1),
                TestLake.message("a", second: 1, key: 5, "MAP {'y': 2.0}", position: 2),
                TestLake.message("a", second: 1, key: 5, "MAP {'z': 3.0}", position: 3),
                // The same metric at the same time, by another way, with another id.
                TestLake.message("a", second: 1, key: 6, received: 2, "MAP {'y': 9.0}", position: 4),
                // Partly there already: one value of each metric stays, by the order of first metrics.
                TestLake.message("a", second: 2, "MAP {'x': 4.0}", position: 5),
                TestLake.message("a", second: 2, received: 3, "MAP {'w': 5.0, 'x': 9.0}", position: 6),
                // The first metric is there: nothing of it is taken over.
                TestLake.message("a", second: 3, "MAP {'x': 6.0}", position: 7),
                TestLake.message("a", second: 3, received: 3, "MAP {'x': 9.0, 'w': 9.0}", position: 8),
                // The same id at another time.
                TestLake.message("a", second: 4, key: 7, "MAP {'x': 7.0}", position: 9),
                TestLake.message("a", second: 5, key: 7, "MAP {'x': 9.0}", position: 10),
                // Another sensor's ids are its own.
                TestLake.message("b", second: 6, key: 7, "MAP {'x': 8.0}", position: 11),
            ])
        let result = await lake.run()
        #expect(result.job.error == nil)
        #expect(
            try lake.rows(kept) == [
                "x|1000|1.0", "y|1000|2.0", "z|1000|3.0", "w|2000|5.0", "x|2000|9.0", "x|3000|6.0", "x|4000|7.0",
                "x|6000|8.0",
            ])
        #expect(result.rows["rows_in"] == 13 && result.rows["duplicate"] == 5 && result.rows["rows_out"] == 8)
    }

    @Test func whatTheEngineRefusedIsNotGood() async throws {
        let lake = try TestLake()
        try lake.bronze(
            "part-1.parquet",
            [
                // Five minutes ahead may be; what is further ahead was refused, and makes nothing a repetition.
                TestLake.message("a", second: 1, received: -300, "MAP {'x': 1.0}"),
                TestLake.message("a", second: 2, received: -301, "MAP {'x': 2.0}"),
                TestLake.message("a", second: 3, received: -301, "MAP {'x': 3.0}"),
                TestLake.message("a", second: 3, received: 1, "MAP {'x': 4.0}"),
                // Ranges are the engine's, whose names of metrics know no case.
                TestLake.message("a", second: 4, "MAP {'Temperature': 99.0}"),
            ])
        let result = await lake.run { $0.maximumShares = ["future": 0.1] }
        #expect(
            try lake.rows("SELECT \"value\", quality FROM table(silver/readings) ORDER BY 1")
                == ["1.0|", "2.0|future", "4.0|", "99.0|out_of_range"])
        #expect(result.rows["future"] == 1 && result.exceeded.map(\.rule) == ["future"])
        #expect(try lake.rows("SELECT \"count\", flagged_count FROM table(gold/hourly) WHERE metric = 'x'") == ["2|1"])
    }

    @Test func lateIsWhatComesWhenItsPartOfAWindowIsOver() async throws {
        let lake = try TestLake()
        // Five minutes of lateness, parts of one minute: second 30 is over at 06:00 after the hour.
        try lake.bronze(
            "part-1.parquet",
            [
                TestLake.message("a", second: 30, received: 329, "MAP {'x': 1.0}"),
                TestLake.message("a", second: 31, received: 329, "MAP {'x': 2.0}"),
            ])
        _ = await lake.run()
        #expect(try lake.rows("SELECT is_late FROM table(silver/readings) ORDER BY \"time\"") == ["false", "true"])
    }

    @Test func textsOfManyValuesAreTakenOverToo() async throws {
        let lake = try TestLake()
        let sql = TestLake.message("a", second: 0, "MAP {'x': 1.0}", units: "MAP {'x': 'm'}", zone: "z")
        let many = """
            SELECT 's' || i AS sensor, "time" + to_microseconds(i) AS "time", time_ns + i * 1000 AS time_ns, event_key,
                'source ' || i AS source, "position", received, 'zone ' || i AS "zone",
                MAP {'metric ' || i: i::DOUBLE} AS readings, MAP {'metric ' || i: 'unit ' || i} AS units, payload,
                spool_record
            FROM (\(sql)), range(5000) AS r(i)
            """
        try lake.bronze("part-1.parquet", [many])
        let result = await lake.run()
        #expect(result.job.error == nil && result.rows["rows_out"] == 5000)
        let wrong = "sensor <> 's' || i OR metric <> 'metric ' || i OR unit <> 'unit ' || i OR source <> 'source ' || i"
        #expect(
            try lake.rows(
                "SELECT count(*) FROM (SELECT *, \"value\"::INT AS i FROM table(silver/readings)) WHERE \(wrong)")
                == ["0"])
    }

    @Test func hoursAndDaysHaveTheFiguresOfTheirReadings() async throws {
        let lake = try TestLake()
        let next = LakePartition(hourOf: TestLake.hour.end)
        try lake.bronze(
            "part-1.parquet",
            [
                TestLake.message("a", second: 10, "MAP {'temperature': 1.0}"),
                TestLake.message("a", second: 20, "MAP {'temperature': 4.0}"),
                TestLake.message("a", second: 15, "MAP {'temperature': 2.5}"),
                TestLake.message("a", second: 30, "MAP {'temperature': 900.0}"),
            ])
        try lake.bronze(
            "part-2.parquet",
            [
                TestLake.message("a", second: 1, received: 900, "MAP {'temperature': 7.0}", hour: next),
                TestLake.message("b", second: 1, "MAP {'temperature': 3.0}", hour: next),
            ], hour: next)
        let source = ListedGold(
            anomalies: [.of("a", nil, time: at(30)), .of("a", "temperature", time: at(31), id: "n2")],
            alarms: [
                .of("a", "temperature", raised: at(25), cleared: at(60)),
                .of("b", nil, raised: next.start, cleared: nil, id: "a2"),
            ])
        #expect(await lake.run(source: source).job.error == nil)
        let figures =
            "\"count\", \"avg\", \"min\", \"max\", \"sum\", stddev, \"first\", \"last\", alert_count, anomaly_count, alarmed_count, late_count, flagged_count"
        #expect(
            try lake.rows(
                "SELECT sensor, extract(hour FROM \"hour\"), \(figures) FROM table(gold/hourly) ORDER BY 1, 2") == [
                    "a|7|3|2.5|1.0|4.0|7.5|1.5|1.0|4.0|1|2|1|0|1", "a|8|1|7.0|7.0|7.0|7.0|NULL|7.0|7.0|0|0|0|1|0",
                    "b|8|1|3.0|3.0|3.0|3.0|NULL|3.0|3.0|1|0|1|0|0",
                ])
        // stddev of 1, 2.5, 4, 7 is 2.562.
        #expect(
            try lake.rows(
                "SELECT sensor, \"day\"::VARCHAR, hours, \(figures), alarmed_hours FROM table(gold/daily) ORDER BY 1")
                == [
                    "a|2025-10-01 00:00:00|2|4|3.625|1.0|7.0|14.5|2.562|1.0|7.0|1|2|1|1|1|1",
                    "b|2025-10-01 00:00:00|1|1|3.0|3.0|3.0|3.0|NULL|3.0|3.0|1|0|1|0|0|1",
                ])
    }

    @Test func windowsHaveTheirFeatures() async throws {
        let lake = try TestLake()
        try lake.bronze(
            "part-1.parquet",
            (0..<4).map {
                TestLake.message("a", second: Double($0 * 10), "MAP {'temperature': \(Double($0) * 2)}")
            } + [TestLake.message("a", second: 70, "MAP {'temperature': 5.0}")])
        let result = await lake.run(source: ListedGold(anomalies: [.of("a", "temperature", time: at(71))])) {
            $0.window = .minutes(1)
        }
        #expect(result.job.error == nil)
        #expect(
            try lake.rows(
                "SELECT start::VARCHAR, seconds, \"count\", mean, minimum, maximum, \"range\", standard_deviation, \"first\", \"last\", change, slope, root_mean_square, is_late, is_alarmed, anomaly_count FROM table(gold/features) ORDER BY 1"
            ) == [
                "2025-10-01 07:00:00|60|4|3.0|0.0|6.0|6.0|2.582|0.0|6.0|6.0|0.2|3.742|false|false|0",
                "2025-10-01 07:01:00|60|1|5.0|5.0|5.0|0.0|NULL|5.0|5.0|0.0|NULL|5.0|false|false|1",
            ])
    }

    @Test func hugeAndSmallestValuesBreakNothing() async throws {
        let lake = try TestLake()
        try lake.bronze(
            "part-1.parquet",
            [
                TestLake.message("a", second: 1, "MAP {'x': 1.7e308}"),
                TestLake.message("a", second: 2, "MAP {'x': -1.7e308}"),
                TestLake.message("a", second: 3, "MAP {'x': 1e100}"),
                TestLake.message("a", second: 4, "MAP {'x': 5e-324}"),
            ])
        let result = await lake.run()
        #expect(result.job.error == nil)
        #expect(try lake.rows("SELECT \"count\", flagged_count, \"max\" FROM table(gold/daily)") == ["2|2|1e+100"])
    }

    @Test func aUsersFilesReplaceAndAdd() async throws {
        let lake = try TestLake()
        try lake.bronze("part-1.parquet", [TestLake.message("a", second: 1, "MAP {'temperature': 1.0}")])
        let sql = """
            -- input: gold/hourly
            -- partition: day
            SELECT sensor, sum("count")::BIGINT AS readings FROM input GROUP BY sensor; -- all of it
            """
        try lake.folder.write(Array(sql.utf8), to: "own/gold/shifts.sql")
        let own = lake.folder.file("own")
        let first = await lake.run(transforms: own)
        // A last semicolon with a comment behind it is the user's to take away: the message names the file.
        #expect(first.job.error?.contains("own/gold/shifts.sql") == true)
        try lake.folder.write(Array(sql.replacing("; -- all of it", with: ";\n").utf8), to: "own/gold/shifts.sql")
        #expect(await lake.run(transforms: own).job.error == nil)
        #expect(try lake.rows("FROM table(gold/shifts)") == ["a|1"])
        try lake.folder.write(Array("SELECT sensor, 42 AS answer FROM input".utf8), to: "own/gold/hourly.sql")
        let failed = await lake.run(transforms: own)
        #expect(failed.job.state == .failed && !failed.isSuccess)
        #expect(failed.job.error?.contains("etl/gold/daily.sql (built in)") == true)
        #expect(failed.job.error?.contains("hour") == true)
        for (name, text) in [
            ("gold/alarms.sql", "SELECT 1"), ("silver/other.sql", "SELECT 1"), ("gold/Bad-Name.sql", "SELECT 1"),
            ("gold/loop.sql", "-- input: gold/loop\nSELECT 1"), ("gold/cut.sql", "-- partition: week\nSELECT 1"),
            ("gold/fine.sql", "-- input: gold/hourly\n-- partition: hour\nFROM input"),
        ] {
            let other = "other-\(name.count)"
            try lake.folder.write(Array(text.utf8), to: "\(other)/\(name)")
            let error = #expect(throws: TocsinError.self) { try Transformations(folder: lake.folder.file(other)) }
            #expect(error?.place?.hasSuffix(name) == true)
        }
    }
}
