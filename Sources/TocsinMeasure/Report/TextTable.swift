/// A table for people: the first column to the left, figures to the right.
///
/// ```swift
/// var table = TextTable(["stage", "ns"])
/// table.add(["decode", "101"])
/// table.text    // "stage    ns\ndecode  101"
/// ```
public struct TextTable: Sendable, Equatable {
    public let headings: [String]
    public private(set) var rows: [[String]] = []

    public init(_ headings: [String]) { self.headings = headings }

    /// A row shorter than the headings is filled with empty cells; what is longer is cut.
    public mutating func add(_ cells: [String]) {
        let missing = max(0, headings.count - cells.count)
        rows.append(Array(cells.prefix(headings.count)) + Array(repeating: "", count: missing))
    }

    /// Lines without an end of line after the last.
    public var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { Self.line($0, widths) }.joined(separator: "\n")
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (column, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[column] - cell.count)
            line += column == 0 ? cell + padding : "  " + padding + cell
        }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}
