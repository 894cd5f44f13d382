import Foundation
import Testing
import TocsinCore
import TocsinLake

/// A lake of a few files in a folder, and sessions over it.
private struct QueryLake {
    let folder: TestFolder

    /// Readings of two hours of one day, 1,000 each: sensors s0...s9, values 0...999.
    init() throws {
        folder = try TestFolder()
        for hour in 7...8 { try writeReadings(hour: hour, name: "part-a.parquet") }
    }

    func readings(hour: Int, name: String) -> String {
        folder.file("silver/readings/date=2025-10-01/hour=0\(hour)/\(name)")
    }

    func writeReadings(hour: Int, name: String) throws {
        let file = readings(hour: hour, name: name)
        try FileManager.default.createDirectory(
            at: URL(filePath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
        try TestDuckDB.connect().execute(
            """
            COPY (SELECT 's' || (range % 10) AS sensor, 'temperature' AS metric,
                    TIMESTAMP '2025-10-01 0\(hour):00:00' + to_seconds(range) AS "time",
                    range * 1000000000 AS time_ns, range::DOUBLE AS "value", 'C' AS unit, range AS event_key
                FROM range(1000))
            TO \(DuckDB.literal(file)) (FORMAT parquet, COMPRESSION zstd)
            """)
    }

    func open(
        isReadOnly: Bool = true, outputFile: String? = nil, stores: [LakeView: any DuckDBTableSource] = [:]
    ) throws -> TestSession {
        let query = try LakeQuery(
            LakeQuerySettings(
                location: folder.path, duckdb: TestDuckDB.settings, isReadOnly: isReadOnly, outputFile: outputFile),
            stores: stores)
        return TestSession(query: query, folder: folder)
    }
}

/// Collects what an output writes.
private final class Sink {
    var bytes: [UInt8] = []
    var largest = 0
    var text: String { String(decoding: bytes, as: UTF8.self) }
    func take(_ more: [UInt8]) {
        bytes += more
        largest = max(largest, more.count)
    }
}

/// A session that keeps the folder of its lake.
private final class TestSession {
    let query: LakeQuery
    private let folder: TestFolder

    init(query: LakeQuery, folder: TestFolder) {
        self.query = query
        self.folder = folder
    }

    var damagedFiles: [DamagedFile] { query.damagedFiles }

    func run(_ sql: String, to output: inout some QueryOutput) throws -> Int { try query.run(sql, to: &output) }

    func writeParquet(_ sql: String, to path: String) throws -> Int { try query.writeParquet(sql, to: path) }

    func csv(_ sql: String) throws -> String {
        let sink = Sink()
        var output = CSVOutput(sink: sink.take)
        _ = try run(sql, to: &output)
        return sink.text
    }
    func json(_ sql: String, isLines: Bool = false) throws -> String {
        let sink = Sink()
        var output = JSONOutput(isLines: isLines, sink: sink.take)
        _ = try run(sql, to: &output)
        return sink.text
    }
    func table(_ sql: String, limit: Int? = 100) throws -> String {
        let sink = Sink()
        var output = TableOutput(limit: limit, sink: sink.take)
        _ = try run(sql, to: &output)
        return sink.text
    }
}

/// Alarms of the operational store: ids and states.
private struct StoreAlarms: DuckDBTableSource {
    var rows: [(id: String, state: String)]
    var columns: [DuckDBColumn] { [DuckDBColumn("id", .varchar), DuckDBColumn("state", .varchar)] }
    func open() throws -> any DuckDBRowReader { Reader(rows) }

    final class Reader: DuckDBRowReader {
        private var rows: [(id: String, state: String)]
        init(_ rows: [(id: String, state: String)]) { self.rows = rows }
        func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int {
            defer { rows = [] }
            for (row, alarm) in rows.enumerated() {
                chunk[0].setText(alarm.id, row)
                chunk[1].setText(alarm.state, row)
            }
            return rows.count
        }
    }
}

@Suite("Query: views", .enabled(if: TestDuckDB.isThere, Comment(rawValue: TestDuckDB.comment)))
struct QueryViewTests {
    @Test("Files of a layer are one view with their partitions; a layer without files has the right columns")
    func views() throws {
        let query = try QueryLake().open()
        #expect(
            try query.csv("SELECT hour, count(*) AS n, sum(value) AS s FROM readings GROUP BY hour ORDER BY hour")
                == "hour,n,s\r\n7,1000,499500\r\n8,1000,499500\r\n")
        for view in LakeView.allCases where view != .readings {
            let names = try query.csv("SELECT column_name FROM (DESCRIBE \(view.rawValue))").split(separator: "\r\n")
            let wanted = view.columns.map(\.name) + ["date"] + (view.table.isHourly ? ["hour"] : [])
            #expect(names.dropFirst().map(String.init) == wanted)
            #expect(try query.csv("SELECT count(*) AS n FROM \(view.rawValue)") == "n\r\n0\r\n")
        }
    }

    @Test("Rows of the operational store stand beside the lake's, none twice, the store's state first")
    func union() throws {
        let lake = try QueryLake()
        let file = lake.folder.file("gold/alarms/date=2025-10-01/part-a.parquet")
        try FileManager.default.createDirectory(
            at: URL(filePath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
        try TestDuckDB.connect().execute(
            """
            COPY (SELECT unnest(['a', 'b']) AS id, 'open' AS state, 0.5 AS score)
            TO \(DuckDB.literal(file)) (FORMAT parquet)
            """)
        let query = try lake.open(stores: [.alarms: StoreAlarms(rows: [("b", "cleared"), ("c", "open")])])
        #expect(
            try query.csv("SELECT id, state, score FROM alarms ORDER BY id")
                == "id,state,score\r\na,open,0.5\r\nb,cleared,\r\nc,open,\r\n")
    }

    @Test("A file that is no Parquet is named and left out when the views are opened")
    func damagedFooter() throws {
        let lake = try QueryLake()
        try lake.folder.write(
            Array("PAR1 not a table".utf8), to: "silver/readings/date=2025-10-01/hour=08/part-b.parquet")
        try lake.folder.write([], to: "silver/readings/date=2025-10-01/hour=08/part-c.parquet")
        let query = try lake.open()
        #expect(
            query.damagedFiles.map(\.path)
                == ["part-b.parquet", "part-c.parquet"].map { lake.readings(hour: 8, name: $0) })
        #expect(try query.csv("SELECT count(*) AS n FROM readings") == "n\r\n2000\r\n")
    }

    @Test("A file with a broken page is found by the query that fails on it, which then runs without it")
    func damagedPage() throws {
        let lake = try QueryLake()
        try lake.writeReadings(hour: 8, name: "part-b.parquet")
        let file = lake.readings(hour: 8, name: "part-b.parquet")
        var bytes = Array(try Data(contentsOf: URL(filePath: file)))
        for index in 4..<(bytes.count / 2) { bytes[index] = 0xa5 }
        try lake.folder.write(bytes, to: "silver/readings/date=2025-10-01/hour=08/part-b.parquet")
        let query = try lake.open()
        #expect(query.damagedFiles.isEmpty)
        #expect(
            try query.csv("SELECT count(DISTINCT sensor) AS n, sum(value) AS s FROM readings") == "n,s\r\n10,999000\r\n"
        )
        #expect(query.damagedFiles.map(\.path) == [file])
        #expect(query.damagedFiles.first?.reason.isEmpty == false)
    }
}

