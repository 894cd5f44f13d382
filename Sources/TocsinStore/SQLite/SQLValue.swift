internal import GRDB
internal import TocsinCore

/// An argument of a statement that is not on the hot path.
enum SQLValue {
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
    case null

    /// For `IN (SELECT value FROM json_each(?))`: one statement whatever the numbers.
    static func list(_ numbers: [Int64]) -> SQLValue {
        .text("[\(numbers.map(String.init).joined(separator: ","))]")
    }

    static func optional(_ text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }
    static func optional(_ time: Timestamp?) -> SQLValue { time.map { .integer($0.nanoseconds) } ?? .null }
}

extension SQLStatement {
    func bind(_ values: [SQLValue]) throws {
        for (index, value) in values.enumerated() {
            let column = Int32(index + 1)
            switch value {
            case .integer(let number): bind(column, number)
            case .real(let number): bind(column, number)
            case .text(let text): try bind(column, text)
            case .blob(let bytes): try bind(column, bytes)
            case .null: bindNull(column)
            }
        }
    }
}

extension Database {
    /// Runs one statement; returns rows changed.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue] = []) throws -> Int {
        let statement = try SQLStatement(self, sql)
        try statement.bind(values)
        return try statement.run()
    }

    /// All result rows, each made by `element`.
    func rows<Element>(
        _ sql: String, _ values: [SQLValue] = [], _ element: (SQLStatement) throws -> Element
    ) throws -> [Element] {
        let statement = try SQLStatement(self, sql)
        try statement.bind(values)
        defer { statement.reset() }
        var result: [Element] = []
        while try statement.next() { result.append(try element(statement)) }
        return result
    }

    /// The first column of the first row; nil when there is no row or it is NULL.
    func integer(_ sql: String, _ values: [SQLValue] = []) throws -> Int64? {
        let statement = try SQLStatement(self, sql)
        try statement.bind(values)
        return try statement.firstInteger()
    }
}
