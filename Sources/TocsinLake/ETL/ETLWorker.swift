internal import TocsinCore

/// One database of one thread, which makes one file after the other. On one thread sums of floating-point numbers are
/// taken in one order: the same input gives the same bytes.
final class ETLWorker: Sendable {
    let connection: DuckDBConnection
    private let folder: String
    private let location: String

    /// - Parameter number: of the worker; each has a temporary folder of its own.
    init(_ settings: ETLSettings, number: Int, location: String) throws {
        folder = "\(settings.workFolder)/\(number)"
        self.location = location
        try LocalFiles.makeFolder(folder + "/spill")
        var duckdb = settings.duckdb
        duckdb.path = nil
        duckdb.threads = 1
        duckdb.memoryLimitBytes = max(settings.memoryBytes / Int64(max(settings.workers, 1)), 64 << 20)
        duckdb.temporaryFolder = folder + "/spill"
        connection = try DuckDB.open(duckdb).connect()
        for (name, span) in [("lateness", settings.lateness), ("pane", settings.pane), ("skew", settings.clockSkew)] {
            // A number with a point would be a DECIMAL, and slow.
            let microseconds = max(span.nanoseconds / 1000, name == "pane" ? 1 : 0)
            try connection.execute("SET VARIABLE \(name)_us = \(microseconds)::BIGINT")
            try connection.execute("SET VARIABLE \(name)_seconds = \(span.seconds)::DOUBLE")
        }
        try connection.execute("SET VARIABLE window_seconds = \(settings.window.nanoseconds / 1_000_000_000)::BIGINT")
        try connection.execute("CREATE TABLE ranges (metric VARCHAR, low DOUBLE, high DOUBLE)")
        for range in settings.sortedRanges {
            try connection.execute(
                "INSERT INTO ranges VALUES (?, ?, ?)",
                [
                    .text(range.metric), range.low.map(DuckDBValue.double) ?? .null,
                    range.high.map(DuckDBValue.double) ?? .null,
                ])
        }
        try connection.execute(GoldTable.alarms.definition)
        try connection.execute(GoldTable.anomalies.definition)
        try connection.execute(
            "CREATE VIEW anomalies AS SELECT \(Self.visibleAnomalyColumns) FROM all_anomalies")
    }

    /// Checks the SQL of all transformations against the columns of their inputs, before anything is made.
    /// - Returns: the rules that can have a limit: those that quality.sql gives for no messages.
    static func check(_ transformations: Transformations, _ connection: DuckDBConnection) throws(TocsinError)
        -> [String]
    {
        var rules: [String] = []
        do {
            let columns = BronzeRows.columns.map { "NULL::\($0.type.sql) AS \(DuckDB.identifier($0.name))" }
            try connection.execute("CREATE OR REPLACE VIEW input AS SELECT \(columns.joined(separator: ", ")) LIMIT 0")
            try CodedMessages.show(connection)
            try connection.execute("CREATE OR REPLACE VIEW alarms AS SELECT \(visibleAlarmColumns) FROM all_alarms")
        } catch { throw (error as? TocsinError) ?? TocsinError(.lake, "\(error)") }
        func tableName(_ table: String) -> String { DuckDB.identifier("checked \(table)") }
        for one in [transformations.silver, transformations.quality] + transformations.gold {
            do {
                if one.table == Transformation.quality {
                    try connection.execute("CREATE OR REPLACE VIEW output AS FROM \(tableName(Transformation.silver))")
                    rules = try connection.rows(one.query).compactMap { $0.first?.text }
                } else if one.input != Transformation.bronze {
                    try connection.execute("CREATE OR REPLACE VIEW input AS FROM \(tableName(one.input))")
                }
                try connection.execute(
                    "CREATE OR REPLACE TEMP TABLE \(tableName(one.table)) AS SELECT * FROM (\(one.query)) LIMIT 0")
            } catch { throw one.failure(error) }
        }
        for name in ["output", "input", "alarms"] { _ = try? connection.execute("DROP VIEW IF EXISTS \(name)") }
        for one in [transformations.silver, transformations.quality] + transformations.gold {
            _ = try? connection.execute("DROP TABLE IF EXISTS \(tableName(one.table))")
        }
        return rules.filter { $0 != "rows_in" && $0 != "rows_out" }
    }

