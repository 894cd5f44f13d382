/// Where the data rows of a CSV file stand in each chunk: line ends outside quotes, blank lines and the header left out.
struct CSVRows {
    private var hasHeader = false

    mutating func take(_ bytes: [UInt8]) -> [Range<Int>] {
        var rows: [Range<Int>] = []
        var start = 0
        var isQuoted = false
        func close(_ end: Int) {
            let isBlank = bytes[start..<end].allSatisfy { $0 == 0x0D || $0 == 0x20 || $0 == 0x09 }
            if !isBlank { rows.append(start..<end) }
            start = end + 1
        }
        for (position, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: "\n"), !isQuoted { close(position) }
        }
        if start < bytes.count { close(bytes.count) }
        if !hasHeader, !rows.isEmpty {
            hasHeader = true
            rows.removeFirst()
        }
        return rows
    }
}
