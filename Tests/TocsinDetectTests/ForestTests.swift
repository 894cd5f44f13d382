import Testing
import TocsinCore
import TocsinDetect

@Suite struct ForestTests {
    /// Two correlated Gaussian features and a third that is noise; every fiftieth row far away.
    static func rows(_ count: Int, seed: UInt64 = 1, outliers: Bool = true) -> (rows: [Double], isOutlier: [Bool]) {
        var random = Random(seed)
        var rows: [Double] = []
        var isOutlier: [Bool] = []
        for index in 0..<count {
            let a = random.normal()
            let far = outliers && index % 50 == 49
            rows += [25 + a + (far ? 30 : 0), 50 - 2 * a + random.normal(), random.uniform()]
            isOutlier.append(far)
        }
        return (rows, isOutlier)
    }

    static let names = ["temperature", "humidity", "noise"]
    static func forest(seed: UInt64 = 1) throws -> IsolationForest {
        try IsolationForest.train(rows: rows(2000).rows, names: names, seed: seed)
    }

    @Test func outliersScoreHigher() throws {
        let (rows, isOutlier) = Self.rows(2000)
        var scores: [Double] = []
        let forest = try Self.forest()
        forest.score(rows: rows, into: &scores)
        #expect(scores.count == 2000 && scores.allSatisfy { (0...1).contains($0) })
        #expect(auroc(scores, isOutlier) > 0.99)
    }

    @Test func sameSeedSameForestOtherSeedOtherForest() throws {
        let saved = try [1, 1, 2].map { try Self.forest(seed: $0).saved() }
        #expect(saved[0] == saved[1])
        #expect(saved[0] != saved[2])
    }

    @Test func everyKernelAndTheSingleRowAgree() throws {
        for (samples, count) in [(256, 1000), (8, 33), (2, 5), (1024, 513)] {
            let forest = try IsolationForest.train(
                rows: Self.rows(2000).rows, names: Self.names,
                settings: .init(trees: 37, sampleSize: samples), seed: 3)
            let rows = Self.rows(count, seed: 9).rows
            let single = (0..<count).map { forest.score(Array(rows[$0 * 3..<$0 * 3 + 3])) }
            for kernel in IsolationForest.Kernel.allCases {
                var scores: [Double] = []
                forest.score(rows: rows, into: &scores, kernel: kernel)
                #expect(scores == single, "\(kernel), \(samples) samples")
            }
        }
    }

