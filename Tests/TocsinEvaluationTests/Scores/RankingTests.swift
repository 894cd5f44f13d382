import Testing
import TocsinEvaluation

/// Expected figures are from scikit-learn 1.9 on the same arrays.
@Suite struct RankingTests {
    private let scores = [0.1, 0.4, 0.35, 0.8, 0.8, 0.2, 0.35, 0.9]
    private let labels = [false, false, true, true, false, false, false, true]

    @Test func tiesAreOneStep() {
        #expect(abs(Ranking.areaUnderROC(scores: scores, labels: labels) - 12.0 / 15) < 1e-12)
        // Steps: 0.9 (1/1), 0.8 (2/3), 0.35 (3/6).
        let expected = (1.0 + 2.0 / 3 + 3.0 / 6) / 3
        #expect(abs(Ranking.averagePrecision(scores: scores, labels: labels) - expected) < 1e-12)
        let best = Ranking.bestF1(scores: scores, labels: labels)
        #expect(best.threshold == 0.8)
        #expect(abs(best.f1 - 2.0 / 3) < 1e-12)
        #expect(abs(best.precision - 2.0 / 3) < 1e-12 && abs(best.recall - 2.0 / 3) < 1e-12)
    }

    @Test func perfectAndReversed() {
        let labels = [false, true, false, true]
        #expect(Ranking.areaUnderROC(scores: [0, 1, 0, 1], labels: labels) == 1)
        #expect(Ranking.areaUnderROC(scores: [1, 0, 1, 0], labels: labels) == 0)
        #expect(Ranking.averagePrecision(scores: [0, 1, 0, 1], labels: labels) == 1)
        #expect(Ranking.averagePrecision(scores: [1, 1, 1, 1], labels: labels) == 0.5)
        #expect(Ranking.areaUnderROC(scores: [1, 1, 1, 1], labels: labels) == 0.5)
    }

    @Test func anyInputHasAnAnswer() {
        let labellings: [[Bool]] = [[], [true], [false], [true, true], [false, false], [true, false]]
        let scorings: [[Double]] = [
            [], [.nan], [.nan, .nan], [.infinity, -.infinity], [-.infinity, .nan], [1, .nan], [.nan, 1],
        ]
        for labels in labellings {
            for scores in scorings {
                #expect((0...1).contains(Ranking.areaUnderROC(scores: scores, labels: labels)))
                #expect((0...1).contains(Ranking.averagePrecision(scores: scores, labels: labels)))
                #expect((0...1).contains(Ranking.bestF1(scores: scores, labels: labels).f1))
                #expect((0...1).contains(VolumeUnderSurface.pr(scores: scores, labels: labels, maximumBuffer: 3)))
            }
        }
        // NaN ranks below everything that has a score.
        #expect(Ranking.areaUnderROC(scores: [.nan, -1e300], labels: [false, true]) == 1)
        #expect(Ranking.areaUnderROC(scores: [-0.0, 0.0], labels: [false, true]) == 0.5)
    }
}
