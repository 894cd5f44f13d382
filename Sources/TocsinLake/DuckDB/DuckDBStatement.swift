import CDuckDB
import TocsinCore

/// The statements of one SQL text, parsed and not yet bound.
final class DuckDBStatements {
    private var handle: tdk_extracted?
    private let connection: DuckDBConnection
    let count: Int

    init(_ sql: String, connection: DuckDBConnection) throws {
        self.connection = connection
        var handle: tdk_extracted?
        if sql.utf8.contains(0) { throw TocsinError(.lake, "The SQL text has a NUL character in it.") }
        count = connection.withHandle { Int(clamping: tdk_extract_statements($0, sql, &handle)) }
        self.handle = handle
        if count == 0, let message = tdk_extract_statements_error(handle) {
            throw connection.error(String(cString: message))
        }
    }

    deinit { tdk_destroy_extracted(&handle) }

    func prepare(_ index: Int, parameters: [DuckDBValue]) throws -> DuckDBStatement {
        try connection.checkCancelled()
        var statement: tdk_statement?
        let state = connection.withHandle { tdk_prepare_extracted_statement($0, handle, UInt64(index), &statement) }
        let prepared = DuckDBStatement(statement, connection: connection)
        if state != 0 { throw connection.error(tdk_prepare_error(statement).map { String(cString: $0) } ?? "") }
        try prepared.bind(parameters)
        return prepared
    }
}

/// One prepared statement.
final class DuckDBStatement {
    private var handle: tdk_statement?
    private let connection: DuckDBConnection

    init(_ handle: tdk_statement?, connection: DuckDBConnection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { tdk_destroy_prepare(&handle) }

    /// DuckDB's number of its kind (TDK_STATEMENT_…).
    var kind: Int32 { tdk_prepared_statement_type(handle) }

    func bind(_ parameters: [DuckDBValue]) throws {
        let wanted = Int(clamping: tdk_nparams(handle))
        guard wanted == parameters.count else {
            throw TocsinError(.lake, "The statement has \(wanted) parameters, \(parameters.count) were given.")
        }
        for (index, value) in parameters.enumerated() {
            let parameter = try DuckDBParameter(value)
            guard tdk_bind_value(handle, UInt64(index + 1), parameter.handle) == 0 else {
                throw connection.error("Parameter \(index + 1) was refused.")
            }
        }
    }

    /// Runs it: to its end, or until the first rows can be had.
    func start(isStreaming: Bool) throws -> DuckDBResult {
        var pending: tdk_pending?
        defer { tdk_destroy_pending(&pending) }
        let state =
            isStreaming ? tdk_pending_prepared_streaming(handle, &pending) : tdk_pending_prepared(handle, &pending)
        if state != 0 { throw connection.error(tdk_pending_error(pending).map { String(cString: $0) } ?? "") }
        var result = tdk_result()
        if tdk_execute_pending(pending, &result) != 0 {
            defer { tdk_destroy_result(&result) }
            let message = tdk_result_error(&result) ?? tdk_pending_error(pending)
            throw connection.error(message.map { String(cString: $0) } ?? "", kind: tdk_result_error_type(&result))
        }
        return try DuckDBResult(result, statement: self, connection: connection)
    }
}
