import Foundation
import Testing
import TocsinCore
import TocsinEvaluation

@Suite struct NABScorerTests {
    /// 100 rows: the first 15 are not scored, one window at rows 40...49.
    private func file(_ flagged: [Int], windows: [Range<Int>] = [40..<50], rows: Int = 100) -> NABFile {
        var scores = Array(repeating: 0.0, count: rows)
        for row in flagged { scores[row] = 0.9 }
        return NABFile(name: "file", scores: scores, windows: windows)
    }

    private func raw(_ flagged: [Int], _ profile: NABProfile = .standard) -> Double {
        NABScorer.score([file(flagged)], profile: profile, threshold: 0.5).raw
    }

    private func sigmoid(_ position: Double) -> Double { 2 / (1 + exp(5 * position)) - 1 }

    @Test func theEarliestFlagOfAWindowCounts() {
        #expect(raw([40]) == 1)
        #expect(abs(raw([44]) - sigmoid(-0.6) / sigmoid(-1)) < 1e-12)
        #expect(abs(raw([44, 46, 49]) - raw([44])) < 1e-12)
        #expect(raw([]) == -1 && raw([], .rewardLowFalseNegatives) == -2)
        let counts = NABScorer.score([file([44, 46, 60])], profile: .standard, threshold: 0.5).counts
        #expect(counts == PointCounts(truePositives: 2, falsePositives: 1, trueNegatives: 74, falseNegatives: 8))
    }

    @Test func falseAlarmsCostByDistanceFromTheWindowBefore() {
        // Before any window the full price, right behind a window less, none in the probationary rows.
        #expect(abs(raw([20, 40]) - (1 - 0.11)) < 1e-12)
        #expect(abs(raw([20, 40], .rewardLowFalsePositives) - (1 - 0.22)) < 1e-12)
        #expect(abs(raw([40, 52]) - (1 + 0.11 * sigmoid(3.0 / 9))) < 1e-12)
        #expect(abs(raw([40, 76]) - (1 - 0.11)) < 1e-12)
        #expect(raw([3, 14, 40]) == 1)
    }

    @Test func normalisationAndProbation() {
        let perfect = NABScorer.score([file([40]), file([40])], profile: .standard, threshold: 0.5)
        #expect(perfect.normalised == 100 && perfect.files.count == 2)
        #expect(NABScorer.score([file([])], profile: .standard, threshold: 0.5).normalised == 0)
        // 750 rows at most: row 760 of 10,000 is scored. A window inside of them is neither found nor missed.
        let long = NABScorer.score([file([760], windows: [10..<50], rows: 10_000)], profile: .standard, threshold: 0.5)
        #expect(long.counts.total == 9_250 && long.counts.falsePositives == 1 && long.normalised == 0)
    }

    @Test func theSweepFindsTheBestThreshold() {
        var source = Congruential(state: 5)
        let files = (0..<4).map { index in
            let windows = index == 3 ? [] : [200..<260, 600..<640]
            let scores = (0..<1_000).map { row in
                let inside = windows.contains { $0.contains(row) }
                return (source.next() * 40 + (inside ? 6 : 0)).rounded() / 50
            }
            return NABFile(name: "\(index)", scores: scores, windows: windows)
        }
        for profile in NABProfile.all {
            let best = NABScorer.optimize(files, profile: profile)
            let every = Set(files.flatMap(\.scores)).union([1.1]).map {
                NABScorer.score(files, profile: profile, threshold: $0).normalised
            }
            let atBest = NABScorer.score(files, profile: profile, threshold: best.threshold).normalised
            #expect(abs(atBest - best.normalised) < 1e-9)
            #expect(abs((every.max() ?? .nan) - best.normalised) < 1e-9)
        }
    }

