import CDuckDB
import TocsinCore

/// The rows of a query, in chunks of up to 2,048, made while they are read. For one thread at a time.
public final class DuckDBResult {
    private var handle: tdk_result
    // Both must outlive the result.
    private let statement: DuckDBStatement
    private let connection: DuckDBConnection
    public let columns: [DuckDBColumn]

    init(_ handle: tdk_result, statement: DuckDBStatement, connection: DuckDBConnection) throws {
        self.handle = handle
        self.statement = statement
        self.connection = connection
        var columns: [DuckDBColumn] = []
        for index in 0..<tdk_column_count(&self.handle) {
            let name = tdk_column_name(&self.handle, index).map { String(cString: $0) } ?? ""
            columns.append(DuckDBColumn(name, DuckDBLogicalType(tdk_column_logical_type(&self.handle, index)).type))
        }
        self.columns = columns
        for column in columns where column.type.isUnsupported {
            throw TocsinError(
                .lake, "Column \(column.name) has a type that cannot be shown.",
                remedy: "Cast it: \(DuckDB.identifier(column.name))::VARCHAR.")
        }
    }

    deinit { tdk_destroy_result(&handle) }

    /// Rows that the statement wrote, changed or deleted.
    var rowsChanged: UInt64 { tdk_rows_changed(&handle) }

    /// The next rows; nil after the last.
    /// - Throws: `TocsinError` where making them fails or is interrupted.
    public func nextChunk() throws -> DuckDBChunk? {
        while true {
            try connection.checkCancelled()
            guard let chunk = tdk_fetch_chunk(handle) else {
                if let message = tdk_result_error(&handle), message[0] != 0 {
                    throw connection.error(String(cString: message), kind: tdk_result_error_type(&handle))
                }
                return nil
            }
            let rows = DuckDBChunk(chunk, columns: columns)
            if rows.rowCount > 0 { return rows }
        }
    }
}

extension DuckDBType {
    var isUnsupported: Bool {
        switch self {
        case .unsupported: true
        case .list(let element), .array(let element, _): element.isUnsupported
        case .map(let key, let value): key.isUnsupported || value.isUnsupported
        case .structure(let fields): fields.contains { $0.type.isUnsupported }
        default: false
        }
    }
}
