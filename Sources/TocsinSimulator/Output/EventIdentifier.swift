/// The `event_id`: 122 pseudo-random bits in the form of a version 4 UUID (RFC 9562), fixed by seed and row.
enum EventIdentifier {
    private static let digits: InlineArray<16, UInt8> = [
        48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102,
    ]

    @inline(__always)
    static func append(seed: UInt64, row: UInt64, to bytes: inout [UInt8]) {
        // Mixing is a bijection: rows of one stream never share the first word.
        let first = SplitMix64.mix(row &* 0x9e37_79b9_7f4a_7c15 &+ SplitMix64.mix(seed))
        let second = SplitMix64.mix(first ^ SplitMix64.mix(seed &+ 0xd1b5_4a32_d192_ed03))
        append(first >> 32, digits: 8, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(first >> 16, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(first & 0xfff | 0x4000, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(second >> 48 & 0x3fff | 0x8000, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(second, digits: 12, to: &bytes)
    }

    @inline(__always)
    private static func append(_ word: UInt64, digits count: Int, to bytes: inout [UInt8]) {
        var shift = (count - 1) * 4
        while shift >= 0 {
            bytes.append(digits[Int(truncatingIfNeeded: word >> UInt64(shift) & 15)])
            shift -= 4
        }
    }
}
