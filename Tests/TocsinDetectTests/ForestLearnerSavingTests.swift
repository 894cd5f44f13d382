import Testing
import TocsinCore
import TocsinDetect

@Suite struct ForestLearnerSavingTests {
    static let settings = ForestLearner.Settings(
        firstRows: 100, keptRows: 200, forest: .init(trees: 12, sampleSize: 64, outlierShare: 0.02), seed: 3)

    static func saved(_ learner: ForestLearner) -> [UInt8] {
        var writer = StateWriter()
        learner.save(to: &writer)
        return writer.bytes
    }

    @Test func aRestoredLearnerGoesOnBitForBit() throws {
        let (rows, isAnomaly, features) = ForestLearnerTests.plant(3000)
        var whole = ForestLearner(names: features.names, settings: Self.settings)
        var broken = whole
        var random = SplitMix64(seed: 2)
        var scores: [Double] = []
        var other: [Double] = []
        var first = 0
        var restored = 0
        while first < 3000 {
            let end = min(3000, first + 1 + random.next(below: 60))
            if random.next(below: 4) == 0 {
                let bytes = Self.saved(broken)
                var reader = StateReader(bytes)
                broken = try #require(
                    ForestLearner(restoring: &reader, names: features.names, settings: Self.settings))
                #expect(reader.isAtEnd && Self.saved(broken) == bytes)
                restored += 1
            }
            let part = Array(rows[first * 3..<end * 3])
            let suspects = Array(isAnomaly[first..<end])
            whole.observe(rows: part, suspects: suspects, into: &scores)
            broken.observe(rows: part, suspects: suspects, into: &other)
            try #require(scores.map(\.bitPattern) == other.map(\.bitPattern))
            #expect(whole.generation == broken.generation && whole.seen == broken.seen)
            first = end
        }
        #expect(restored > 10 && whole.generation >= 5)
        #expect(Self.saved(whole) == Self.saved(broken))
    }

    @Test func damageIsRefusedOrHarmless() {
        let (rows, _, features) = ForestLearnerTests.plant(260)
        var learner = ForestLearner(
            names: features.names,
            settings: .init(firstRows: 50, keptRows: 60, forest: .init(trees: 2, sampleSize: 8), seed: 3))
        var scores: [Double] = []
        learner.observe(rows: Array(rows.prefix(90 * 3)), into: &scores)
        #expect(!learner.isLearning)
        let good = Self.saved(learner)
        var random = SplitMix64(seed: 7)
        func tryOut(_ bytes: [UInt8]) -> Bool {
            var reader = StateReader(bytes)
            guard var learner = ForestLearner(restoring: &reader, names: features.names, settings: learner.settings)
            else { return false }
            learner.observe(rows: rows, into: &scores)
            #expect(scores.count == 260)
            return true
        }
        #expect(tryOut(good))
        var refused = 0
        // Every bit before the rows (names and counters), then some bits anywhere.
        for trial in 0..<1500 {
            var bytes = good
            let bit = trial < 90 * 8 ? trial : random.next(below: good.count * 8)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if !tryOut(bytes) { refused += 1 }
        }
        for _ in 0..<200 {
            #expect(!tryOut(Array(good.prefix(random.next(below: good.count)))))
            _ = tryOut((0..<random.next(below: 400)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        }
        #expect(refused > 100)
        var reader = StateReader(good)
        #expect(ForestLearner(restoring: &reader, names: ["a", "b", "c"], settings: learner.settings) == nil)
    }

    @Test func scoringInKeptMemoryIsTheSame() throws {
        let forest = try ForestTests.forest()
        var scratch = ScoringScratch()
        var kept: [Double] = []
        var fresh: [Double] = []
        for count in [1, 5, 18, 19, 31, 32, 33, 50, 51, 64, 70, 511, 512, 513, 540, 1100, 1, 0] {
            let rows = ForestTests.rows(count, seed: UInt64(count)).rows
            forest.score(rows: rows, into: &kept, scratch: &scratch)
            forest.score(rows: rows, into: &fresh)
            let single = (0..<count).map { forest.score(Array(rows[$0 * 3..<$0 * 3 + 3])) }
            #expect(kept == fresh && kept == single, "\(count) rows")
        }
    }
}
