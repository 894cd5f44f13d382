internal import TocsinCore
internal import TocsinDecode

/// Writes rows of CSV as JSON objects with the header's names: numbers as numbers, empty cells as null.
struct CSVObjects: Sendable {
    struct Cell {
        var range: Range<Int>
        var isQuoted = false
    }

    private let separator: UInt8
    private let columns: [String]
    let sensorColumn: Int?
    let timeColumn: Int?
    private let eventColumn: Int?
    private var cells: [Cell] = []
    private var json = JSONWriter()

    /// - Parameters:
    ///   - header: the header's line; empty where the file has none, and columns are called `column1` and so on.
    ///   - row: any row, which then tells the separator.
    init(header: [UInt8], row: ArraySlice<UInt8>, mapping: InputMapping) {
        let line = header.isEmpty ? Array(row) : header
        let separator = Self.separator(of: line)
        var cells: [Cell] = []
        Self.split(line, line.indices, separator, &cells)
        if cells.count > 1, let last = cells.last, last.range.isEmpty { cells.removeLast() }
        var names: [String] = []
        for (number, cell) in cells.enumerated() {
            let text = Self.text(cell, line)
            var name = header.isEmpty || text.isEmpty ? "column\(number + 1)" : text
            // An object has each name once.
            while names.contains(name) { name += "_" }
            names.append(name)
        }
        self.separator = separator
        columns = names
        sensorColumn = Self.column(names, mapping.sensor, FieldNames.sensor)
        timeColumn = Self.column(names, mapping.time, FieldNames.time)
        eventColumn = Self.column(names, mapping.eventID, FieldNames.eventID)
    }

    /// Appends the object of a row, without a line end.
    mutating func append(
        _ bytes: [UInt8], _ row: Range<Int>, _ changes: MessageChanges, to lines: inout [UInt8]
    ) {
        Self.split(bytes, row, separator, &cells)
        json.removeAll()
        json.object { json in
            if let sensor = changes.sensor,
                sensorColumn.map({ $0 >= cells.count || cells[$0].range.isEmpty }) ?? true
            {
                json.field(changes.sensorName, sensor)
            }
            if let time = changes.time, timeColumn.map({ $0 >= cells.count || cells[$0].range.isEmpty }) ?? true {
                json.field(changes.timeName, time)
            }
            for (number, name) in columns.enumerated() where number < cells.count {
                let cell = cells[number]
                let isSensor = number == sensorColumn
                let isTime = number == timeColumn
                if isSensor || isTime, cell.range.isEmpty { continue }
                json.key(name)
                if isTime, let time = changes.time {
                    var text: [UInt8] = []
                    changes.stamping.append(time, like: bytes[cell.range], to: &text)
                    Self.value(text, text.indices, comma: false, &json)
                } else if number == eventColumn, let pass = changes.pass, !cell.range.isEmpty {
                    json.value("\(Self.text(cell, bytes))-\(pass)")
                } else if isSensor {
                    json.value(Self.text(cell, bytes))
                } else {
                    Self.value(bytes, cell, comma: separator != UInt8(ascii: ","), &json)
                }
            }
        }
        lines += json.bytes
    }

    // MARK: Cells

    private static func value(_ bytes: [UInt8], _ cell: Cell, comma: Bool, _ json: inout JSONWriter) {
        guard !cell.isQuoted || !bytes[cell.range].contains(UInt8(ascii: "\"")) else {
            return json.value(text(cell, bytes))
        }
        value(bytes, cell.range, comma: comma, &json)
    }

    private static func value(_ bytes: [UInt8], _ range: Range<Int>, comma: Bool, _ json: inout JSONWriter) {
        guard !range.isEmpty else { return json.null() }
        if isNumber(bytes, range) { return json.raw(bytes[range]) }
        let text = String(decoding: bytes[range], as: UTF8.self)
        switch text.lowercased() {
        case "true": return json.value(true)
        case "false": return json.value(false)
        case "null": return json.null()
        default: break
        }
        // Numbers that JSON writes in another way: +5, .5, 5., 007 and, between semicolons, 21,5.
        let isNumeric = text.utf8.allSatisfy { (0x2b...0x39).contains($0) && $0 != 0x2f || $0 | 0x20 == 0x65 }
        if isNumeric {
            let point = comma && text.utf8.count(where: { $0 == 0x2c }) == 1 && !text.contains(".")
            let plain = point ? String(text.map { $0 == "," ? "." : $0 }) : text
            if let number = Double(plain), number.isFinite { return json.value(number) }
        }
        json.value(text)
    }