@Suite("Query: reading only", .enabled(if: TestDuckDB.isThere, Comment(rawValue: TestDuckDB.comment)))
struct QueryReadOnlyTests {
    @Test("Statements that read are run")
    func allowed() throws {
        let query = try QueryLake().open()
        for sql in [
            "SELECT 1", "-- why\n/* not */ (SELECT 1);", "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
            "FROM readings LIMIT 1",
            "VALUES (1)", "DESCRIBE readings", "SHOW TABLES", "SUMMARIZE readings", "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE FROM readings", "PRAGMA table_info('readings')", "FROM range(3)",
            "SELECT unnest(map_keys(MAP {'a': 1}))",
        ] {
            #expect(throws: Never.self) { _ = try query.csv(sql) }
        }
    }

    @Test(
        "What writes, reads elsewhere or changes the session is refused",
        arguments: [
            "COPY (SELECT 1) TO 'x.csv'", "ATTACH 'x.db'", "INSTALL httpfs", "LOAD httpfs", "SET threads = 1",
            "CREATE TABLE t (x INTEGER)", "CREATE VIEW v AS SELECT 1", "DROP VIEW readings",
            "INSERT INTO readings DEFAULT VALUES",
            "DELETE FROM readings", "UPDATE readings SET value = 0", "CALL pragma_version()", "PRAGMA threads = 1",
            "PRAGMA memory_limit='1GB'", "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'", "SELECT 1; SELECT 2",
            "EXPLAIN EXPLAIN SELECT 1", "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", "", "RESET threads", "USE memory",
            "EXPORT DATABASE 'x'", "BEGIN", "PREPARE p AS SELECT 1", "CHECKPOINT", "VACUUM",
            "WITH a AS (SELECT 1) INSERT INTO readings SELECT * FROM a", "FROM read_text('/etc/hostname')",
            "FROM read_csv('/etc/passwd')", "FROM '/etc/passwd'", "FROM glob('/*')",
            "FROM read_text('/proc/self/environ')", "FROM enable_logging('QueryLog')",
            "FROM \"ENABLE_logging\"('QueryLog', storage = 'file', storage_path = 'logs')",
            "SELECT * FROM arrow_scan(1, 2, 3)", "FROM query('SELECT 1')", "FROM seq_scan('readings')",
            "SELECT (SELECT count(*) FROM query_table(['readings']))",
            "SELECT * FROM json_execute_serialized_sql('{}')", "FROM force_checkpoint()", "FROM read_text('s3://b/x')",
            "FROM read_text('https://example.org/')", "FROM duckdb_secrets()",
        ])
    func refused(sql: String) throws {
        let lake = try QueryLake()
        let query = try lake.open()
        #expect(throws: TocsinError.self) { _ = try query.csv(sql) }
        // The session is as it was.
        #expect(try query.csv("SELECT count(*) AS n FROM readings") == "n\r\n2000\r\n")
    }

