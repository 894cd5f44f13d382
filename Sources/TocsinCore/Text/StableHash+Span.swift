extension StableHash {
    /// The same value as `combine` of the same bytes as a sequence, eight bytes a step.
    public mutating func combine(_ bytes: Span<UInt8>) {
        var offset = 0
        unsafe bytes.withUnsafeBytes { raw in
            while offset + 8 <= raw.count {
                let word = unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                combine(UInt64(bigEndian: word))
                offset += 8
            }
        }
        if offset < bytes.count {
            var word: UInt64 = 0
            while offset < bytes.count {
                word = word << 8 | UInt64(bytes[offset])
                offset += 1
            }
            combine(word)
        }
        combine(UInt64(bytes.count))
    }
}