    /// As JSON writes numbers (RFC 8259, section 6).
    static func isNumber(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var position = range.lowerBound
        func digits() -> Int {
            let start = position
            while position < range.upperBound, (0x30...0x39).contains(bytes[position]) { position += 1 }
            return position - start
        }
        if position < range.upperBound, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let start = position
        let whole = digits()
        guard whole == 1 || (whole > 1 && bytes[start] != UInt8(ascii: "0")) else { return false }
        if position < range.upperBound, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { return false }
        }
        if position < range.upperBound, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < range.upperBound, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            guard digits() > 0 else { return false }
        }
        return position == range.upperBound
    }

    private static func text(_ cell: Cell, _ bytes: [UInt8]) -> String {
        guard cell.isQuoted, bytes[cell.range].contains(UInt8(ascii: "\"")) else {
            return String(decoding: bytes[cell.range], as: UTF8.self)
        }
        var text: [UInt8] = []
        var position = cell.range.lowerBound
        while position < cell.range.upperBound {
            text.append(bytes[position])
            position += bytes[position] == UInt8(ascii: "\"") ? 2 : 1
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Cells of a row that the decoder has taken (RFC 4180), without blanks around them.
    private static func split(_ bytes: [UInt8], _ row: Range<Int>, _ separator: UInt8, _ cells: inout [Cell]) {
        cells.removeAll(keepingCapacity: true)
        var end = row.upperBound
        while end > row.lowerBound, bytes[end - 1] == 0x0a || bytes[end - 1] == 0x0d { end -= 1 }
        var position = row.lowerBound
        while true {
            var cell = Cell(range: position..<position)
            if position < end, bytes[position] == UInt8(ascii: "\"") {
                position += 1
                let start = position
                while position < end {
                    if bytes[position] == UInt8(ascii: "\"") {
                        guard position + 1 < end, bytes[position + 1] == UInt8(ascii: "\"") else { break }
                        position += 1
                    }
                    position += 1
                }
                cell = Cell(range: start..<min(position, end), isQuoted: true)
                while position < end, bytes[position] != separator { position += 1 }
            } else {
                let start = position
                while position < end, bytes[position] != separator { position += 1 }
                cell.range = trimmed(bytes, start..<position)
            }
            cells.append(cell)
            guard position < end else { return }
            position += 1
        }
    }

    private static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    // MARK: Header

    /// The most frequent candidate outside quotes, as the decoder chooses.
    private static func separator(of line: [UInt8]) -> UInt8 {
        let candidates: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
        var counts = [0, 0, 0]
        var isQuoted = false
        for byte in line {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, let candidate = candidates.firstIndex(of: byte) { counts[candidate] += 1 }
        }
        var best = 0
        for candidate in candidates.indices where counts[candidate] > counts[best] { best = candidate }
        return candidates[best]
    }

    /// A mapped column by its name, its name without the unit, or its number from 1; else the first of the known names.
    private static func column(_ names: [String], _ mapped: String?, _ known: [String]) -> Int? {
        let lower = names.map { $0.lowercased() }
        let bare = lower.map { name in String(name.prefix { $0 != "[" && $0 != "(" }).trimmed }
        guard let mapped = mapped?.lowercased() else {
            for name in known {
                if let found = lower.firstIndex(of: name) ?? bare.firstIndex(of: name) { return found }
            }
            return nil
        }
        if let found = lower.firstIndex(of: mapped) ?? bare.firstIndex(of: mapped) { return found }
        return Int(mapped).flatMap { names.indices.contains($0 - 1) ? $0 - 1 : nil }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
