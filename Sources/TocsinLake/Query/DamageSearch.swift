import TocsinCore

/// Finds the files that DuckDB cannot read among many: halves are tried, so that n good files and one bad one cost
/// about twice the reading of n.
struct DamageSearch {
    enum Depth {
        /// Schema and statistics only.
        case footers
        /// Every value of every column.
        case rows
    }

    private let connection: DuckDBConnection

    init(_ connection: DuckDBConnection) { self.connection = connection }

    /// Whether an error can come from a file; those that surely come from the statement or the session do not.
    static func isLikely(_ message: String) -> Bool {
        let statement = [
            "Parser", "Syntax", "Binder", "Catalog", "Conversion", "Out of Range", "Out of Memory", "Permission",
            "Not implemented", "Missing Extension", "INTERRUPT", "TransactionContext", "Constraint", "Settings",
            // An answer of the service, not the content of a file.
            "HTTP", "Network",
        ]
        return !statement.contains { message.hasPrefix($0) }
    }

    func damaged(in files: [String], depth: Depth) -> [DamagedFile] {
        guard !files.isEmpty, let reason = failure(of: files, depth) else { return [] }
        if files.count == 1 { return [DamagedFile(path: files[0], reason: reason)] }
        let middle = files.count / 2
        return damaged(in: Array(files[..<middle]), depth: depth) + damaged(in: Array(files[middle...]), depth: depth)
    }

    /// nil where all can be read; errors that waiting can cure are not damage.
    private func failure(of files: [String], _ depth: Depth) -> String? {
        let source = "read_parquet([\(files.map(DuckDB.literal).joined(separator: ", "))], union_by_name = true)"
        let sql =
            switch depth {
            case .footers: "FROM \(source) LIMIT 0"
            case .rows: "SELECT bit_xor(hash(COLUMNS(*))) FROM \(source)"
            }
        do {
            try connection.execute(sql)
            return nil
        } catch {
            guard let error = error as? TocsinError else { return "\(error)" }
            return error.isRetriable || error.code == .interrupted ? nil : error.message
        }
    }
}
