import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinLake

/// Numbered rows: id, half of it, a text of it, a map with as many entries as id modulo 4; every 10th half is NULL.
private struct NumberSource: DuckDBTableSource {
    var rows: Int
    var failsAt: Int?
    var maximumThreads = 1

    var columns: [DuckDBColumn] {
        [
            DuckDBColumn("id", .bigint), DuckDBColumn("half", .double), DuckDBColumn("name", .varchar),
            DuckDBColumn("readings", .map(key: .varchar, value: .double)),
            DuckDBColumn("tags", .list(.varchar)),
        ]
    }
    var estimatedRowCount: Int? { rows }
    func open() throws -> any DuckDBRowReader { Reader(source: self) }

    final class Reader: DuckDBRowReader, Sendable {
        let source: NumberSource
        let next = Mutex(0)
        init(source: NumberSource) { self.source = source }

        func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int {
            let capacity = chunk.capacity
            let first = next.withLock { next in
                defer { next = min(next + capacity, source.rows) }
                return next
            }
            if let failsAt = source.failsAt, first >= failsAt {
                throw TocsinError(.file, "The source broke.", place: "row \(first)", isRetriable: true)
            }
            let count = min(capacity, source.rows - first)
            for row in 0..<count {
                let id = first + row
                chunk[0].setInteger(Int64(id), row)
                if id % 10 == 0 { chunk[1].setNull(row) } else { chunk[1].setDouble(Double(id) / 2, row) }
                chunk[2].setText(id % 2 == 0 ? "s\(id)" : "a sensor with a long name \(id)", row)
            }
            chunk.withMap(3) { map in
                for row in 0..<count {
                    map.begin(row)
                    for entry in 0..<((first + row) % 4) {
                        let place = map.append()
                        map.keys.setText("m\(entry)", place)
                        map.values.setDouble(Double(entry), place)
                    }
                }
            }
            // Lists in a turn of their own for each row.
            for row in 0..<count {
                chunk.withList(4) { list in
                    list.begin(row)
                    for tag in 0..<3 { list.elements.setText("tag\(first + row + tag)", list.append()) }
                }
            }
            return count
        }
    }
}

/// One column of given bytes.
private struct ByteSource: DuckDBTableSource {
    var type: DuckDBType
    var values: [[UInt8]?]
    var columns: [DuckDBColumn] { [DuckDBColumn("v", type)] }
    func open() throws -> any DuckDBRowReader { Reader(values) }

    final class Reader: DuckDBRowReader {
        private var values: [[UInt8]?]
        init(_ values: [[UInt8]?]) { self.values = values }
        func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int {
            defer { values = [] }
            for (row, value) in values.enumerated() {
                if let value { chunk[0].setBytes(value, row) } else { chunk[0].setNull(row) }
            }
            return values.count
        }
    }
}