    /// The columns of an alarm that transformations see: what changes in others makes nothing anew.
    static let visibleAlarmColumns = "id, sensor, metric, kind, severity, raised, cleared"

    static let visibleAnomalyColumns = "id, sensor, metric, kind, detector, model, \"time\", \"value\", score, p_value"

    /// Alarms that touch a partition, into the view `alarms`. What happens after the partition's end is not seen, so that an
    /// alarm that goes on makes nothing anew.
    /// - Returns: a hash of what is seen.
    func showAlarms(_ partition: LakePartition) throws -> UInt64 {
        let (start, end) = (partition.start.sqlLiteral, partition.end.sqlLiteral)
        try connection.execute(
            "CREATE OR REPLACE VIEW alarms AS SELECT id, sensor, metric, kind, severity, raised, "
                + "CASE WHEN cleared < \(end) THEN cleared END AS cleared FROM all_alarms "
                + "WHERE raised < \(end) AND (cleared IS NULL OR cleared >= \(start))")
        return try hash("SELECT a::VARCHAR FROM alarms AS a")
    }

    /// Hash of the rows of a query of one text column, whatever their order.
    func hash(_ query: String) throws -> UInt64 {
        let result = try connection.query(query)
        var sum: UInt64 = 0
        while let chunk = try result.nextChunk() {
            for row in 0..<chunk.rowCount {
                var hash = StableHash()
                chunk.withBytes(column: 0, row: row) { hash.combine($0) }
                sum &+= hash.value
            }
        }
        return sum
    }

    /// Makes a view of files of the lake.
    func show(_ parts: [LakePart], as view: String) throws {
        let files = parts.map { DuckDB.literal(url(of: $0.path)) }.joined(separator: ", ")
        // Columns that a later version of the schema added are NULL in older files.
        try connection.execute(
            "CREATE OR REPLACE VIEW \(view) AS FROM read_parquet([\(files)], hive_partitioning = false, union_by_name = true)"
        )
    }

    func url(of path: String) -> String { "\(location)/\(path)" }

    /// Writes the result of a SELECT to a local file.
    /// - Parameter complete: looks at the file, and may write into it, before it is forced to disk.
    func write(
        _ query: String, table: String, metadata: [(String, String)] = [], complete: (String) throws -> Void = { _ in }
    ) throws -> (path: String, rows: Int) {
        let path = folder + "/result.parquet"
        let rows = try connection.execute(
            "COPY (\(query)) TO \(DuckDB.literal(path)) (\(LakeTable.copyOptions(of: table, metadata: metadata)), "
                + "USE_TMP_FILE false)")
        try complete(path)
        try LocalFiles.sync(file: path)
        return (path, rows)
    }

    /// A value of a Parquet file's own metadata.
    func metadata(_ key: String, of part: LakePart) throws -> String? {
        let row = try connection.firstRow(
            "SELECT decode(value) FROM parquet_kv_metadata(\(DuckDB.literal(url(of: part.path)))) WHERE decode(key) = ?",
            [.text(key)])
        return row.first?.text
    }

    /// Which of some files cannot be read to their end, and why.
    /// - Throws: what may be better later, or with more memory; then nothing is said of the files.
    func damaged(_ parts: [LakePart]) throws -> [SkippedFile] {
        try parts.compactMap { part in
            do {
                _ = try connection.firstRow(
                    "SELECT bit_xor(hash(t)) FROM read_parquet(\(DuckDB.literal(url(of: part.path))), "
                        + "hive_partitioning = false) AS t")
                return nil
            } catch let error as TocsinError
                where !error.isRetriable && error.code != .interrupted && DamageSearch.isLikely(error.message)
            {
                return SkippedFile(name: part.path, reason: error.message)
            }
        }
    }
}

extension Timestamp {
    /// Microseconds since 1970, rounded down, as SQL's TIMESTAMP has them.
    var microseconds: Int64 { nanoseconds >= 0 ? nanoseconds / 1000 : -((999 - nanoseconds) / 1000) }

    /// For SQL; the ends of time stay in DuckDB's range.
    var sqlLiteral: String { "make_timestamp(\(microseconds)::BIGINT)" }
}
