/// Decimal text of numbers with a known number of fraction digits, appended to bytes.
enum FixedPoint {
    /// `append(25.534, decimals: 2)` gives `25.53`. The magnitude must be below 10^15; decimals 0 to 3.
    @inline(__always)
    static func append(_ value: Double, decimals: Int, to bytes: inout [UInt8]) {
        let scale: Double = decimals == 2 ? 100 : decimals == 3 ? 1000 : decimals == 1 ? 10 : 1
        let scaled = Int64((value * scale).rounded())
        if scaled < 0 { bytes.append(UInt8(ascii: "-")) }
        append(scaled.magnitude, decimals: decimals, to: &bytes)
    }

    /// `append(2553, decimals: 2)` gives `25.53`.
    @inline(__always)
    static func append(_ scaled: UInt64, decimals: Int, to bytes: inout [UInt8]) {
        // Nibbles of one word collect the digits from the last to the first: no scratch memory.
        var rest = scaled
        var digits: UInt64 = 0
        var count = 0
        while rest > 0 || count <= decimals {
            digits = digits << 4 | rest % 10
            rest /= 10
            count += 1
        }
        while count > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits & 15))
            digits >>= 4
            count -= 1
            if count == decimals, count > 0 { bytes.append(UInt8(ascii: ".")) }
        }
    }
}
