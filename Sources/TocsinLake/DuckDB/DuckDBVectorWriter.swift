import CDuckDB

/// Writes the values of one column: straight into DuckDB's memory, without objects of Swift between.
///
/// Rows not written have undefined values: write each, or set it NULL.
public struct DuckDBVectorWriter {
    let vector: tdk_vector?
    private var data: UnsafeMutableRawPointer?
    private var validity: UnsafeMutablePointer<UInt64>?
    private(set) var capacity: Int
    public let type: DuckDBType
    private let form: Form
    var isOutOfMemory = false

    /// How one value lies in memory.
    private enum Form { case byte, word32, word64, real, text, blob, nested }

    init(_ vector: tdk_vector?, type: DuckDBType, capacity: Int) {
        self.vector = vector
        self.type = type
        self.capacity = capacity
        data = vector.flatMap { tdk_vector_get_data($0) }
        form =
            switch type {
            case .boolean: .byte
            case .integer, .date: .word32
            case .bigint, .ubigint, .time, .timestamp, .timestampSeconds, .timestampMilliseconds,
                .timestampNanoseconds, .timestampWithZone:
                .word64
            case .double: .real
            case .varchar: .text
            case .blob: .blob
            default: .nested
            }
    }

    /// Whether the query reads this column.
    public var isWanted: Bool { vector != nil }

    /// After the child of a list or map has grown its memory is elsewhere.
    mutating func grow(to capacity: Int) {
        self.capacity = capacity
        data = vector.flatMap { tdk_vector_get_data($0) }
        if validity != nil { validity = tdk_vector_get_validity(vector) }
    }

    public mutating func setNull(_ row: Int) {
        precondition(row >= 0 && row < capacity, "a row of the chunk")
        guard let vector else { return }
        if validity == nil {
            tdk_vector_ensure_validity_writable(vector)
            validity = tdk_vector_get_validity(vector)
        }
        validity?[row >> 6] &= ~(1 << UInt64(row & 63))
    }

    /// BIGINT, UBIGINT (same bits), TIMESTAMP, TIME; INTEGER and DATE (nearest that fits); BOOLEAN (not 0).
    public mutating func setInteger(_ value: Int64, _ row: Int) {
        precondition(row >= 0 && row < capacity, "a row of the chunk")
        guard let data else { return }
        switch form {
        case .word64: data.storeBytes(of: value, toByteOffset: row &* 8, as: Int64.self)
        case .word32: data.storeBytes(of: Int32(clamping: value), toByteOffset: row &* 4, as: Int32.self)
        case .byte: data.storeBytes(of: value == 0 ? 0 : 1, toByteOffset: row, as: UInt8.self)
        default: preconditionFailure("an integer, time or boolean column")
        }
    }

    /// BOOLEAN.
    public mutating func setBoolean(_ value: Bool, _ row: Int) { setInteger(value ? 1 : 0, row) }

    /// DOUBLE; NaN and infinities stay what they are.
    public mutating func setDouble(_ value: Double, _ row: Int) {
        precondition(row >= 0 && row < capacity && form == .real, "a row of a DOUBLE column")
        data?.storeBytes(of: value, toByteOffset: row &* 8, as: Double.self)
    }

    /// VARCHAR (invalid UTF-8 becomes U+FFFD) or BLOB. Up to 12 bytes cost no memory.
    public mutating func setBytes(_ bytes: UnsafeRawBufferPointer, _ row: Int) {
        precondition(row >= 0 && row < capacity, "a row of the chunk")
        precondition(form == .text || form == .blob, "a VARCHAR or BLOB column")
        guard let vector, let data else { return }
        let strings = data.assumingMemoryBound(to: tdk_string.self)
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        if !tdk_put_string(vector, strings, UInt64(row), start, bytes.count, form == .text) { isOutOfMemory = true }
    }

    public mutating func setBytes(_ bytes: Span<UInt8>, _ row: Int) {
        bytes.withUnsafeBytes { setBytes($0, row) }
    }

    public mutating func setBytes(_ bytes: [UInt8], _ row: Int) {
        bytes.withUnsafeBytes { setBytes($0, row) }
    }

    public mutating func setText(_ text: String, _ row: Int) {
        var text = text
        text.withUTF8 { setBytes(UnsafeRawBufferPointer($0), row) }
    }

    /// The same text or blob as in an earlier row of this chunk, without another copy of it.
    public mutating func repeatBytes(from source: Int, _ row: Int) {
        precondition(row >= 0 && row < capacity && source >= 0 && source < row, "an earlier row of the chunk")
        precondition(form == .text || form == .blob, "a VARCHAR or BLOB column")
        guard let strings = data?.assumingMemoryBound(to: tdk_string.self) else { return }
        strings[row] = strings[source]
    }

    /// Many values of a 64-bit column at once, from row `row` on.
    public mutating func setIntegers(_ values: Span<Int64>, from row: Int = 0) {
        precondition(form == .word64, "a column of 64-bit integers or times")
        copy(values, row)
    }

    /// Many values of a DOUBLE column at once, from row `row` on.
    public mutating func setDoubles(_ values: Span<Double>, from row: Int = 0) {
        precondition(form == .real, "a DOUBLE column")
        copy(values, row)
    }

    private func copy<T: BitwiseCopyable>(_ values: Span<T>, _ row: Int) {
        precondition(row >= 0 && values.count <= capacity - row, "rows of the chunk")
        guard let data else { return }
        values.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            data.advanced(by: row &* MemoryLayout<T>.stride).copyMemory(from: start, byteCount: bytes.count)
        }
    }

    /// Many texts or blobs that lie one behind the other: the one of row `row + i` ends at `ends[i]`.
    public mutating func setBytes(_ bytes: Span<UInt8>, ends: Span<Int>, from row: Int = 0) {
        precondition(row >= 0 && ends.count <= capacity - row, "rows of the chunk")
        guard isWanted else { return }
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for index in 0..<ends.count {
                setBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<ends[index]]), row + index)
                start = ends[index]
            }
        }
    }
}
