import GRDB
import Testing
import TocsinCore
import TocsinStore

/// docs/schema.md says what the database has: its last part is the schema as SQLite itself reports it, and every column
/// is explained above.
@Suite struct SchemaDocumentTests {
    private static let heading = "## As the database has it"

    @Test func theDocumentHoldsTheRealSchema() async throws {
        let folder = try ScratchFolder()
        let path = folder.path("tocsin.db")
        try await SQLiteStore(path: path, table: SeriesTable()).close()
        let queue = try DatabaseQueue(path: path)
        let tables = try await queue.read { try Self.tables($0) }
        try queue.close()
        let text = String(decoding: try folder.read(Self.document), as: UTF8.self)
        let parts = text.split(separator: Self.heading, maxSplits: 1)
        let (explained, listed) = (try #require(parts.first), try #require(parts.last))
        let block = listed.split(separator: "```").dropFirst().first.map(String.init) ?? ""
        let expected = tables.map(\.text).joined(separator: "\n\n")
        #expect(
            block.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().dropLast()
                .joined(separator: "\n") == expected,
            "docs/schema.md, \(Self.heading): should be\n\(expected)")
        for table in tables {
            #expect(explained.contains("`\(table.name)`") || explained.contains("### \(table.name):"), "\(table.name)")
            for column in table.columns { #expect(explained.contains("`\(column)`"), "\(table.name).\(column)") }
        }
    }

    private static var document: String {
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/docs/schema.md"
    }

    private struct Table {
        var name: String
        var columns: [String]
        var text: String
    }

    private static func tables(_ database: Database) throws -> [Table] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' ORDER BY name
                """
        ).map { table in
            let name: String = table["name"]
            var lines = ["\(name)\(table["type"] == "view" ? " (view)" : "")"]
            var columns: [String] = []
            for column in try Row.fetchAll(database, sql: "SELECT * FROM pragma_table_info(?)", arguments: [name]) {
                columns.append(column["name"])
                let type: String = column["type"]
                let isKey = (column["pk"] as Int) > 0
                let words = [
                    column["name"], type, isKey ? "key" : "",
                    (column["notnull"] as Int) == 0 && !isKey && !type.isEmpty ? "or NULL" : "",
                ]
                lines.append("    " + words.filter { !$0.isEmpty }.joined(separator: " "))
            }
            for key in try Row.fetchAll(database, sql: "SELECT * FROM pragma_foreign_key_list(?)", arguments: [name]) {
                lines.append(
                    "    foreign key \(key["from"] as String) -> \(key["table"] as String) (\(key["to"] as String))")
            }
            let indexes = try Row.fetchAll(
                database, sql: "SELECT * FROM pragma_index_list(?) ORDER BY name", arguments: [name])
            for index in indexes where index["origin"] != "pk" {
                let indexName: String = index["name"]
                let keys = try String.fetchAll(
                    database, sql: "SELECT name FROM pragma_index_info(?)", arguments: [indexName])
                let filter = try String.fetchOne(
                    database, sql: "SELECT sql FROM sqlite_schema WHERE name = ?", arguments: [indexName]
                )?.split(separator: " WHERE ").dropFirst().first.map { " where \($0)" }
                let label = index["origin"] == "u" ? "unique" : (index["unique"] as Int) == 1 ? "unique index" : "index"
                let shownName = index["origin"] == "u" ? "" : " \(indexName)"
                lines.append("    \(label)\(shownName) (\(keys.joined(separator: ", ")))\(filter ?? "")")
            }
            return Table(name: name, columns: columns, text: lines.joined(separator: "\n"))
        }
    }
}
