import Foundation
import Testing
import TocsinCore
import TocsinLake

@Suite("DuckDB: queries", .enabled(if: TestDuckDB.isThere, Comment(rawValue: TestDuckDB.comment)))
struct DuckDBTests {
    @Test("Every type of column is read as what it is")
    func types() throws {
        let connection = try TestDuckDB.connect()
        let row = try connection.firstRow(
            """
            SELECT true, 1::TINYINT, -2::SMALLINT, 3::INTEGER, 4::BIGINT, 255::UTINYINT, 65535::USMALLINT,
                4294967295::UINTEGER, 18446744073709551615::UBIGINT, -170141183460469231731687303715884105727::HUGEINT,
                1.5::FLOAT, 2.25::DOUBLE, 12.34::DECIMAL(4,2), -1.5::DECIMAL(30,1), 'text', '\\xAA\\x00'::BLOB,
                DATE '1970-01-03', TIME '00:00:01.5', TIMESTAMP '1970-01-01 00:00:01.000002',
                TIMESTAMP_S '1970-01-01 00:00:01', TIMESTAMP_MS '1970-01-01 00:00:01.5',
                TIMESTAMP_NS '1970-01-01 00:00:01.000000002', TIMESTAMPTZ '1970-01-01 01:00:00+01',
                INTERVAL '1 month 2 days 3 microseconds', '00000000-0000-0000-0000-0000000000ff'::UUID,
                'b'::ENUM('a', 'b'), [1, NULL, 3], [1.5, 2.5]::DOUBLE[2], MAP {'t': 21.5::DOUBLE, 'h': NULL},
                {'a': 1, 'b': 'x'}, NULL, 340282366920938463463374607431768211455::UHUGEINT
            """)
        let expected: [DuckDBValue] = [
            true, 1, -2, 3, 4, 255, 65_535, 4_294_967_295, .wideInteger(Int128(UInt64.max)),
            .wideInteger(-170_141_183_460_469_231_731_687_303_715_884_105_727), 1.5, 2.25,
            .decimal(unscaled: 1234, scale: 2), .decimal(unscaled: -15, scale: 1), "text", .blob([0xaa, 0]),
            .date(days: 2), .time(microseconds: 1_500_000), .timestamp(microseconds: 1_000_002),
            .timestamp(microseconds: 1_000_000), .timestamp(microseconds: 1_500_000),
            .timestampNanoseconds(1_000_000_002), .timestamp(microseconds: 0),
            .interval(months: 1, days: 2, microseconds: 3), "00000000-0000-0000-0000-0000000000ff", "b",
            .list([1, nil, 3]), .list([1.5, 2.5]),
            .map([DuckDBMapEntry("t", 21.5), DuckDBMapEntry("h", nil)]),
            .structure([DuckDBField("a", 1), DuckDBField("b", "x")]), nil,
            "340282366920938463463374607431768211455",
        ]
        #expect(row.count == expected.count)
        for (value, wanted) in zip(row, expected) { #expect(value == wanted) }
    }

    @Test("Parameters come back as they were given")
    func parameters() throws {
        let connection = try TestDuckDB.connect()
        let values: [DuckDBValue] = [
            nil, true, 42, 2.5, "it's \u{0} text", .blob([0, 255]), .timestamp(microseconds: 7), .list(["a", "b"]),
            .wideInteger(Int128(UInt64.max)),
        ]
        let marks = values.map { _ in "?" }.joined(separator: ", ")
        #expect(try connection.firstRow("SELECT \(marks)", values) == values)
        #expect(throws: TocsinError.self) { try connection.firstRow("SELECT ?, ?", [1]) }
    }

    @Test("Statements count the rows they write; several run in turn")
    func statements() throws {
        let connection = try TestDuckDB.connect()
        let changed = try connection.execute(
            "CREATE TABLE t (x INTEGER); INSERT INTO t SELECT * FROM range(10); DELETE FROM t WHERE x > 6")
        #expect(changed == 3)
        #expect(try connection.execute("INSERT INTO t VALUES (?)", [99]) == 1)
        #expect(try connection.firstRow("SELECT count(*) FROM t") == [8])
    }

    @Test("Wrong SQL gives DuckDB's own first line and its hint")
    func wrongSQL() throws {
        let connection = try TestDuckDB.connect()
        let syntax = #expect(throws: TocsinError.self) { try connection.execute("SELEC 1") }
        #expect(syntax?.message == #"Parser Error: syntax error at or near "SELEC""#)
        try connection.execute("CREATE TABLE readings (value DOUBLE)")
        let missing = #expect(throws: TocsinError.self) { try connection.query("SELECT * FROM reading") }
        #expect(missing?.message.hasPrefix("Catalog Error: Table with name reading does not exist!") == true)
        #expect(missing?.remedy?.contains("readings") == true)
        #expect(missing?.isRetriable == false)
    }

    @Test("An error in the middle of a result is thrown, not taken for its end")
    func lateError() throws {
        let connection = try TestDuckDB.connect()
        let sql = "SELECT CASE WHEN range = 900000 THEN 'x' ELSE '1' END::INTEGER AS v FROM range(1000000)"
        #expect(throws: TocsinError.self) {
            let result = try connection.query(sql)
            while try result.nextChunk() != nil {}
        }
        #expect(try connection.firstRow("SELECT 1") == [1])
    }

