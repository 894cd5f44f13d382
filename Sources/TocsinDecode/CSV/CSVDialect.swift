/// The header of a CSV input: its separator and its column names.
struct CSVDialect: Sendable, Equatable {
    let separator: UInt8
    let columns: [String]
    let headerStart: Int
    /// Where the first row behind the header starts.
    let rowsStart: Int
    /// Lines before that.
    let lines: Int
    /// Numbers and times only: the input has no header, this is its first row.
    let isRowOfValues: Bool

    /// A line before the header that is too long or no text.
    struct UnreadableLine {
        let range: Range<Int>
        /// From 1, within the bytes searched.
        let number: Int
    }

    /// The header: the first line of text. Nil where more bytes are needed, or none is left.
    ///
    /// - Parameter unreadable: gets the lines before the header that are no text at all.
    static func find(
        _ bytes: Span<UInt8>, isFinal: Bool, longest: Int, unreadable: inout [UnreadableLine]
    ) -> CSVDialect? {
        var start = 0
        var lines = 0
        while start < bytes.count {
            let found = Text.endOfLine(bytes, from: start)
            if found == nil, !isFinal { return nil }
            let end = found ?? bytes.count
            let line = start..<end
            let next = min(end + 1, bytes.count)
            lines += 1
            if line.count > longest || !Text.isText(bytes.extracting(line)) {
                unreadable.append(UnreadableLine(range: line, number: lines))
            } else if !Text.trim(bytes, line).isEmpty {
                return CSVDialect(bytes, header: start..<end, rowsStart: next, lines: lines)
            }
            start = next
        }
        return nil
    }

    private init(_ bytes: Span<UInt8>, header: Range<Int>, rowsStart: Int, lines: Int) {
        let separator = Self.separator(bytes.extracting(header))
        self.separator = separator
        headerStart = header.lowerBound
        self.rowsStart = rowsStart
        self.lines = lines
        // As many columns as there are cells: no count is expected of the header itself.
        let scanner = CSVRowScanner(separator: separator, columnCount: -1, longest: header.count)
        var cells: [CSVRowScanner.Cell] = []
        let text = bytes.extracting(header)
        _ = scanner.row(text, from: 0, isFinal: true, cells: &cells)
        if cells.count > 1, let last = cells.last, last.start == last.end { cells.removeLast() }
        var columns: [String] = []
        for cell in cells { columns.append(String(decoding: cell.text(text), as: UTF8.self)) }
        self.columns = columns
        isRowOfValues = columns.allSatisfy { column in
            let column = column.utf8.span
            return column.isEmpty || CSVNumber.isNumber(column) || TimeReader(format: .iso8601).time(column) != nil
        }
    }

    /// The most frequent candidate outside quotes; a comma where there is none.
    private static func separator(_ line: Span<UInt8>) -> UInt8 {
        let candidates: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
        var counts = [0, 0, 0]
        var isQuoted = false
        for position in line.indices {
            if line[position] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, let candidate = candidates.firstIndex(of: line[position]) { counts[candidate] += 1 }
        }
        var best = 0
        for candidate in candidates.indices where counts[candidate] > counts[best] { best = candidate }
        return candidates[best]
    }
}
