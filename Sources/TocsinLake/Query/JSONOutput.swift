/// One JSON array of objects, an object a line; or JSON lines without the array. NaN and infinities are null.
public struct JSONOutput: QueryOutput {
    private var buffer: OutputBuffer
    private let isLines: Bool
    /// `"name":` of each column; a name used twice gets a number.
    private var keys: [[UInt8]] = []
    private var isFirst = true

    /// - Parameter isLines: JSON lines (NDJSON) instead of one array.
    public init(isLines: Bool = false, sink: @escaping ByteSink) {
        self.isLines = isLines
        buffer = OutputBuffer(sink)
    }

    public mutating func begin(_ columns: [DuckDBColumn]) throws {
        var used: Set<String> = []
        keys = columns.map { column in
            var name = column.name
            var number = 2
            while !used.insert(name).inserted {
                name = "\(column.name)_\(number)"
                number += 1
            }
            var key: [UInt8] = []
            ValueText.quote(name, to: &key)
            return key + [UInt8(ascii: ":")]
        }
        if !isLines { buffer.bytes.append(UInt8(ascii: "[")) }
    }

    public mutating func write(_ chunk: DuckDBChunk) throws -> Bool {
        for row in 0..<chunk.rowCount {
            if !isLines { buffer.bytes.append(contentsOf: isFirst ? [0x0a] : [0x2c, 0x0a]) }
            isFirst = false
            buffer.bytes.append(UInt8(ascii: "{"))
            for column in keys.indices {
                if column > 0 { buffer.bytes.append(UInt8(ascii: ",")) }
                buffer.bytes.append(contentsOf: keys[column])
                ValueText.appendJSON(chunk, column, row, to: &buffer.bytes)
            }
            buffer.bytes.append(UInt8(ascii: "}"))
            if isLines { buffer.bytes.append(0x0a) }
            try buffer.flushIfFull()
        }
        return true
    }

    public mutating func end() throws {
        if !isLines { buffer.bytes.append(contentsOf: isFirst ? Array("]\n".utf8) : Array("\n]\n".utf8)) }
        try buffer.flush()
    }
}
