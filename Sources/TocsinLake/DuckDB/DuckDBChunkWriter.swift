import CDuckDB

/// The chunk that a source fills: rows 0..<capacity of every column.
///
/// Columns that the query does not need take values and drop them; `isWanted` tells, where making them is dear.
public struct DuckDBChunkWriter {
    /// Rows that fit: 2,048.
    public let capacity: Int
    private var columns: [DuckDBVectorWriter]
    /// How far lists and maps are, by column: they may be written in several turns.
    private var entries: [DuckDBEntries?]

    init(_ chunk: tdk_chunk, columns: [DuckDBColumn], places: [Int?]) {
        let capacity = Int(clamping: tdk_vector_size())
        self.capacity = capacity
        self.columns = zip(columns, places).map { column, place in
            let vector = place.flatMap { tdk_data_chunk_get_vector(chunk, UInt64($0)) }
            return DuckDBVectorWriter(vector, type: column.type, capacity: capacity)
        }
        entries = Array(repeating: nil, count: columns.count)
    }

    var isOutOfMemory: Bool { columns.contains { $0.isOutOfMemory } }

    public func isWanted(_ column: Int) -> Bool { columns[column].isWanted }

    /// The writer of one column.
    public subscript(column: Int) -> DuckDBVectorWriter {
        get { columns[column] }
        _modify { yield &columns[column] }
    }

    /// Calls the body with the writer of a MAP column, unless the query does not need it. Rows in rising order; one call
    /// for all rows is fastest.
    public mutating func withMap(_ column: Int, _ body: (inout DuckDBMapWriter) throws -> Void) rethrows {
        guard case .map(let key, let value) = columns[column].type else { preconditionFailure("a MAP column") }
        guard let vector = columns[column].vector else { return }
        var map = DuckDBMapWriter(
            vector, key: key, value: value, entries: entries[column] ?? DuckDBEntries(vector, rows: capacity))
        try body(&map)
        entries[column] = map.entries
        if !map.finish() { columns[column].isOutOfMemory = true }
    }

    /// Calls the body with the writer of a LIST column, unless the query does not need it; as `withMap`.
    public mutating func withList(_ column: Int, _ body: (inout DuckDBListWriter) throws -> Void) rethrows {
        guard case .list(let element) = columns[column].type else { preconditionFailure("a LIST column") }
        guard let vector = columns[column].vector else { return }
        var list = DuckDBListWriter(
            vector, element: element, entries: entries[column] ?? DuckDBEntries(vector, rows: capacity))
        try body(&list)
        entries[column] = list.entries
        if !list.finish() { columns[column].isOutOfMemory = true }
    }
}
