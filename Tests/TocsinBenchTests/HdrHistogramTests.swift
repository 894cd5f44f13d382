import Testing
import TocsinMeasure

@Suite("HdrHistogram")
struct HdrHistogramTests {
    /// SplitMix64: the same numbers in every run.
    struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = state
            word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
            return word ^ (word >> 31)
        }
    }

    @Test("quantiles are within the promised digits of the exact ones", arguments: [1, 2, 3, 4])
    func quantiles(digits: Int) {
        var random = Numbers(state: 7)
        var histogram = HdrHistogram(highest: 3_600_000_000_000, digits: digits)
        // Over nine orders of magnitude.
        let values = (0..<50_000).map { _ in
            Int64.random(in: 1...Int64(1) << Int64.random(in: 1...40, using: &random), using: &random)
        }
        for value in values { histogram.record(value) }
        let sorted = values.sorted()
        var tolerance = 1.0
        for _ in 0..<digits { tolerance /= 10 }
        for quantile in [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1] {
            let rank = max(1, Int((quantile * Double(sorted.count)).rounded(.up)))
            let exact = Double(sorted[rank - 1])
            let found = Double(histogram.value(atQuantile: quantile))
            #expect(found >= exact)
            #expect(found - exact <= exact * tolerance + 1)
        }
        #expect(histogram.count == UInt64(values.count))
        #expect(histogram.maximum == sorted.last)
        #expect(histogram.minimum == sorted.first)
    }

    @Test("small values are exact")
    func small() {
        var histogram = HdrHistogram(highest: 1_000_000)
        for value in Int64(0)..<2048 { histogram.record(value) }
        for value in Int64(0)..<2048 {
            #expect(histogram.value(atQuantile: (Double(value) + 1) / 2048) == value)
        }
    }

    @Test("mean and weights")
    func mean() {
        var histogram = HdrHistogram(highest: 1_000_000)
        histogram.record(10, times: 3)
        histogram.record(50)
        histogram.record(7, times: 0)
        #expect(histogram.mean == 20)
        #expect(histogram.count == 4)
        #expect(histogram.value(atQuantile: 0.75) == 10)
        #expect(histogram.value(atQuantile: 0.76) == 50)
    }

    @Test("empty, negative, too large")
    func edges() {
        var histogram = HdrHistogram(lowest: 1000, highest: 1_000_000)
        #expect(histogram.value(atQuantile: 0.5) == 0)
        #expect(histogram.minimum == 0)
        histogram.record(-5)
        #expect(histogram.maximum == 0)
        histogram.record(.max)
        #expect(histogram.saturated == 1)
        #expect(histogram.maximum == .max)
        #expect(histogram.value(atQuantile: 1) <= 1_048_575)
        #expect(histogram.value(atQuantile: .nan) < 1000)
    }

    @Test("a coarse unit keeps its width")
    func unit() {
        var histogram = HdrHistogram(lowest: 1000, highest: 3_600_000_000_000)
        histogram.record(5_000_000)
        histogram.record(90_000_000_000)
        let low = histogram.value(atQuantile: 0.5)
        #expect(low >= 5_000_000 && low <= 5_005_000)
        #expect(histogram.value(atQuantile: 1) == 90_000_000_000)
    }
}
