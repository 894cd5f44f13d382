/// Doubles as unsigned integers of the same order (-0 before +0), for comparisons without branches.
enum OrderedKey {
    /// NaNs become one key, so that every key lies between the sentinels of `SortedRuns`.
    @inline(__always)
    static func key(_ value: Double) -> UInt64 {
        let bits = value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern
        let mask = UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | (1 << 63)
        return bits ^ mask
    }

    @inline(__always)
    static func value(_ key: UInt64) -> Double {
        let mask = (UInt64(bitPattern: Int64(bitPattern: ~key) >> 63)) | (1 << 63)
        return Double(bitPattern: key ^ mask)
    }
}
