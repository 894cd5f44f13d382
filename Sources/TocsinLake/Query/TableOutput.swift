import TocsinCore

/// An aligned table for terminals, with the number of rows below; rows beyond the limit are not read.
public struct TableOutput: QueryOutput {
    /// Rows whose width sets that of the columns, and which wait in memory for it.
    private static let block = 1_000
    private let limit: Int
    private let maximumWidth: Int
    private var buffer: OutputBuffer
    private var columns: [DuckDBColumn] = []
    private var widths: [Int] = []
    private var rows: [[String]] = []
    private var count = 0
    private var isCut = false
    private var hasHeader = false

    /// - Parameters:
    ///   - limit: rows shown at most; nil: all.
    ///   - maximumWidth: characters of a value shown at most.
    public init(limit: Int? = 100, maximumWidth: Int = 60, sink: @escaping ByteSink) {
        self.limit = limit ?? .max
        self.maximumWidth = max(maximumWidth, 4)
        buffer = OutputBuffer(sink)
    }

    public mutating func begin(_ columns: [DuckDBColumn]) throws {
        self.columns = columns
        widths = columns.map { $0.name.printable.count }
    }

    public mutating func write(_ chunk: DuckDBChunk) throws -> Bool {
        for row in 0..<chunk.rowCount {
            if count == limit {
                isCut = true
                return false
            }
            rows.append(columns.indices.map { cell(chunk, $0, row) })
            count += 1
            if rows.count == Self.block { try flushRows() }
        }
        return true
    }

    public mutating func end() throws {
        try flushRows()
        let number = count == 1 ? "1 row" : "\(count) rows"
        append(isCut ? "the first \(number); there are more: raise the limit, or write CSV, JSON or Parquet" : number)
        try buffer.flush()
    }

    private func cell(_ chunk: DuckDBChunk, _ column: Int, _ row: Int) -> String {
        if chunk.isNull(column: column, row: row) { return "" }
        var bytes: [UInt8] = []
        ValueText.append(chunk, column, row, to: &bytes)
        let text = String(decoding: bytes, as: UTF8.self).printable
        return text.count > maximumWidth ? text.prefix(maximumWidth - 1) + "…" : text
    }

    private mutating func flushRows() throws {
        for row in rows { for (column, text) in row.enumerated() { widths[column] = max(widths[column], text.count) } }
        if !hasHeader {
            hasHeader = true
            append(line(columns.map(\.name.printable)))
            append(widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "))
        }
        for row in rows {
            append(line(row))
            try buffer.flushIfFull()
        }
        rows.removeAll(keepingCapacity: true)
    }

    private func line(_ texts: [String]) -> String {
        var line = ""
        for (index, text) in texts.enumerated() {
            let space = String(repeating: " ", count: max(0, widths[index] - text.count))
            line += (index > 0 ? "  " : "") + (columns[index].type.isNumeric ? space + text : text + space)
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    private mutating func append(_ line: String) {
        buffer.bytes.append(contentsOf: line.utf8)
        buffer.bytes.append(0x0a)
    }
}
