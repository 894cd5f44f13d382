/// Writes little-endian numbers, texts and columns of plain numbers: the body of checkpoints, spool records and models.
///
/// ```swift
/// var writer = StateWriter()
/// writer.write(UInt32(3))
/// writer.write(name: "temperature")
/// writer.write(column: [1.5, 2.5])
/// ```
/// Columns are copied as a whole (memory order; every supported processor is little-endian), so a large one costs a
/// memcpy.
public struct StateWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Forgets what was written, keeps the memory.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// A format's name, without its length.
    public mutating func write(_ text: StaticString) { bytes.append(contentsOf: "\(text)".utf8) }

    @inlinable
    public mutating func write<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        append(number.littleEndian)
    }

    @inlinable public mutating func write(_ number: Double) { append(number.bitPattern.littleEndian) }
    @inlinable public mutating func write(_ number: Float) { append(number.bitPattern.littleEndian) }
    @inlinable public mutating func write(_ flag: Bool) { write(UInt8(flag ? 1 : 0)) }
    public mutating func write(_ time: Timestamp) { write(time.nanoseconds) }

    /// A whole number that is mostly small: 7 bits a byte, least significant first (LEB128).
    public mutating func write(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// At most 65,535 bytes of UTF-8; a longer text is cut.
    public mutating func write(name: String) {
        let text = Array(name.utf8.prefix(Int(UInt16.max)))
        write(UInt16(text.count))
        bytes.append(contentsOf: text)
    }

    /// A text of any length.
    public mutating func write(text: String) {
        write(varint: UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Bytes with their count before them.
    public mutating func write(blob: [UInt8]) {
        write(varint: UInt64(blob.count))
        bytes.append(contentsOf: blob)
    }

    public mutating func write(blob: ArraySlice<UInt8>) {
        write(varint: UInt64(blob.count))
        bytes.append(contentsOf: blob)
    }

    /// Bytes as they are: the reader must know how many.
    public mutating func write(raw: [UInt8]) { bytes.append(contentsOf: raw) }

    /// Bytes as they are, from memory that is only lent.
    public mutating func write(raw: Span<UInt8>) { unsafe raw.withUnsafeBytes { source in unsafe write(raw: source) } }
    public mutating func write(raw: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: raw) }

    /// Words as they are: the reader must know how many.
    public mutating func write(words: Span<UInt64>) {
        unsafe words.withUnsafeBytes { source in unsafe bytes.append(contentsOf: source) }
    }

    /// `count` varints, one after the other, without their count: about 3 ns each, no allocation of its own.
    @inlinable
    public mutating func write(varints count: Int, _ number: (Int) -> UInt64) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 1000, alignment: 1) { part in
            var index = 0
            while index < count {
                // 100 numbers of at most 10 bytes.
                let end = min(index + 100, count)
                var filled = 0
                while index < end {
                    var rest = number(index)
                    while rest >= 0x80 {
                        unsafe part[filled] = UInt8(truncatingIfNeeded: rest) | 0x80
                        rest >>= 7
                        filled += 1
                    }
                    unsafe part[filled] = UInt8(truncatingIfNeeded: rest)
                    filled += 1
                    index += 1
                }
                unsafe append(UnsafeRawBufferPointer(rebasing: part[..<filled]))
            }
        }
    }

    /// A column of plain values with its count before it.
    @inlinable
    public mutating func write<Element: BitwiseCopyable>(column: [Element]) {
        write(varint: UInt64(column.count))
        unsafe column.withUnsafeBytes { source in unsafe append(source) }
    }

    @usableFromInline
    mutating func append(_ source: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: source) }

    @inlinable
    mutating func append<Number: BitwiseCopyable>(_ number: Number) {
        unsafe withUnsafeBytes(of: number) { source in unsafe append(source) }
    }
}
