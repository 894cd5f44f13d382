import Testing
import TocsinJobs

@Suite struct RecentShareTests {
    @Test func countsTheEarlierScoresThatAreAtLeastAsHigh() {
        let expected: [Double] = [1, 0.5, 1 / 3, 0.75, 1]
        #expect(RecentShare.pValues([1, 2, 3, 2, 0]) == expected)
    }

    @Test func isUniformOnScoresWithoutDrift() {
        var state: UInt64 = 7
        let scores = (0..<20_000).map { _ -> Double in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11)
        }
        let low = RecentShare.pValues(scores).count { $0 <= 0.01 }
        #expect((150...260).contains(low), "\(low) of 20000 at 1 %")
    }

    @Test func aGapKeepsItsPlace() {
        let values = RecentShare.pValues([1, .nan, 1])
        #expect(values[0] == 1 && values[1].isNaN && values[2] == 1)
        #expect(RecentShare.pValues([]).isEmpty)
    }
}
