/// A fast seeded generator: xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
/// 2021), its state filled by SplitMix64. Not for secrets.
struct RandomSource: Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    /// Different streams of one seed are independent.
    init(seed: UInt64, stream: UInt64) {
        var words = SplitMix64(state: seed ^ SplitMix64.mix(stream &+ 0x9e37_79b9_7f4a_7c15))
        s0 = words.next()
        s1 = words.next()
        s2 = words.next()
        s3 = words.next()
    }

    @inline(__always)
    mutating func next() -> UInt64 {
        let result = Self.rotate(s0 &+ s3, 23) &+ s0
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = Self.rotate(s3, 45)
        return result
    }

    /// Uniform in 0 ..< 1 with 53 random bits.
    @inline(__always)
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
    }

    /// Uniform in 0 ..< count.
    mutating func index(below count: Int) -> Int { min(count - 1, Int(uniform() * Double(count))) }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64: Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A bijection of 64-bit words in which every input bit reaches every output bit.
    @inline(__always)
    static func mix(_ word: UInt64) -> UInt64 {
        var mixed = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
