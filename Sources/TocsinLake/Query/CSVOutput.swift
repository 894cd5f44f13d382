/// Comma-separated values after RFC 4180: a header, CRLF, quotes where needed; NULL is empty, an empty text is `""`.
public struct CSVOutput: QueryOutput {
    private var buffer: OutputBuffer
    private var columns = 0
    private var field: [UInt8] = []

    public init(sink: @escaping ByteSink) { buffer = OutputBuffer(sink) }

    public mutating func begin(_ columns: [DuckDBColumn]) throws {
        self.columns = columns.count
        for (index, column) in columns.enumerated() {
            field.removeAll(keepingCapacity: true)
            field.append(contentsOf: column.name.utf8)
            append(index, isNull: false)
        }
    }

    public mutating func write(_ chunk: DuckDBChunk) throws -> Bool {
        for row in 0..<chunk.rowCount {
            for column in 0..<columns {
                field.removeAll(keepingCapacity: true)
                ValueText.append(chunk, column, row, to: &field)
                append(column, isNull: chunk.isNull(column: column, row: row))
            }
            try buffer.flushIfFull()
        }
        return true
    }

    public mutating func end() throws { try buffer.flush() }

    private mutating func append(_ column: Int, isNull: Bool) {
        let needsQuotes =
            !isNull && (field.isEmpty || field.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d })
        if needsQuotes {
            buffer.bytes.append(0x22)
            for byte in field {
                if byte == 0x22 { buffer.bytes.append(0x22) }
                buffer.bytes.append(byte)
            }
            buffer.bytes.append(0x22)
        } else {
            buffer.bytes.append(contentsOf: field)
        }
        buffer.bytes.append(contentsOf: column + 1 == columns ? [0x0d, 0x0a] : [0x2c])
    }
}
