import TocsinCore

/// What a query session shows under one name: a table of the program, or one that a user's own SQL has made.
struct QueryTable: Hashable {
    var name: String
    /// All its files, below the lake's location.
    var pattern: String
    var isHourly: Bool
    /// nil for a user's own table.
    var view: LakeView?

    init(_ view: LakeView) {
        name = view.rawValue
        pattern = LakeLayout.pattern(of: view.table)
        isHourly = view.table.isHourly
        self.view = view
    }

    /// A user's own table of gold (`shifts`): under its own name, or `gold_shifts` where that is taken.
    private init(gold table: String, isHourly: Bool) {
        name = LakeView(rawValue: table) == nil ? table : "gold_" + table
        pattern = "gold/\(table)" + (isHourly ? "/*/*/part-*.parquet" : "/*/part-*.parquet")
        self.isHourly = isHourly
    }

    /// The users' tables that have a file now; in the order of names.
    static func own(below root: String, _ connection: DuckDBConnection) throws -> [QueryTable] {
        var found: Set<QueryTable> = []
        for (depth, isHourly) in [("*", false), ("*/*", true)] {
            let files = try connection.rows(
                "SELECT DISTINCT regexp_extract(file, 'gold/([a-z0-9_]+)/date=[^/]+/([^/]+/)?part-[^/]*$', 1) FROM glob(?)",
                [.text("\(root)/gold/*/\(depth)/part-*.parquet")])
            for table in files.compactMap({ $0.first?.text }) where !table.isEmpty {
                guard LakeTable(path: "gold/\(table)") == nil else { continue }
                found.insert(QueryTable(gold: table, isHourly: isHourly))
            }
        }
        return found.sorted { $0.name < $1.name }
    }
}
