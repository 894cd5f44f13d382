/// Cuts CSV text into rows and cells (RFC 4180). The one judge of where a row ends, for the cutting into chunks and
/// for the decoding alike.
///
/// A cell may be quoted, hold separators, line ends and doubled quotes then; a quote elsewhere is a plain character.
/// A row over several lines that comes out with another number of cells than the header has, or whose quote never
/// closes, is taken to be a line with a stray quote: that one line is malformed, and the next starts afresh.
struct CSVRowScanner: Sendable, Equatable {
    struct Cell: Sendable, Equatable {
        var start: Int
        var end: Int
        /// Doubled quotes stand for single ones.
        var hasDoubledQuotes: Bool

        /// What the cell says: without blanks around it, quotes single.
        func text(_ bytes: Span<UInt8>) -> [UInt8] {
            let range = Text.trim(bytes, start..<end)
            var text: [UInt8] = []
            var position = range.lowerBound
            while position < range.upperBound {
                text.append(bytes[position])
                position += hasDoubledQuotes && bytes[position] == UInt8(ascii: "\"") ? 2 : 1
            }
            return text
        }
    }

    enum Fault: Sendable, Equatable {
        case openQuote
        case textBehindQuote
        case cellCount
        case tooLong
    }

    struct Row: Sendable, Equatable {
        /// Behind the last byte of the row, its line end not counted.
        var end: Int
        /// Where the next row starts.
        var next: Int
        /// Line ends in the row and behind it.
        var lines: Int
        var fault: Fault?
    }

    let separator: UInt8
    let columnCount: Int
    let longest: Int

    /// Splits the row that starts at `start`; nil where more bytes are needed to know its end.
    ///
    /// - Parameter isFinal: no more bytes will come.
    func row(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool, cells: inout [Cell]) -> Row? {
        cells.removeAll(keepingCapacity: true)
        var position = start
        var lines = 0
        var fault: Fault?
        while true {
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                guard let end = quoted(bytes, &position, start, &lines, &cells) else {
                    // Open to the end of what is there: wait, unless the row is too long already.
                    if !isFinal, bytes.count - start <= longest { return nil }
                    return firstLine(bytes, from: start, isFinal: isFinal)
                }
                if !end { fault = .textBehindQuote }
            } else {
                plain(bytes, &position, &cells)
            }
            if position >= bytes.count {
                if !isFinal, bytes.count - start <= longest { return nil }
                break
            }
            if bytes[position] == UInt8(ascii: "\n") { break }
            position += 1
        }
        if position - start > longest { return firstLine(bytes, from: start, isFinal: isFinal) }
        dropEmptyLastCell(bytes, &cells)
        if fault == nil, cells.count != columnCount { fault = .cellCount }
        if fault != nil, lines > 0 { return firstLine(bytes, from: start, isFinal: isFinal) }
        return Row(end: position, next: min(position + 1, bytes.count), lines: lines + 1, fault: fault)
    }

    /// Moves to the separator or line end behind an unquoted cell.
    @inline(__always)
    private func plain(_ bytes: Span<UInt8>, _ position: inout Int, _ cells: inout [Cell]) {
        let start = position
        while position < bytes.count, bytes[position] != separator, bytes[position] != UInt8(ascii: "\n") {
            position += 1
        }
        var end = position
        if end > start, position == bytes.count || bytes[position] == UInt8(ascii: "\n"),
            bytes[end - 1] == UInt8(ascii: "\r")
        {
            end -= 1
        }
        cells.append(Cell(start: start, end: end, hasDoubledQuotes: false))
    }

    /// Moves to the separator or line end behind a quoted cell; false where text follows the closing quote, nil where
    /// there is none within the allowed length.
    private func quoted(
        _ bytes: Span<UInt8>, _ position: inout Int, _ rowStart: Int, _ lines: inout Int, _ cells: inout [Cell]
    ) -> Bool? {
        position += 1
        var cell = Cell(start: position, end: position, hasDoubledQuotes: false)
        let limit = min(bytes.count, rowStart + longest + 1)
        while true {
            guard position < limit else { return nil }
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\n") { lines += 1 }
            guard byte == UInt8(ascii: "\"") else { continue }
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { break }
            cell.hasDoubledQuotes = true
            position += 1
        }
        cell.end = position - 1
        cells.append(cell)
        var isClean = true
        while position < bytes.count, bytes[position] != separator, bytes[position] != UInt8(ascii: "\n") {
            if !Text.isBlank(bytes[position]) { isClean = false }
            position += 1
        }
        return isClean
    }

    /// The line that starts at `start` as a broken row. The fault does not say how the text went on behind the line:
    /// that depends on where the input was cut.
    private func firstLine(_ bytes: Span<UInt8>, from start: Int, isFinal: Bool) -> Row? {
        let found = Text.endOfLine(bytes, from: start)
        if found == nil, !isFinal { return nil }
        let end = found ?? bytes.count
        return Row(
            end: end, next: min(end + 1, bytes.count), lines: 1, fault: end - start > longest ? .tooLong : .openQuote)
    }

    /// Many programs end every row with a separator.
    private func dropEmptyLastCell(_ bytes: Span<UInt8>, _ cells: inout [Cell]) {
        guard cells.count == columnCount + 1, let last = cells.last else { return }
        if Text.trim(bytes, last.start..<last.end).isEmpty { cells.removeLast() }
    }
}
