/// Counts of whole numbers in buckets of a fixed relative width: quantiles right to a number of decimal digits over many
/// orders of magnitude, in fixed memory.
///
/// The bucket scheme of G. Tene's HdrHistogram (hdrhistogram.org): values below `subBucketCount` units have a bucket
/// each; every further doubling of the value is cut into half as many buckets, twice as wide. Recording costs a few
/// nanoseconds and never allocates.
///
/// ```swift
/// var latencies = HdrHistogram(lowest: 1_000, highest: 3_600_000_000_000)   // ns, 3 digits
/// latencies.record(1_250_000)
/// latencies.value(atQuantile: 0.99)
/// ```
public struct HdrHistogram: Sendable {
    /// Values up to this are told apart from 0 only roughly.
    public let lowest: Int64
    /// Greater values are counted as this one, and in `saturated`.
    public let highest: Int64
    public private(set) var count: UInt64 = 0
    /// Values that were above `highest`.
    public private(set) var saturated: UInt64 = 0
    /// Exact; 0 when empty.
    public private(set) var maximum: Int64 = 0
    private var smallest = Int64.max
    private var sum = 0.0
    private var counts: [UInt64]
    private let unitMagnitude: Int
    private let halfMagnitude: Int
    private let mask: Int64

    /// - Parameters:
    ///   - lowest: the smallest difference worth telling, at least 1.
    ///   - highest: the largest value expected, at least twice `lowest`.
    ///   - digits: decimal digits kept, 1 to 5: 3 = quantiles within 0.1 %.
    public init(lowest: Int64 = 1, highest: Int64, digits: Int = 3) {
        precondition(lowest >= 1 && highest / 2 >= lowest, "a histogram needs a range of values")
        precondition((1...5).contains(digits), "a histogram keeps 1 to 5 digits")
        self.lowest = lowest
        self.highest = highest
        var resolution: Int64 = 2
        for _ in 0..<digits { resolution *= 10 }
        // The least power of two that tells 2 * 10^digits units apart.
        let subMagnitude = 64 - (resolution - 1).leadingZeroBitCount
        unitMagnitude = 63 - lowest.leadingZeroBitCount
        halfMagnitude = subMagnitude - 1
        mask = ((1 << Int64(subMagnitude)) - 1) << Int64(unitMagnitude)
        counts = []
        counts = Array(repeating: 0, count: place(of: highest) + 1)
    }

    /// Negative values count as 0.
    public mutating func record(_ value: Int64, times: UInt64 = 1) {
        guard times > 0 else { return }
        let value = max(0, value)
        if value > highest { saturated += times }
        counts[place(of: min(value, highest))] += times
        count += times
        sum += Double(value) * Double(times)
        maximum = max(maximum, value)
        smallest = min(smallest, value)
    }

    /// Exact; 0 when empty.
    public var minimum: Int64 { count == 0 ? 0 : smallest }
    /// Exact; 0 when empty.
    public var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// The greatest value of the bucket that holds the quantile (0…1), never above the maximum; 0 when empty.
    public func value(atQuantile quantile: Double) -> Int64 {
        guard count > 0 else { return 0 }
        let share = quantile.isNaN ? 0 : min(1, max(0, quantile))
        let wanted = max(1, UInt64((share * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (place, number) in counts.enumerated() where number > 0 {
            seen += number
            if seen >= wanted { return min(greatest(at: place), maximum) }
        }
        return maximum
    }

    private func place(of value: Int64) -> Int {
        let bucket = 63 - unitMagnitude - halfMagnitude - (value | mask).leadingZeroBitCount
        let position = Int(value >> Int64(bucket + unitMagnitude))
        return ((bucket + 1) << halfMagnitude) + position - (1 << halfMagnitude)
    }

    /// The last value that falls into the same bucket.
    private func greatest(at place: Int) -> Int64 {
        var bucket = (place >> halfMagnitude) - 1
        var position = place & ((1 << halfMagnitude) - 1)
        if bucket < 0 { bucket = 0 } else { position += 1 << halfMagnitude }
        let shift = Int64(bucket + unitMagnitude)
        return (Int64(position) << shift) + ((1 << shift) - 1)
    }
}
