import Testing
import TocsinEvaluation

/// A small generator, so that the expected figures can be computed elsewhere on the same numbers.
struct Congruential {
    var state: UInt64
    /// Uniform in 0..<1 with 31 bits.
    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 33) / 2_147_483_648
    }
}

@Suite struct VolumeTests {
    /// Rows with two labelled runs near each other and one at the very end; scores overlap the labels partly.
    private func example() -> (scores: [Double], labels: [Bool]) {
        var source = Congruential(state: 7)
        let labels = (0..<200).map { (40..<52).contains($0) || (60..<63).contains($0) || $0 >= 190 }
        return (labels.map { source.next() + ($0 ? 0.4 : 0) }, labels)
    }

    /// Expected figures: the published formula written out in numpy, slice by slice and threshold by threshold.
    @Test(arguments: [
        (0, 250, 0.697126667116), (1, 250, 0.697126667116), (10, 250, 0.710262389623), (25, 250, 0.732955298982),
        (25, 7, 0.429102210177),
    ])
    func agreesWithThePublishedFormula(_ buffer: Int, _ thresholds: Int, _ expected: Double) {
        let (scores, labels) = example()
        let volume = VolumeUnderSurface.pr(
            scores: scores, labels: labels, maximumBuffer: buffer, thresholds: thresholds)
        #expect(abs(volume - expected) < 1e-9, "\(volume)")
    }

    @Test func withoutEdgesItIsAveragePrecisionTimesTheRunsFound() {
        // A perfect ranking of one run: every measure is 1 without edges.
        let labels = (0..<250).map { (100..<120).contains($0) }
        let scores = labels.map { $0 ? 1.0 : 0 }
        #expect(abs(VolumeUnderSurface.pr(scores: scores, labels: labels, maximumBuffer: 0) - 1) < 1e-12)
    }

    @Test func oddInputHasAnAnswer() {
        #expect(VolumeUnderSurface.pr(scores: [1, 2], labels: [false, false], maximumBuffer: 5) == 0)
        #expect(VolumeUnderSurface.pr(scores: [1, 2], labels: [true, true], maximumBuffer: .min) == 1)
        let wide = VolumeUnderSurface.pr(
            scores: [1, 2, 3], labels: [true, false, true], maximumBuffer: .max, thresholds: -1)
        #expect((0...1).contains(wide))
    }

    @Test func periodIsTheHighestPeakOfTheAutocorrelation() {
        // A saw-tooth of 24 rows with a little noise.
        var source = Congruential(state: 3)
        let daily = (0..<2_000).map { Double($0 % 24) + source.next() }
        #expect(VolumeUnderSurface.periodLength(of: daily) == 24)
        for flat in [[], [1], [1, 2, 3], [Double](repeating: 4, count: 500), [.nan, 1, 2, 3, 4, 5]] {
            #expect(VolumeUnderSurface.periodLength(of: flat) == 125)
        }
    }
}

private let series = "tsb_ad/001_NAB_id_1_Facility_tr_1007_1st_2014.csv"

@Suite(.enabled(if: sharedTable(series) != nil, "no recordings at ../shared/data"))
struct VolumePublishedTests {
    /// The table gives four digits.
    @Test func spectralResidualHasItsPublishedFigure() throws {
        let rows = try #require(sharedTable(series)).dropFirst()
        let values = rows.map { Double($0[0]) ?? .nan }
        let labels = rows.map { Double($0[1]) == 1 }
        let table = try #require(sharedTable("tsb_ad/001_published_vus_pr.csv"))
        let published = Double(try #require(table.first { $0[0] == "SR" })[1]) ?? .nan
        let period = VolumeUnderSurface.periodLength(of: values)
        #expect(period == 6)
        let scores = SpectralResidual(count: values.count).scores(values)
        let volume = VolumeUnderSurface.pr(scores: scores, labels: labels, maximumBuffer: period)
        #expect(abs(volume - published) <= 0.000_05, "\(volume)")
    }
}
