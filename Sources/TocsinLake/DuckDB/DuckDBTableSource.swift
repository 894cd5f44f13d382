/// Rows from Swift that SQL reads as a table function.
///
/// ```swift
/// try connection.register(events, as: "events_source")
/// try connection.execute("COPY (FROM events_source()) TO 'events.parquet' (FORMAT parquet, COMPRESSION zstd)")
/// ```
public protocol DuckDBTableSource: Sendable {
    /// Asked once per query. Types: BOOLEAN, INTEGER, BIGINT, UBIGINT, DOUBLE, VARCHAR, BLOB, DATE, all TIMESTAMPs,
    /// and lists and maps of these.
    var columns: [DuckDBColumn] { get }
    /// For the query planner; nil: unknown.
    var estimatedRowCount: Int? { get }
    /// Above 1, `fill` of the one reader may be called by so many threads at once, and rows come in any order.
    var maximumThreads: Int { get }
    /// Starts a reading from the beginning: once for each use of the function in a query.
    func open() throws -> any DuckDBRowReader
}

extension DuckDBTableSource {
    public var estimatedRowCount: Int? { nil }
    public var maximumThreads: Int { 1 }
}

/// One reading of a source; called on DuckDB's threads, by one at a time unless the source allows more.
public protocol DuckDBRowReader: AnyObject {
    /// Writes rows 0..<n of the chunk, n at most `chunk.capacity`, and returns n; 0 ends the reading.
    /// - Throws: ends the query; the caller of the query gets this error.
    func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int
}
