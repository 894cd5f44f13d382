/// A 64-bit content hash that is the same in every process and on every machine: for ids that outlive a process.
///
/// FNV-1a over 64-bit words with a final mix (MurmurHash3's fmix64). Not for hash tables fed by outside data: those
/// need a seed (`SeriesTable`), nor against an adversary.
public struct StableHash: Sendable {
    @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

    @inlinable public init() {}

    @inlinable public mutating func combine(_ word: UInt64) {
        state = (state ^ word) &* 0x0000_0100_0000_01b3
        state ^= state >> 29
    }

    /// Bytes and their length, so that ("ab", "c") differs from ("a", "bc").
    @inlinable public mutating func combine(_ bytes: some Sequence<UInt8>) {
        var word: UInt64 = 0
        var filled: UInt64 = 0
        var length: UInt64 = 0
        for byte in bytes {
            word = word << 8 | UInt64(byte)
            filled += 1
            length &+= 1
            if filled == 8 {
                combine(word)
                word = 0
                filled = 0
            }
        }
        if filled > 0 { combine(word) }
        combine(length)
    }

    @inlinable public mutating func combine(_ text: String) { combine(text.utf8) }

    @inlinable public var value: UInt64 {
        var mixed = state
        mixed ^= mixed >> 33
        mixed &*= 0xff51_afd7_ed55_8ccd
        mixed ^= mixed >> 33
        mixed &*= 0xc4ce_b9fe_1a85_ec53
        mixed ^= mixed >> 33
        return mixed
    }

    /// 16 lower-case hex digits.
    public var hex: String { Self.hex(value) }

    public static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
