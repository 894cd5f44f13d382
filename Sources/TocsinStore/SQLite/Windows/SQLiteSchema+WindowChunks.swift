internal import GRDB
internal import TocsinCore

extension SQLiteSchema {
    /// Step 2: windows in chunks of up to 256, packed by column, instead of a row each with two indexes.
    static func packWindows(_ database: Database) throws {
        try database.execute(sql: chunkTables)
        try database.run(
            """
            WITH RECURSIVE numbers (row) AS (VALUES (0) UNION ALL SELECT row + 1 FROM numbers WHERE row < ?)
            INSERT INTO window_row_numbers (row) SELECT row FROM numbers
            """, [.integer(Int64(WindowChunkPacker.rows - 1))])
        try convertWindows(database)
        try database.execute(sql: dropRows)
        try database.execute(sql: WindowView.sql)
    }

    /// The statements of step 2, for people.
    static var packWindowsStatements: String {
        """
        \(chunkTables)
        -- The program reads all rows of `windows` and writes them into `window_chunks`, packed.
        \(dropRows)
        \(WindowView.sql)
        """
    }

    private static let dropRows = "DROP TABLE window_index; DROP TABLE window_runs; DROP TABLE windows;"

    private static let chunkTables = """
        CREATE TABLE window_chunks (
            id INTEGER PRIMARY KEY,
            first_start INTEGER NOT NULL,
            last_start INTEGER NOT NULL,
            first_series INTEGER NOT NULL,
            last_series INTEGER NOT NULL,
            size INTEGER NOT NULL,
            slide INTEGER NOT NULL,
            rows INTEGER NOT NULL,
            content INTEGER NOT NULL,
            series BLOB NOT NULL,
            start BLOB NOT NULL,
            count BLOB NOT NULL,
            mean BLOB NOT NULL,
            minimum BLOB NOT NULL,
            maximum BLOB NOT NULL,
            standard_deviation BLOB NOT NULL,
            score BLOB NOT NULL,
            statistics BLOB NOT NULL
        );
        CREATE UNIQUE INDEX window_chunks_heads ON window_chunks
            (last_start, last_series, first_start, first_series, size, slide, rows, content);
        CREATE INDEX window_chunks_small ON window_chunks (size, slide) WHERE rows < \(WindowChunkWriter.smallRows);
        CREATE TABLE window_row_numbers (row INTEGER PRIMARY KEY);
        """

    // In the order of closing, so many at a time: memory stays small whatever the size of the database.
    private static let convertedAtOnce = 32_768

    private static func convertWindows(_ database: Database) throws {
        let definitions = try database.rows("SELECT DISTINCT size, slide FROM windows") {
            WindowDefinition(size: .nanoseconds($0.int64(0)), slide: .nanoseconds($0.int64(1)))
        }
        var packer = WindowChunkPacker()
        for definition in definitions {
            var after = Int64.min
            while true {
                var (rows, last) = try page(of: definition, after: after, database)
                guard let last else { break }
                after = last
                rows.arrange()
                try WindowChunkWriter.write(rows, definition, &packer, database)
            }
        }
    }

    /// Some windows of schema 1, and the id of the last of them.
    private static func page(
        of definition: WindowDefinition, after id: Int64, _ database: Database
    ) throws -> (rows: WindowRows, last: Int64?) {
        var source = WindowRows.Source(statistics: [], scores: [])
        let keys = try database.rows(
            """
            SELECT id, series_id, start, score, statistics FROM windows
            WHERE id > ? AND size = ? AND slide = ? ORDER BY id LIMIT \(convertedAtOnce)
            """,
            [.integer(id), .integer(definition.size.nanoseconds), .integer(definition.slide.nanoseconds)]
        ) { row in
            let statistics = row.doubles(4)
            source.statistics += statistics
            source.scores.append(row.double(3))
            return (row.int64(0), row.int64(1), row.int64(2), statistics[WindowStatistic.count.rawValue])
        }
        var rows = WindowRows()
        rows.begin(source)
        for (row, (_, series, start, count)) in keys.enumerated() {
            rows.append(series: series, start: start, count: count, row: row)
        }
        return (rows, keys.last?.0)
    }
}

extension SQLStatement {
    /// Little-endian doubles, as schema 1 kept statistics: as many as there are statistics, missing ones not-a-number.
    fileprivate func doubles(_ column: Int32) -> [Double] {
        let bytes = bytes(column)
        let width = WindowStatistic.columns
        var values = bytes.withUnsafeBytes { raw in
            (0..<min(width, raw.count / 8)).map { index in
                Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)))
            }
        }
        while values.count < width { values.append(.nan) }
        return values
    }
}
