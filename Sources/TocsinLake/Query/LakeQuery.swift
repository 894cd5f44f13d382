import CDuckDB
import Synchronization
import TocsinCore

/// A session of SQL over the lake and the operational store as one set of views (`LakeView`).
///
/// Read-only sessions take one SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, EXPLAIN, SUMMARIZE or PRAGMA show… at a time.
/// Settings are locked, files outside of the lake's location cannot be reached, and of functions that make tables only
/// those that read are allowed. What remains possible: reading any file below the lake's location (`read_parquet`,
/// `read_text`, `glob`), and using as much time, memory (up to the limit) and temporary space as a query takes.
/// Blocking; one query at a time; `interrupt` from any thread.
public final class LakeQuery: Sendable {
    public let connection: DuckDBConnection
    private let settings: LakeQuerySettings
    private let stores: [LakeView: String]
    private let skipped = Mutex<[DamagedFile]>([])
    /// What is shown, and whether its view sees files that come later by itself.
    private let tables = Mutex<[QueryTable: Bool]>([:])

    /// Opens the session and its views.
    /// - Parameter stores: rows of the operational store; where a row is in the lake too (`LakeView.key`), the store's
    ///   is shown, or the lake's where that says more (`LakeView.isWholeInLake`). Columns as `LakeView.columns`, or some of them, at least the key.
    /// - Throws: `TocsinError` where DuckDB or S3 cannot be reached. Damaged files do not throw: see `damagedFiles`.
    public init(_ settings: LakeQuerySettings, stores: [LakeView: any DuckDBTableSource] = [:]) throws {
        self.settings = settings
        let database = try DuckDB.open(settings.duckdb)
        connection = try database.connect()
        var names: [LakeView: String] = [:]
        for (view, source) in stores {
            let name = "store_\(view.rawValue)"
            try connection.register(source, as: name)
            names[view] = name
        }
        self.stores = names
        // A session that is kept would hold as much of the files as its memory allows.
        if !settings.keepsFilesInMemory { try connection.execute("SET enable_external_file_cache = false") }
        try refresh()
        if settings.isReadOnly { try lock() }
    }

    /// Takes up what has come since: for a session that is kept open. Cheap where every table had a file before.
    public func refresh() throws {
        let own = try root.map { try QueryTable.own(below: $0, connection) } ?? []
        for table in LakeView.allCases.map(QueryTable.init) + own where tables.withLock({ $0[table] }) != true {
            try open(table)
        }
    }

    /// All rows of a query, for small answers; a damaged file is left out and the query is run again.
    public func rows(_ sql: String, _ parameters: [DuckDBValue] = []) throws -> [[DuckDBValue]] {
        try check(sql)
        while true {
            do {
                return try connection.rows(sql, parameters)
            } catch let error as TocsinError where error.code == .lake {
                if try skipDamaged(after: error, sql: sql) == nil { throw error }
            }
        }
    }

    /// Files that were left out so far, in the order in which they were found.
    public var damagedFiles: [DamagedFile] { skipped.withLock { $0 } }

    /// Stops the query that runs; it throws an error with code `interrupted`.
    public func interrupt() { connection.interrupt() }

    /// Runs a statement and streams its rows to the output; a result of any size needs no more memory than DuckDB's
    /// own work.
    ///
    /// A damaged file is left out and the query is run again, as long as no row went out before; later the error names it.
    /// - Returns: rows written.
    @discardableResult
    public func run(_ sql: String, to output: inout some QueryOutput) throws -> Int {
        try check(sql)
        while true {
            var rows = 0
            do {
                let result = try connection.query(sql)
                var chunk = try result.nextChunk()
                try output.begin(result.columns)
                while let next = chunk {
                    rows += next.rowCount
                    guard try output.write(next) else { break }
                    chunk = try result.nextChunk()
                }
                try output.end()
                return rows
            } catch let error as TocsinError where error.code == .lake {
                guard let damaged = try skipDamaged(after: error, sql: sql) else { throw error }
                if rows == 0 { continue }
                throw TocsinError(
                    .lake, "The output is not complete: \(damaged.map(\.path).joined(separator: ", ")) cannot be read.",
                    remedy: "Run the query again: the file is left out then.", cause: error)
            }
        }
    }

    /// Writes a query's rows as a Parquet file, under a temporary name first.
    /// - Returns: rows written.
    @discardableResult
    public func writeParquet(_ sql: String, to path: String) throws -> Int {
        try check(sql)
        let part = path + ".part"
        while true {
            do {
                try connection.execute("CREATE OR REPLACE TEMPORARY VIEW tocsin_output AS \(sql)")
                let rows = try connection.execute(
                    "COPY (FROM tocsin_output) TO \(DuckDB.literal(part)) "
                        + "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)")
                try LocalOutput.move(part, to: path)
                return rows
            } catch let error as TocsinError where error.code == .lake {
                LocalOutput.remove(part)
                if try skipDamaged(after: error, sql: sql) == nil { throw error }
            }
        }
    }

    // MARK: Views

