import CDuckDB

/// Up to 2,048 rows of a result, column by column. For one thread at a time.
public final class DuckDBChunk {
    private var handle: tdk_chunk?
    let vectors: [DuckDBVectorReader]
    public let rowCount: Int

    init(_ handle: tdk_chunk, columns: [DuckDBColumn]) {
        self.handle = handle
        rowCount = Int(clamping: tdk_data_chunk_get_size(handle))
        vectors = columns.enumerated().map { index, column in
            DuckDBVectorReader(tdk_data_chunk_get_vector(handle, UInt64(index)), type: column.type)
        }
    }

    deinit { tdk_destroy_data_chunk(&handle) }

    /// Any value; makes copies of texts, lists and maps.
    public func value(column: Int, row: Int) -> DuckDBValue {
        precondition(row >= 0 && row < rowCount, "a row of this chunk")
        return vectors[column].value(row)
    }

    public func isNull(column: Int, row: Int) -> Bool {
        precondition(row >= 0 && row < rowCount, "a row of this chunk")
        return vectors[column].isNull(row)
    }

    /// An integer, a boolean, a date or a time as DuckDB counts it (timestamps: microseconds); nil for NULL.
    public func integer(column: Int, row: Int) -> Int64? {
        precondition(row >= 0 && row < rowCount, "a row of this chunk")
        return vectors[column].isNull(row) ? nil : vectors[column].integer(row)
    }

    /// A DOUBLE or FLOAT; nil for NULL.
    public func double(column: Int, row: Int) -> Double? {
        precondition(row >= 0 && row < rowCount, "a row of this chunk")
        return vectors[column].isNull(row) ? nil : vectors[column].double(row)
    }

    /// The bytes of a VARCHAR or BLOB, without a copy; not called for NULL.
    public func withBytes<T>(column: Int, row: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T? {
        precondition(row >= 0 && row < rowCount, "a row of this chunk")
        return vectors[column].isNull(row) ? nil : try body(vectors[column].bytes(row))
    }

    /// All rows of a BIGINT or TIMESTAMP column; values where `isNull` are without meaning.
    public func withIntegers<T>(column: Int, _ body: (Span<Int64>) throws -> T) rethrows -> T {
        try vectors[column].withRows(rowCount, as: Int64.self, body)
    }

    /// All rows of a DOUBLE column; values where `isNull` are without meaning.
    public func withDoubles<T>(column: Int, _ body: (Span<Double>) throws -> T) rethrows -> T {
        try vectors[column].withRows(rowCount, as: Double.self, body)
    }
}
