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
        for view in LakeView.allCases { try open(view) }
        if settings.isReadOnly { try lock() }
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

    private func pattern(_ view: LakeView) -> String? { root.map { "\($0)/\(LakeLayout.pattern(of: view.table))" } }

    private func files(_ view: LakeView) throws -> [String] {
        guard let pattern = pattern(view) else { return [] }
        return try connection.rows("SELECT file FROM glob(?) ORDER BY file", [.text(pattern)]).compactMap { $0[0].text }
    }

    private func open(_ view: LakeView) throws {
        let found = try files(view)
        let known = Set(damagedFiles.map(\.path))
        do {
            try define(view, found, without: known)
        } catch let error as TocsinError where error.code == .lake && !error.isRetriable {
            let damaged = DamageSearch(connection).damaged(in: found.filter { !known.contains($0) }, depth: .footers)
            guard !damaged.isEmpty else { throw error }
            skipped.withLock { $0 += damaged }
            try define(view, found, without: known.union(damaged.map(\.path)))
        }
    }

    private func define(_ view: LakeView, _ files: [String], without damaged: Set<String>) throws {
        let good = files.filter { !damaged.contains($0) }
        let lake: String
        if good.isEmpty {
            let parts = [DuckDBColumn("date", .date)] + (view.table.isHourly ? [DuckDBColumn("hour", .bigint)] : [])
            let columns = (view.columns + parts).map { "NULL::\($0.type.sql) AS \(DuckDB.identifier($0.name))" }
            lake = "SELECT \(columns.joined(separator: ", ")) WHERE false"
        } else {
            // A pattern sees files that come and go while the session lasts; a list leaves the damaged ones out.
            let source =
                good.count == files.count && pattern(view) != nil
                ? DuckDB.literal(pattern(view) ?? "") : "[\(good.map(DuckDB.literal).joined(separator: ", "))]"
            let types = view.table.isHourly ? "{'date': DATE, 'hour': BIGINT}" : "{'date': DATE}"
            lake =
                "SELECT * FROM read_parquet(\(source), hive_partitioning = true, hive_types = \(types), "
                + "union_by_name = true)"
        }
        var body = lake
        if let store = stores[view] {
            let same = view.key.map { "s.\(DuckDB.identifier($0)) = l.\(DuckDB.identifier($0))" }
            let equal = same.joined(separator: " AND ")
            body =
                view.isWholeInLake
                ? "SELECT * FROM (\(lake)) l UNION ALL BY NAME "
                    + "SELECT * FROM \(store)() s WHERE NOT EXISTS (FROM (\(lake)) l WHERE \(equal))"
                : "SELECT * FROM (\(lake)) l WHERE NOT EXISTS (FROM \(store)() s WHERE \(equal))"
                    + " UNION ALL BY NAME SELECT * FROM \(store)()"
        }
        try connection.execute("CREATE OR REPLACE VIEW \(view.rawValue) AS \(body)")
    }

    /// Looks for damaged files of the views that the statement names; nil where there is none, else the new ones.
    private func skipDamaged(after error: TocsinError, sql: String) throws -> [DamagedFile]? {
        guard !error.isRetriable, DamageSearch.isLikely(error.message) else { return nil }
        var all: [DamagedFile] = []
        for view in LakeView.allCases where sql.lowercased().contains(view.rawValue) {
            let known = Set(damagedFiles.map(\.path))
            let found = try files(view)
            let suspects = found.filter { !known.contains($0) }
            let named = suspects.filter { error.message.contains($0) }
            let search = DamageSearch(connection)
            var damaged = search.damaged(in: named, depth: .rows)
            if damaged.isEmpty { damaged = search.damaged(in: suspects, depth: .rows) }
            guard !damaged.isEmpty else { continue }
            skipped.withLock { $0 += damaged }
            all += damaged
            try define(view, found, without: known.union(damaged.map(\.path)))
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