    @Test func oddInputHasAnAnswer() {
        let odd = [
            NABFile(name: "empty", scores: [], windows: [0..<5]),
            NABFile(name: "nan", scores: Array(repeating: .nan, count: 40), windows: [20..<21, -3..<2, 39..<90]),
            NABFile(name: "one", scores: [.infinity], windows: [0..<1]),
            NABFile(name: "overlap", scores: Array(repeating: 2, count: 40), windows: [20..<30, 25..<28, 10..<12]),
        ]
        for profile in NABProfile.all {
            #expect(NABScorer.score(odd, profile: profile, threshold: 0.5).normalised.isFinite)
            #expect(NABScorer.score(odd, profile: profile, threshold: -.infinity).normalised.isFinite)
            #expect(NABScorer.optimize(odd, profile: profile).normalised.isFinite)
        }
        #expect(NABScorer.optimize([], profile: .standard).threshold == 1.1)
    }

    @Test func windowsByTime() {
        let times = [0, 10, 20, 20, 30, 40].map { Timestamp(nanoseconds: $0) }
        let at = { (nanoseconds: Int64) in Timestamp(nanoseconds: nanoseconds) }
        #expect(NABFile.windows([(at(10), at(20)), (at(25), at(90)), (at(50), at(60))], in: times) == [1..<3, 4..<6])
    }
}

@Suite(.enabled(if: sharedTable("nab/published/per_file_scores.csv") != nil, "no recordings at ../shared/data"))
struct NABPublishedTests {
    private struct Published {
        var file: String
        var threshold: Double
        var raw: Double
        var counts: PointCounts
    }

    private func published(_ detector: String, _ profile: NABProfile) throws -> [Published] {
        try #require(sharedTable("nab/published/per_file_scores.csv")).compactMap { row in
            guard row.count > 8, row[0] == detector, row[1] == profile.name, let threshold = Double(row[3]),
                let raw = Double(row[4]), let hits = Int(row[5]), let quiet = Int(row[6]), let alarms = Int(row[7]),
                let misses = Int(row[8])
            else { return nil }
            let counts = PointCounts(
                truePositives: hits, falsePositives: alarms, trueNegatives: quiet, falseNegatives: misses)
            return Published(file: String(row[2]), threshold: threshold, raw: raw, counts: counts)
        }.sorted { $0.file < $1.file }
    }

    private func normalised(_ detector: String, _ profile: NABProfile) throws -> Double {
        let row = try #require(sharedTable("nab/published/normalised_scores.csv")).first {
            $0[0] == detector && $0[1] == profile.name
        }
        return Double(try #require(row?[3])) ?? .nan
    }

    private func compare(_ detector: String, _ files: [NABFile]) throws {
        for profile in NABProfile.all {
            let expected = try published(detector, profile)
            #expect(expected.count == 30)
            let result = NABScorer.score(files, profile: profile, threshold: try #require(expected.first).threshold)
            for (ours, theirs) in zip(result.files, expected) {
                #expect(ours.name == theirs.file)
                #expect(abs(ours.raw - theirs.raw) < 1e-9, "\(profile.name) \(ours.name): \(ours.raw)")
                #expect(ours.counts == theirs.counts, "\(profile.name) \(ours.name)")
            }
            #expect(abs(result.normalised - (try normalised(detector, profile))) < 0.005 + 1e-9)
        }
    }

    @Test func nullDetector() throws {
        try compare("null", try nabFiles { $0.map { _ in 0.5 } })
    }

    @Test func relativeEntropy() throws {
        let files = try nabFiles { values in
            var detector = RelativeEntropy(values: values)
            return values.map { detector.score($0) }
        }
        try compare("relativeEntropy", files)
    }

    @Test func windowedGaussian() throws {
        let files = try nabFiles { values in
            var detector = WindowedGaussian()
            return values.map { detector.score($0) }
        }
        try compare("windowedGaussian", files)
        // The published threshold serves the whole corpus; on these files the sweep must do at least as well.
        let best = NABScorer.optimize(files, profile: .standard)
        #expect(best.normalised >= 38.3, "\(best)")
    }
}
