extension SuiteReport {
    /// The tables as aligned text, published figures below ours.
    ///
    /// - Parameter details: print the tables of single files, too.
    public func text(details: Bool = false) -> String {
        var text = ""
        for table in tables where details || !table.isDetail {
            text += text.isEmpty ? "" : "\n"
            text += "\(suite): \(table.title)\n\(Self.text(table))"
        }
        if !notes.isEmpty { text += "\n" + notes.map { "- \($0)\n" }.joined() }
        return text
    }

    private static func text(_ table: Table) -> String {
        let head = ["", ""] + table.columns.map(\.name)
        let ours = table.rows.map { cells($0, table) }
        let published = table.references.map { cells($0, table) }
        var widths = head.map(\.count)
        for row in ours + published {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.count)
            }
        }
        let rule = String(repeating: "-", count: widths.reduce(0) { $0 + $1 + 2 }) + "\n"
        var text = line(head, widths) + rule + ours.map { line($0, widths) }.joined()
        if !published.isEmpty { text += rule + published.map { line($0, widths) }.joined() }
        return text
    }

    private static func cells(_ row: Row, _ table: Table) -> [String] {
        [row.name, row.part]
            + zip(row.figures, table.columns).map { figure, column in
                guard let figure else { return "" }
                return figure.isFinite ? fixed(figure, column.digits) : "-"
            }
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() where index < widths.count {
            let blanks = String(repeating: " ", count: max(widths[index] - cell.count, 0))
            line += index < 2 ? cell + blanks + "  " : blanks + cell + "  "
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }

    /// Fixed digits behind the point, half away from zero.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        let unit = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = (abs(value) * unit).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let whole = Int64(scaled)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return sign + "\(whole)" }
        let text = String(whole)
        let padded = String(repeating: "0", count: max(digits + 1 - text.count, 0)) + text
        return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }
}
