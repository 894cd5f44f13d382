internal import TocsinCore

/// The checksum at the front of every packed blob, against bits that flip on a disk.
enum PackedChecksum {
    static let bytes = 4

    /// Four interleaved `StableHash`es over 64-bit words: about 10 bytes a nanosecond.
    static func hash(_ bytes: UnsafeRawBufferPointer, from start: Int, seed: UInt64) -> UInt64 {
        var lanes = (StableHash(), StableHash(), StableHash(), StableHash())
        lanes.0.combine(seed)
        lanes.1.combine(seed ^ 1)
        lanes.2.combine(seed ^ 2)
        lanes.3.combine(UInt64(bytes.count - start))
        var position = start
        while position + 32 <= bytes.count {
            lanes.0.combine(word(bytes, position))
            lanes.1.combine(word(bytes, position + 8))
            lanes.2.combine(word(bytes, position + 16))
            lanes.3.combine(word(bytes, position + 24))
            position += 32
        }
        while position + 8 <= bytes.count {
            lanes.0.combine(word(bytes, position))
            position += 8
        }
        var rest: UInt64 = 0
        while position < bytes.count {
            rest = rest << 8 | UInt64(bytes[position])
            position += 1
        }
        lanes.0.combine(rest)
        lanes.0.combine(lanes.1.value)
        lanes.0.combine(lanes.2.value)
        lanes.0.combine(lanes.3.value)
        return lanes.0.value
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// True when the blob begins with the checksum of its rest.
    static func holds(_ blob: [UInt8], seed: UInt64) -> Bool {
        guard blob.count >= bytes else { return false }
        var stored: UInt32 = 0
        for byte in blob[..<bytes] { stored = stored << 8 | UInt32(byte) }
        return stored == UInt32(truncatingIfNeeded: blob.withUnsafeBytes { hash($0, from: bytes, seed: seed) })
    }
}
