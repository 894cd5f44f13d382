extension StateWriter {
    /// A fixed number of words without a count before them, little-endian as all else: one memcpy, for records of plain
    /// state that are written by the million.
    @inlinable
    public mutating func write<let count: Int>(words: InlineArray<count, UInt64>) {
        unsafe withUnsafeBytes(of: words) { source in unsafe append(source) }
    }
}

extension StateReader {
    /// What `write(words:)` wrote; nil where fewer bytes are left, and then none is taken.
    @inlinable
    public mutating func readWords<let count: Int>() -> InlineArray<count, UInt64>? {
        guard let raw = readRaw(count: count * 8) else { return nil }
        var words = InlineArray<count, UInt64>(repeating: 0)
        unsafe raw.withUnsafeBytes { source in
            for place in 0..<count {
                words[place] = unsafe source.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self)
            }
        }
        return words
    }
}