    private var root: String? {
        settings.location.map { location in
            var path = location
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            return path
        }
    }

    private func pattern(_ table: QueryTable) -> String? { root.map { "\($0)/\(table.pattern)" } }

    private func files(_ table: QueryTable) throws -> [String] {
        guard let pattern = pattern(table) else { return [] }
        return try connection.rows("SELECT file FROM glob(?) ORDER BY file", [.text(pattern)]).compactMap { $0[0].text }
    }

    private func open(_ table: QueryTable) throws {
        let found = try files(table)
        let known = Set(damagedFiles.map(\.path))
        do {
            try define(table, found, without: known)
        } catch let error as TocsinError where error.code == .lake && !error.isRetriable {
            let damaged = DamageSearch(connection).damaged(in: found.filter { !known.contains($0) }, depth: .footers)
            guard !damaged.isEmpty else { throw error }
            skipped.withLock { $0 += damaged }
            try define(table, found, without: known.union(damaged.map(\.path)))
        }
    }

    private func define(_ table: QueryTable, _ files: [String], without damaged: Set<String>) throws {
        let good = files.filter { !damaged.contains($0) }
        // A pattern sees files that come and go while the session lasts; a list leaves the damaged ones out.
        let isPattern = !good.isEmpty && good.count == files.count
        defer { tables.withLock { $0[table] = isPattern } }
        guard let lake = lakeRows(table, isPattern ? pattern(table) : nil, good) else { return }
        var body = lake
        if let view = table.view, let store = stores[view] {
            let same = view.key.map { "s.\(DuckDB.identifier($0)) = l.\(DuckDB.identifier($0))" }
            let equal = same.joined(separator: " AND ")
            body =
                view.isWholeInLake
                ? "SELECT * FROM (\(lake)) l UNION ALL BY NAME "
                    + "SELECT * FROM \(store)() s WHERE NOT EXISTS (FROM (\(lake)) l WHERE \(equal))"
                : "SELECT * FROM (\(lake)) l WHERE NOT EXISTS (FROM \(store)() s WHERE \(equal))"
                    + " UNION ALL BY NAME SELECT * FROM \(store)()"
        }
        try connection.execute("CREATE OR REPLACE VIEW \(DuckDB.identifier(table.name)) AS \(body)")
    }

    /// The table's files as a query; nil for a user's table without any.
    private func lakeRows(_ table: QueryTable, _ pattern: String?, _ files: [String]) -> String? {
        if files.isEmpty {
            guard let view = table.view else { return nil }
            let parts = [DuckDBColumn("date", .date)] + (table.isHourly ? [DuckDBColumn("hour", .bigint)] : [])
            let names = Set(view.columns.map(\.name))
            let columns = (view.columns + parts.filter { !names.contains($0.name) }).map {
                "NULL::\($0.type.sql) AS \(DuckDB.identifier($0.name))"
            }
            return "SELECT \(columns.joined(separator: ", ")) WHERE false"
        }
        let source =
            pattern.map(DuckDB.literal) ?? "[\(files.map(DuckDB.literal).joined(separator: ", "))]"
        let types = table.isHourly ? "{'date': DATE, 'hour': BIGINT}" : "{'date': DATE}"
        return "SELECT * FROM read_parquet(\(source), hive_partitioning = true, hive_types = \(types), "
            + "union_by_name = true)"
    }

    /// Looks for damaged files of the views that the statement names; nil where there is none, else the new ones.
    private func skipDamaged(after error: TocsinError, sql: String) throws -> [DamagedFile]? {
        guard !error.isRetriable, DamageSearch.isLikely(error.message) else { return nil }
        var all: [DamagedFile] = []
        let shown = tables.withLock { $0.keys.sorted { $0.name < $1.name } }
        for table in shown where sql.lowercased().contains(table.name) {
            let known = Set(damagedFiles.map(\.path))
            let found = try files(table)
            let suspects = found.filter { !known.contains($0) }
            let named = suspects.filter { error.message.contains($0) }
            let search = DamageSearch(connection)
            var damaged = search.damaged(in: named, depth: .rows)
            if damaged.isEmpty { damaged = search.damaged(in: suspects, depth: .rows) }
            guard !damaged.isEmpty else { continue }
            skipped.withLock { $0 += damaged }
            all += damaged
            try define(table, found, without: known.union(damaged.map(\.path)))
        }
        return all.isEmpty ? nil : all
    }

    // MARK: Reading only

    private func lock() throws {
        let folders = root.map { [DuckDB.literal($0 + "/")] } ?? []
        let files = settings.outputFile.map { [DuckDB.literal($0 + ".part")] } ?? []
        try connection.execute(
            """
            SET allowed_directories = [\(folders.joined(separator: ", "))];
            SET allowed_paths = [\(files.joined(separator: ", "))];
            SET enable_external_access = false;
            SET lock_configuration = true
            """)
    }

    private func check(_ sql: String) throws {
        if settings.isReadOnly { try ReadOnlyCheck(connection: connection, sources: Set(stores.values)).check(sql) }
    }
}
