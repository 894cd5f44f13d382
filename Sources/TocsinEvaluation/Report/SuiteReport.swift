/// The figures of one run: tables to print and to keep as JSON.
public struct SuiteReport: Sendable {
    public struct Column: Sendable {
        public var name: String
        /// Digits behind the point.
        public var digits: Int
        public init(_ name: String, _ digits: Int = 3) {
            self.name = name
            self.digits = digits
        }
    }

    public struct Row: Sendable {
        /// The detector, or who published the figures.
        public var name: String
        /// The file, split or mode; empty for a total.
        public var part: String
        /// In the order of the columns; nil where there is none.
        public var figures: [Double?]
        public init(_ name: String, _ part: String = "", _ figures: [Double?]) {
            self.name = name
            self.part = part
            self.figures = figures
        }
    }

    public struct Table: Sendable {
        public var title: String
        public var columns: [Column]
        public var rows: [Row]
        /// Published results in the same columns.
        public var references: [Row]
        /// A table of single files, printed only on demand.
        public var isDetail: Bool

        public init(
            _ title: String, columns: [Column], rows: [Row], references: [Row] = [], isDetail: Bool = false
        ) {
            self.title = title
            self.columns = columns
            self.rows = rows
            self.references = references
            self.isDetail = isDetail
        }
    }

    public var suite: String
    public var tables: [Table]
    public var notes: [String]

    public init(suite: String, tables: [Table], notes: [String]) {
        self.suite = suite
        self.tables = tables
        self.notes = notes
    }

    /// A figure by detector, part and column; nil when it is not there. For tests and bars.
    public func figure(_ name: String, _ part: String = "", column: String) -> Double? {
        for table in tables {
            guard let index = table.columns.firstIndex(where: { $0.name == column }) else { continue }
            if let row = table.rows.first(where: { $0.name == name && $0.part == part }), index < row.figures.count {
                return row.figures[index]
            }
        }
        return nil
    }
}