    @Test("A result is made while it is read")
    func streaming() throws {
        let connection = try TestDuckDB.connect()
        let result = try connection.query("SELECT range AS i, range * 0.5 AS d FROM range(100000000000)")
        #expect(result.columns.map(\.name) == ["i", "d"])
        var rows: Int64 = 0
        while rows < 100_000, let chunk = try result.nextChunk() {
            let first = rows
            chunk.withIntegers(column: 0) { #expect($0[0] == first) }
            rows += Int64(chunk.rowCount)
        }
        #expect(rows >= 100_000)
    }

    @Test("An interrupt ends a result that is being read")
    func interrupt() throws {
        let connection = try TestDuckDB.connect()
        let result = try connection.query("SELECT sqrt(range) FROM range(100000000000)")
        #expect(try result.nextChunk() != nil)
        #expect(connection.progress != nil)
        connection.interrupt()
        let error = #expect(throws: TocsinError.self) { while try result.nextChunk() != nil {} }
        #expect(error?.code == .interrupted)
        #expect(try connection.firstRow("SELECT 1") == [1])
    }

    @Test("Cancelling a task stops its query, and those that would follow")
    func cancellation() async throws {
        let connection = try TestDuckDB.connect()
        let endless = Task {
            try await connection.run { connection in
                try connection.execute("CREATE TABLE started (x INTEGER)")
                while true { try connection.execute("SELECT sum(range) FROM range(1000)") }
            }
        }
        let other = try connection.database.connect()
        while try other.firstRow("SELECT count(*) FROM duckdb_tables()") == [0] {
            try? await Task.sleep(for: .milliseconds(1))
        }
        endless.cancel()
        let error = await #expect(throws: TocsinError.self) { try await endless.value }
        #expect(error?.code == .interrupted)
        #expect(try await connection.run { try $0.firstRow("SELECT 1") } == [1])
    }

    @Test("Maps whose entries come from dictionaries and filters are read right")
    func nestedDictionaries() throws {
        let folder = try TestFolder()
        let connection = try TestDuckDB.connect()
        let file = DuckDB.literal(folder.file("maps.parquet"))
        try connection.execute(
            """
            COPY (SELECT range AS i, MAP {'k' || (range % 3): range::DOUBLE, 'other': NULL} AS m FROM range(5000))
            TO \(file) (FORMAT parquet)
            """)
        let result = try connection.query("SELECT i, m FROM \(file) WHERE i % 7 = 3 ORDER BY i")
        var rows = 0
        while let chunk = try result.nextChunk() {
            for row in 0..<chunk.rowCount {
                let number = Int64(rows * 7 + 3)
                #expect(
                    chunk.value(column: 1, row: row)
                        == .map([
                            DuckDBMapEntry(.text("k\(number % 3)"), .double(Double(number))),
                            DuckDBMapEntry("other", nil),
                        ]))
                rows += 1
            }
        }
        #expect(rows == 714)
    }

    @Test("A database file is there again after it was closed")
    func file() throws {
        let folder = try TestFolder()
        var settings = TestDuckDB.settings
        settings.path = folder.file("a.duckdb")
        try DuckDB.open(settings).connect().execute("CREATE TABLE t AS SELECT 42 AS x")
        settings.isReadOnly = true
        let connection = try DuckDB.open(settings).connect()
        #expect(try connection.firstRow("SELECT x FROM t") == [42])
        #expect(throws: TocsinError.self) { try connection.execute("INSERT INTO t VALUES (1)") }
    }
}

@Suite("DuckDB: the library")
struct DuckDBLibraryTests {
    @Test("A library that is not there: the message says what was tried and what to install")
    func notFound() throws {
        let error = #expect(throws: TocsinError.self) { try DuckDBLibrary.load(path: "/nowhere/libduckdb.so") }
        #expect(error?.message.contains("/nowhere/libduckdb.so") == true)
        #expect(error?.message.contains("no such file") == true)
        #expect(error?.remedy?.contains("pip install duckdb") == true)
    }
}
