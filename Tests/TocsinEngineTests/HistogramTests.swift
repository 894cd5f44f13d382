import Testing
import TocsinEngine

@Suite struct HistogramTests {
    @Test func quantilesAreWithinABucketOfTheTruth() {
        var histogram = Histogram()
        for value in 1...10_000 { histogram.record(seconds: Double(value) * 1e-6) }
        for (quantile, truth) in [(0.5, 5e-3), (0.9, 9e-3), (0.99, 9.9e-3)] {
            let estimate = histogram.quantile(quantile)
            #expect(estimate >= truth * 0.999 && estimate <= truth * 1.19, "\(quantile): \(estimate)")
        }
        #expect(histogram.quantile(1) == 0.01)
        #expect(abs(histogram.mean - 5.0005e-3) < 1e-9)
    }

    @Test func strangeValuesDoNoHarm() {
        var histogram = Histogram()
        histogram.record(seconds: .nan)
        histogram.record(seconds: .infinity)
        histogram.record(seconds: -1)
        histogram.record(seconds: 1e9)
        #expect(histogram.count == 2)
        #expect(histogram.sum == 1e9)
    }

    @Test func cumulativeCountsForAnExposition() {
        var histogram = Histogram()
        for value in [1e-6, 1e-3, 0.1, 20] { histogram.record(seconds: value) }
        #expect(histogram.count(atMost: 1e-4) == 1)
        #expect(histogram.count(atMost: 1) == 3)
        #expect(Histogram().quantile(0.5) == 0)
    }
}