    @Test("The way out of the lake's folder by .. is refused")
    func parentFolder() throws {
        let lake = try QueryLake()
        let query = try lake.open()
        #expect(throws: TocsinError.self) {
            _ = try query.csv("FROM read_text('\(lake.folder.path)/../../etc/hostname')")
        }
    }

    @Test("A session that may write can")
    func writing() throws {
        let query = try QueryLake().open(isReadOnly: false)
        _ = try query.csv("CREATE TABLE t AS SELECT 1 AS x")
        #expect(try query.csv("FROM t") == "x\r\n1\r\n")
    }
}

@Suite("Query: outputs", .enabled(if: TestDuckDB.isThere, Comment(rawValue: TestDuckDB.comment)))
struct QueryOutputTests {
    @Test("CSV quotes what RFC 4180 asks for; NULL and the empty text differ")
    func csv() throws {
        let query = try QueryLake().open()
        #expect(
            try query.csv(
                """
                SELECT 1 AS "a,b", 'x,y' AS b, 'say "hi"' AS c, 'two' || chr(10) || 'lines' AS d, '' AS e, NULL AS f,
                    'nan'::DOUBLE AS g, 0.1 + 0.2 AS h, '\\xFF\\x41'::BLOB AS i, TIMESTAMP '2025-10-01 07:00:00.25' AS j
                """)
                == "\"a,b\",b,c,d,e,f,g,h,i,j\r\n1,\"x,y\",\"say \"\"hi\"\"\",\"two\nlines\",\"\",,NaN,0.3,\\xFFA,"
                + "2025-10-01T07:00:00.250Z\r\n")
    }

    @Test("JSON is one array; what JSON has no word for is null; times are ISO 8601 UTC")
    func json() throws {
        let query = try QueryLake().open()
        let text = try query.json(
            """
            SELECT 1 AS a, 'x"\\' || chr(9) || chr(1) || 'ü' AS b, 'inf'::DOUBLE AS c, 'nan'::DOUBLE AS d, NULL AS e,
                TIMESTAMP '1969-12-31 23:59:59.999999' AS f, DATE '2024-02-29' AS g, MAP {'t': 1.5::DOUBLE} AS h,
                [1, NULL] AS i, {'x': true} AS j, 1.20::DECIMAL(5,2) AS a, TIMESTAMPTZ '2025-10-01 02:00:00+02' AS k,
                -0.05::DECIMAL(5,2) AS l, TIMESTAMP 'infinity' AS m
            """)
        #expect(
            text == """
                [
                {"a":1,"b":"x\\"\\\\\\t\\u0001ü","c":null,"d":null,"e":null,"f":"1969-12-31T23:59:59.999999Z",\
                "g":"2024-02-29","h":{"t":1.5},"i":[1,null],"j":{"x":true},"a_2":1.20,"k":"2025-10-01T00:00:00Z",\
                "l":-0.05,"m":null}
                ]

                """)
        #expect(try query.json("SELECT 1 AS a WHERE false") == "[]\n")
        #expect(try query.json("FROM range(2)", isLines: true) == "{\"range\":0}\n{\"range\":1}\n")
        let rows = try JSONSerialization.jsonObject(with: Data(query.json("FROM readings").utf8)) as? [[String: Any]]
        #expect(rows?.count == 2_000)
    }

    @Test("A table is aligned, says how many rows it has and where it was cut")
    func table() throws {
        let query = try QueryLake().open()
        #expect(
            try query.table("SELECT * FROM (VALUES (1, 'a'), (200, 'long'), (NULL, 'x' || chr(27))) t(n, name)") == """
                  n  name
                ---  ----
                  1  a
                200  long
                     x\u{fffd}
                3 rows

                """)
        #expect(
            try query.table("FROM range(5)", limit: 2) == """
                range
                -----
                    0
                    1
                the first 2 rows; there are more: raise the limit, or write CSV, JSON or Parquet

                """)
        #expect(try query.table("SELECT repeat('x', 500) AS t").contains(String(repeating: "x", count: 59) + "…"))
        // Rows beyond the limit are not made.
        #expect(try query.table("FROM range(100000000000)", limit: 3).contains("the first 3 rows"))
    }

    @Test("A large result goes out in small pieces")
    func streaming() throws {
        let query = try QueryLake().open()
        let sink = Sink()
        var output = CSVOutput { bytes in
            sink.largest = max(sink.largest, bytes.count)
            sink.bytes = []
        }
        #expect(try query.run("SELECT range AS i, 'text ' || range AS t FROM range(300000)", to: &output) == 300_000)
        #expect(sink.largest < 80_000)
    }

    @Test("Parquet is written to the one file that was named, and to no other")
    func parquet() throws {
        let lake = try QueryLake()
        let out = try TestFolder()
        let query = try lake.open(outputFile: out.file("r.parquet"))
        let rows = try query.writeParquet(
            "SELECT sensor, value FROM readings ORDER BY value; -- all", to: out.file("r.parquet"))
        #expect(rows == 2_000)
        #expect(
            try TestDuckDB.connect().firstRow(
                "SELECT count(*), sum(value) FROM \(DuckDB.literal(out.file("r.parquet")))")
                == [2_000, 999_000.0])
        #expect(!FileManager.default.fileExists(atPath: out.file("r.parquet.part")))
        #expect(throws: TocsinError.self) { try query.writeParquet("SELECT 1 AS x", to: out.file("other.parquet")) }
        #expect(throws: TocsinError.self) { try query.writeParquet("DROP VIEW readings", to: out.file("r.parquet")) }
    }
}