@Suite("DuckDB: rows from Swift", .enabled(if: TestDuckDB.isThere, Comment(rawValue: TestDuckDB.comment)))
struct DuckDBSourceTests {
    @Test("A million rows go through Parquet and come back the same", arguments: [1, 2])
    func million(threads: Int) throws {
        let folder = try TestFolder()
        let connection = try TestDuckDB.connect()
        try connection.register(NumberSource(rows: 1_000_000, maximumThreads: threads), as: "numbers")
        let file = DuckDB.literal(folder.file("n.parquet"))
        let written = try connection.execute("COPY (FROM numbers()) TO \(file) (FORMAT parquet, COMPRESSION zstd)")
        #expect(written == 1_000_000)
        let row = try connection.firstRow(
            """
            SELECT count(*), sum(id)::BIGINT, count(half), sum(half), count(DISTINCT name),
                sum(cardinality(readings))::BIGINT, sum(len(tags))::BIGINT,
                count(*) FILTER (name = CASE WHEN id % 2 = 0 THEN 's' ELSE 'a sensor with a long name ' END || id),
                count(*) FILTER (map_values(readings) = range(id % 4)::DOUBLE[]),
                count(*) FILTER (tags = ['tag' || id, 'tag' || (id + 1), 'tag' || (id + 2)])
            FROM \(file)
            """)
        #expect(
            row == [
                1_000_000, 499_999_500_000, 900_000, 225_000_000_000.0, 1_000_000, 1_500_000,
                3_000_000, 1_000_000, 1_000_000, 1_000_000,
            ])
    }

    @Test("Only the columns that a query names are asked for")
    func projection() throws {
        let connection = try TestDuckDB.connect()
        try connection.register(NumberSource(rows: 10_000), as: "numbers")
        #expect(try connection.firstRow("SELECT count(*) FROM numbers()") == [10_000])
        #expect(try connection.firstRow("SELECT max(name), min(id) FROM numbers() WHERE id > 10") == ["s9998", 11])
        #expect(
            try connection.firstRow("SELECT readings FROM numbers() WHERE id = 9") == [
                .map([DuckDBMapEntry("m0", 0.0)])
            ])
    }

    @Test("What a source throws reaches the caller as it was")
    func failure() throws {
        let connection = try TestDuckDB.connect()
        try connection.register(NumberSource(rows: 100_000, failsAt: 50_000), as: "numbers")
        let error = #expect(throws: TocsinError.self) { try connection.firstRow("SELECT sum(id) FROM numbers()") }
        #expect(error?.message == "The source broke.")
        #expect(error?.place?.hasPrefix("row 5") == true)
        #expect(error?.isRetriable == true)
    }

    @Test("A name is replaced by the next source and refuses after it was let go")
    func replacement() throws {
        let connection = try TestDuckDB.connect()
        try connection.register(NumberSource(rows: 5), as: "numbers")
        try connection.register(ByteSource(type: .varchar, values: [[65], nil]), as: "numbers")
        #expect(try connection.rows("FROM numbers()") == [["A"], [nil]])
        let other = try connection.database.connect()
        #expect(try other.firstRow("SELECT count(*) FROM numbers()") == [2])
        connection.unregister("numbers")
        let error = #expect(throws: TocsinError.self) { try connection.execute("FROM numbers()") }
        #expect(error?.message.contains("no rows stand behind numbers()") == true)
    }

    @Test("Texts keep NUL; bytes that are not UTF-8 become U+FFFD, in blobs they stay")
    func bytes() throws {
        let long = Array("a text of more than twelve bytes ".utf8)
        let values: [[UInt8]?] = [
            [], [0], [65, 0, 66], nil, [0xff], long + [0xc3, 0x28], Array("äöü€😀".utf8), [0xed, 0xa0, 0x80],
            long + [0], [0xf4, 0x90, 0x80, 0x80], Array("123456789012".utf8), Array("1234567890123".utf8),
        ]
        let connection = try TestDuckDB.connect()
        try connection.register(ByteSource(type: .varchar, values: values), as: "texts")
        let bad = "\u{fffd}"
        let text = String(decoding: long, as: UTF8.self)
        #expect(
            try connection.rows("FROM texts()") == [
                [""], ["\u{0}"], ["A\u{0}B"], [nil], [.text(bad)], [.text(text + bad + "(")], ["äöü€😀"],
                [.text(bad + bad + bad)], [.text(text + "\u{0}")], [.text(bad + bad + bad + bad)], ["123456789012"],
                ["1234567890123"],
            ])
        try connection.register(ByteSource(type: .blob, values: values), as: "blobs")
        #expect(try connection.rows("FROM blobs()") == values.map { [$0.map(DuckDBValue.blob) ?? .null] })
    }

    @Test("A type that sources cannot write is refused when it is registered")
    func refusedType() throws {
        let connection = try TestDuckDB.connect()
        #expect(throws: TocsinError.self) {
            try connection.register(ByteSource(type: .enumeration(["a"]), values: []), as: "bad")
        }
    }
}
