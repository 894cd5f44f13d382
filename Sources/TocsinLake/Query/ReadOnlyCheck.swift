import CDuckDB
import Foundation
import TocsinCore

/// Lets only statements pass that read.
///
/// DuckDB's own parser answers: the statement's kind, and the functions in the tree of a SELECT. Settings and files are
/// locked besides, so this is the first of two walls.
struct ReadOnlyCheck {
    let connection: DuckDBConnection
    /// Table functions of the session's own sources.
    let sources: Set<String>

    private static let first: Set<String> = [
        "select", "with", "from", "values", "table", "describe", "desc", "show", "explain", "summarize", "pragma",
    ]
    private static let pragmas: Set<String> = [
        "show", "show_tables", "show_tables_expanded", "show_databases", "table_info", "database_list",
        "database_size", "version", "functions", "collations",
    ]
    /// Functions that make tables and only read; all others (pointers, logging, serialised SQL, ...) are refused.
    private static let readers: Set<String> = [
        "range", "generate_series", "unnest", "repeat", "repeat_row", "summary", "glob", "read_parquet",
        "parquet_scan", "parquet_metadata", "parquet_schema", "parquet_file_metadata", "parquet_kv_metadata",
        "read_csv", "read_csv_auto", "sniff_csv", "read_json", "read_json_auto", "read_json_objects", "read_ndjson",
        "read_ndjson_auto", "read_ndjson_objects", "read_text", "read_blob", "json_each", "json_tree",
        "duckdb_columns", "duckdb_tables", "duckdb_views", "duckdb_functions", "duckdb_types", "duckdb_keywords",
        "duckdb_settings", "duckdb_memory", "duckdb_schemas", "duckdb_databases", "pragma_table_info",
        "pragma_version", "pragma_database_size", "pragma_show", "icu_calendar_names", "pg_timezone_names",
    ]

    /// - Throws: `TocsinError` that says what was refused.
    func check(_ sql: String) throws {
        let words = Self.words(sql)
        guard let first = words.first, Self.first.contains(first) else {
            throw refusal("Only statements that read can be run, and this one begins with \(words.first ?? "nothing").")
        }
        let statements = try DuckDBStatements(sql, connection: connection)
        guard statements.count == 1 else {
            throw refusal("One statement at a time can be run, and these are \(statements.count).")
        }
        if first == "explain" {
            let rest = Self.afterExplain(sql)
            guard let next = Self.words(rest).first, next != "explain" else { throw refusal("EXPLAIN of what?") }
            return try check(rest)
        }
        if first == "pragma" {
            guard words.count > 1, Self.pragmas.contains(words[1]), !sql.contains("=") else {
                throw refusal("Of PRAGMA only those that show something can be run.")
            }
            return
        }
        try checkFunctions(sql)
        let kind = try statements.prepare(0, parameters: []).kind
        guard kind == Int32(TDK_STATEMENT_SELECT) else { throw refusal("Only statements that read can be run.") }
    }

    private func refusal(_ message: String) -> TocsinError {
        TocsinError(
            .usage, message, place: "query",
            remedy: "Use SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN, or allow writing on purpose.")
    }

    private func checkFunctions(_ sql: String) throws {
        let json =
            try connection.firstRow("SELECT json_serialize_sql(?::VARCHAR)::VARCHAR", [.text(sql)]).first?.text ?? ""
        let tree = try? JSONSerialization.jsonObject(with: Data(json.utf8))
        guard let root = tree as? [String: Any], root["error"] as? Bool == false else {
            let reason = (tree as? [String: Any])?["error_message"] as? String
            throw refusal(reason ?? "The statement cannot be checked.")
        }
        var nodes: [Any] = [root]
        while let node = nodes.popLast() {
            if let list = node as? [Any] { nodes += list }
            guard let fields = node as? [String: Any] else { continue }
            nodes += fields.values
            guard fields["type"] as? String == "TABLE_FUNCTION", let call = fields["function"] as? [String: Any],
                let name = call["function_name"] as? String
            else { continue }
            guard Self.readers.contains(name.lowercased()) || sources.contains(name) else {
                throw refusal("The function \(name) cannot be used here.")
            }
        }
    }

    /// The first words in lower case, without comments and opening parentheses.
    private static func words(_ sql: String) -> [String] {
        let text = withoutLeadingComments(sql)
        return text.split(maxSplits: 8) { $0.isWhitespace || $0 == "(" || $0 == ";" || $0 == "'" }
            .prefix(4).map { $0.lowercased() }
    }

    private static func withoutLeadingComments(_ sql: String) -> Substring {
        var rest = Substring(sql)
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "(" }
            if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*"), let end = rest.firstRange(of: "*/") {
                rest = rest[end.upperBound...]
            } else {
                return rest
            }
        }
    }

    /// What EXPLAIN, ANALYZE and options in parentheses stand before.
    private static func afterExplain(_ sql: String) -> String {
        var rest = withoutLeadingComments(sql).dropFirst("explain".count).drop { $0.isWhitespace }
        if rest.lowercased().hasPrefix("analyze") { rest = rest.dropFirst("analyze".count).drop { $0.isWhitespace } }
        if rest.hasPrefix("("), let end = rest.firstIndex(of: ")") {
            let inside = rest[rest.index(after: rest.startIndex)..<end].lowercased()
            if inside.hasPrefix("format") || inside.hasPrefix("analyze") { rest = rest[rest.index(after: end)...] }
        }
        return String(rest)
    }
}