    /// One feature to more than the kernel of words takes, with ties, missing values and values far away.
    @Test func everyKernelAgreesForAnyWidth() throws {
        var random = Random(4)
        for width in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 21] {
            let count = 700
            let rows = (0..<count * width).map { place in
                place % 97 == 96
                    ? .nan
                    : place % 89 == 88
                        ? 1e300
                        : place % 3 == 0
                            ? random.normal().rounded() : random.normal()
            }
            let forest = try IsolationForest.train(
                rows: rows, names: (0..<width).map { "f\($0)" }, settings: .init(trees: 20), seed: 3)
            let single = (0..<count).map { forest.score(Array(rows[$0 * width..<($0 + 1) * width])) }
            for kernel in IsolationForest.Kernel.allCases {
                var scores: [Double] = []
                forest.score(rows: rows, into: &scores, kernel: kernel)
                #expect(scores == single, "\(kernel), \(width) features")
            }
        }
    }

    @Test func threadsChangeNothing() throws {
        let forest = try Self.forest()
        let rows = Self.rows(9001, seed: 8).rows
        var one: [Double] = []
        forest.score(rows: rows, into: &one)
        for threads in [0, 2, 5] {
            var several: [Double] = []
            forest.score(rows: rows, into: &several, threads: threads)
            #expect(several == one)
        }
    }

    /// Large tables are looked at by rows drawn evenly; scale and calibration stay those of the whole.
    @Test func aLargeTableTrainsLikeASmallOne() throws {
        let rows = Self.rows(150_000, outliers: false).rows
        let large = try IsolationForest.train(rows: rows, names: Self.names, seed: 1)
        let again = try IsolationForest.train(rows: rows, names: Self.names, seed: 1)
        #expect(large.saved() == again.saved())
        var scores: [Double] = []
        large.score(rows: Self.rows(4000, seed: 77, outliers: false).rows, into: &scores)
        let share = Double(scores.count { large.calibration.pValue($0) <= 0.1 }) / 4000
        #expect(abs(share - 0.1) < 0.03)
        #expect(large.score([60, 50, 0.5]) > large.score([25, 50, 0.5]) + 0.1)
    }

    @Test func missingValuesCountAsTheMedian() throws {
        let forest = try Self.forest()
        #expect(forest.score([.nan, .nan, .nan]) < 0.5)
        #expect(forest.score([55, .nan, .nan]) > forest.score([25, .nan, .nan]))
        #expect(forest.score([25]) == forest.score([25, .nan, .nan]))
        for extreme in [Double.infinity, -.infinity, 1e308, -1e308] {
            #expect((0...1).contains(forest.score([extreme, 50, 0.5])))
        }
    }

    @Test func contributionsNameTheCulprit() throws {
        let shares = try Self.forest().contributions(of: [60, 50, 0.5])
        #expect(shares.first?.name == "temperature")
        #expect((shares.first?.share ?? 0) > 0.5)
        #expect(abs(shares.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    }

    @Test func contributionsSumToOneWhicheverFeatureIsGuilty() throws {
        var random = Random(6)
        let names = (0..<6).map { "f\($0)" }
        let forest = try IsolationForest.train(
            rows: (0..<6 * 3000).map { _ in random.normal() }, names: names, seed: 2)
        for guilty in 0..<6 {
            for amount in [8.0, -8] {
                var row = [Double](repeating: 0.1, count: 6)
                row[guilty] = amount
                let shares = forest.contributions(of: row, limit: 6)
                #expect(shares.first?.name == names[guilty] && (shares.first?.share ?? 0) > 0.5)
                #expect(abs(shares.reduce(0) { $0 + $1.share } - 1) < 1e-9)
                #expect(zip(shares, shares.dropFirst()).allSatisfy { $0.share >= $1.share })
            }
        }
    }

    @Test func pValuesAreUniformOnNormalRowsAndMonotone() throws {
        let forest = try IsolationForest.train(rows: Self.rows(4000, outliers: false).rows, names: Self.names, seed: 1)
        var scores: [Double] = []
        forest.score(rows: Self.rows(4000, seed: 77, outliers: false).rows, into: &scores)
        for level in [0.5, 0.2, 0.1, 0.02] {
            let share = Double(scores.count { forest.calibration.pValue($0) <= level }) / 4000
            #expect(abs(share - level) < 0.4 * level, "at \(level)")
        }
        let ordered = scores.sorted().map(forest.calibration.pValue)
        #expect(zip(ordered, ordered.dropFirst()).allSatisfy { $0 >= $1 })
        for level in [0.3, 0.05, 1e-3, 1e-6] {
            let back = forest.calibration.pValue(forest.calibration.threshold(pValue: level))
            #expect(abs(back - level) < 0.02 * level + 1e-12)
        }
        #expect(forest.calibration.pValue(.nan).isNaN)
    }

    @Test func trainingRefusesWhatItCannotUse() {
        for (rows, names) in [([Double](), ["a"]), ([1, 2, 3], ["a", "b"]), ([1, 2], []), ([1, 2, 3], ["a"])] {
            #expect(throws: TocsinError.self) { try IsolationForest.train(rows: rows, names: names, seed: 1) }
        }
        #expect(throws: TocsinError.self) {
            try IsolationForest.train(rows: Self.rows(100).rows, names: Self.names, settings: .init(trees: 0), seed: 1)
        }
    }

    @Test func constantAndHopelessColumnsTrain() throws {
        let rows = (0..<100).flatMap { [Double($0), 7, .nan, $0 % 2 == 0 ? .infinity : 1e308] }
        let forest = try IsolationForest.train(rows: rows, names: ["a", "b", "c", "d"], seed: 1)
        #expect((0...1).contains(forest.score([50, 7, .nan, 1])))
        let equal = try IsolationForest.train(rows: [Double](repeating: 3, count: 40), names: ["a"], seed: 1)
        #expect((0...1).contains(equal.score([4])))
    }
}

/// Area under the ROC curve by ranks; ties count half.
func auroc(_ scores: [Double], _ labels: [Bool]) -> Double {
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var ranks = 0.0
    var start = 0
    while start < order.count {
        var end = start
        while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
        ranks += Double(order[start..<end].count { labels[$0] }) * Double(start + end + 1) / 2
        start = end
    }
    let positive = Double(labels.count { $0 })
    return (ranks - positive * (positive + 1) / 2) / (positive * (Double(labels.count) - positive))
}