@Suite("Query: tables that come later", .enabled(if: TestDuckDB.isThere, Comment(rawValue: TestDuckDB.comment)))
struct QueryTableTests {
    @Test func usersTablesAndFeaturesHaveViewsThatAKeptSessionTakesUp() async throws {
        let lake = try TestLake()
        let session = try LakeQuery(
            LakeQuerySettings(location: lake.storage.location, duckdb: TestDuckDB.settings))
        #expect(try session.rows("SELECT count(*) FROM features") == [[.integer(0)]])
        #expect(throws: TocsinError.self) { try session.rows("SELECT count(*) FROM shifts") }
        try lake.bronze("part-1.parquet", [TestLake.message("a", second: 1, "MAP {'x': 1.0}")])
        for name in ["shifts", "daily_extra"] {
            try lake.folder.write(
                Array("-- partition: hour\nSELECT sensor, count(*) AS n FROM input GROUP BY ALL".utf8),
                to: "sql/gold/\(name).sql")
        }
        #expect(await lake.run(transforms: lake.folder.file("sql")).job.error == nil)
        try session.refresh()
        #expect(try session.rows("SELECT mean FROM features") == [[.double(1)]])
        #expect(try session.rows("SELECT sensor, n, hour FROM shifts") == [[.text("a"), .integer(1), .integer(7)]])
        #expect(try session.rows("SELECT count(*) FROM daily_extra") == [[.integer(1)]])
        #expect(throws: TocsinError.self) { try session.rows("COPY shifts TO '/tmp/never.csv'") }
    }

    @Test func windowsCanBeLeftOut() async throws {
        let lake = try TestLake()
        try lake.bronze("part-1.parquet", [TestLake.message("a", second: 1, "MAP {'x': 1.0}")])
        let at = TestLake.hour.start.advanced(by: .seconds(10))
        let source = ListedGold(
            anomalies: [.of("a", "x", time: at)],
            windows: [
                StoredWindow(
                    sensor: "a", metric: "x", start: TestLake.hour.start, end: at,
                    statistics: [Double](repeating: .nan, count: WindowStatistic.columns), score: 0.5)
            ])
        let result = await lake.run(source: source) { $0.storeTables.remove("gold/windows") }
        #expect(result.made["gold/windows"] == nil && result.made["gold/anomalies"] == 1)
    }
}
