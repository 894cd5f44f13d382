internal import TocsinCore

/// A CSV file as columns of numbers.
///
/// Comma or semicolon, header or none, gzip or plain, quoted or not; an empty cell is NaN. What a column holds is
/// decided by its first row: numbers, times (the first such column gives `times`) or words (kept in `words`).
struct NumberTable {
    var names: [String] = []
    /// One array per column; NaN in columns of times and words.
    var columns: [[Double]] = []
    var times: [Timestamp] = []
    var words: [String: [String]] = [:]

    var rowCount: Int { columns.first?.count ?? 0 }

    private enum Content { case number, time, word }

    /// - Throws: `TocsinError` with file and line for a row of the wrong length or a cell of the wrong kind.
    init(_ path: String) throws {
        let bytes = try TextFile.bytes(path)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard let first = lines.first(where: { !$0.isEmpty }) else {
            throw TocsinError(.format, "the file is empty", place: path, remedy: "fetch it again")
        }
        let separator: UInt8 = first.contains(UInt8(ascii: ";")) ? UInt8(ascii: ";") : UInt8(ascii: ",")
        var cells: [ArraySlice<UInt8>] = []
        var contents: [Content] = []
        var timeColumn: Int?
        for (index, line) in lines.enumerated() where !line.isEmpty {
            Self.split(line, at: separator, into: &cells)
            if cells.count == 1, cells[0].isEmpty { continue }
            if columns.isEmpty {
                columns = Array(repeating: [], count: cells.count)
                names = cells.indices.map { "x\($0 + 1)" }
                if !cells.contains(where: { !$0.isEmpty && Number.parse($0) != nil }) {
                    names = cells.map { String(decoding: $0, as: UTF8.self) }
                    continue
                }
            }
            guard cells.count == columns.count else {
                throw TocsinError(
                    .format, "\(cells.count) columns where \(columns.count) are expected",
                    place: "\(path):\(index + 1)",
                    remedy: "fetch the file again")
            }
            if contents.isEmpty {
                contents = cells.map(Self.content)
                timeColumn = contents.firstIndex(of: .time)
            }
            for column in cells.indices {
                switch contents[column] {
                case .number:
                    guard let number = Number.parse(cells[column]) else {
                        let text = String(decoding: cells[column], as: UTF8.self)
                        throw TocsinError(
                            .format, "\(names[column]): \"\(text)\" is no number", place: "\(path):\(index + 1)",
                            remedy: "fetch the file again")
                    }
                    columns[column].append(number)
                case .time:
                    columns[column].append(.nan)
                    guard column == timeColumn else { continue }
                    guard let time = Timestamp(iso8601: String(decoding: cells[column], as: UTF8.self)) else {
                        throw TocsinError(
                            .format, "\(names[column]) is no time", place: "\(path):\(index + 1)",
                            remedy: "fetch the file again")
                    }
                    times.append(time)
                case .word:
                    columns[column].append(.nan)
                    words[names[column], default: []].append(String(decoding: cells[column], as: UTF8.self))
                }
            }
        }
    }

    /// The column of a name.
    ///
    /// - Throws: `TocsinError(.format)` when there is none.
    func column(_ name: String, of path: String) throws -> [Double] {
        guard let index = names.firstIndex(of: name) else {
            throw TocsinError(
                .format, "the column \(name) is missing", place: path,
                remedy: "expected a header with it; found \(names.prefix(8).joined(separator: ", "))")
        }
        return columns[index]
    }

    private static func content(_ cell: ArraySlice<UInt8>) -> Content {
        if Number.parse(cell) != nil { return .number }
        return Timestamp(iso8601: String(decoding: cell, as: UTF8.self)) == nil ? .word : .time
    }

    private static func split(_ line: ArraySlice<UInt8>, at separator: UInt8, into cells: inout [ArraySlice<UInt8>]) {
        cells.removeAll(keepingCapacity: true)
        var start = line.startIndex
        var position = start
        var isQuoted = false
        while position < line.endIndex {
            if line[position] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if line[position] == separator, !isQuoted {
                cells.append(trimmed(line[start..<position]))
                start = position + 1
            }
            position += 1
        }
        cells.append(trimmed(line[start...]))
    }

    /// Without blanks, a carriage return and quotes around it.
    private static func trimmed(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var cell = cell
        while let last = cell.last, last <= 32 || last == UInt8(ascii: "\"") { cell.removeLast() }
        while let first = cell.first, first <= 32 || first == UInt8(ascii: "\"") { cell.removeFirst() }
        return cell
    }
}
