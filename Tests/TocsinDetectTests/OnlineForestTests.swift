import Testing
import TocsinCore
import TocsinDetect

@Suite struct OnlineForestTests {
    static let names = ["load", "temperature"]
    static let settings = OnlineForest.Settings(
        trees: 50, sampleSize: 64, memory: 1000, firstRows: 128, seed: 5)

    /// Load and temperature around two set points; after `change` rows around two others.
    static func rows(_ count: Int, change: Int = .max, seed: UInt64 = 3) -> [Double] {
        var random = Random(seed)
        return (0..<count).flatMap { row -> [Double] in
            let moved = row >= change
            return [(moved ? 30 : 20) + random.normal(), (moved ? 45 : 60) + 2 * random.normal()]
        }
    }

    static func saved(_ forest: OnlineForest) -> [UInt8] {
        var writer = StateWriter()
        forest.save(to: &writer)
        return writer.bytes
    }

    private func mean(_ scores: ArraySlice<Double>) -> Double { scores.reduce(0, +) / Double(scores.count) }

    @Test func aChangeForGoodBecomesUsualAndTheStaticForestNeverLearnsIt() throws {
        let rows = Self.rows(9000, change: 4000)
        var forest = OnlineForest(names: Self.names, settings: Self.settings)
        var scores: [Double] = []
        forest.observe(rows: rows, into: &scores)
        let before = mean(scores[3000..<4000])
        let at = mean(scores[4000..<4050])
        let after = mean(scores[8000..<9000])
        #expect(at > before + 0.1)
        #expect(after < before + 0.02)
        // The calibration follows, too.
        let usual = try #require(forest.score([30, 45])), former = try #require(forest.score([20, 60]))
        #expect(usual.pValue > 0.2 && former.pValue < 0.01 && former.score > usual.score + 0.1)

        let fixed = try IsolationForest.train(
            rows: Array(rows[..<(2 * 4000)]), names: Self.names, settings: .init(trees: 50, sampleSize: 64), seed: 5)
        var still: [Double] = []
        fixed.score(rows: rows, into: &still)
        #expect(mean(still[8000..<9000]) > mean(still[3000..<4000]) + 0.1)
    }

    @Test func anomaliesStandOutAndNameTheirFeature() throws {
        var forest = OnlineForest(names: Self.names, settings: Self.settings)
        var scores: [Double] = []
        forest.observe(rows: Self.rows(3000), into: &scores)
        #expect(scores[..<128].allSatisfy(\.isNaN) && scores[128...].allSatisfy { (0...1).contains($0) })
        let far = try #require(forest.score([20, 95])), usual = try #require(forest.score([20, 60]))
        #expect(far.pValue < 0.03 && usual.pValue > 0.1 && far.score > usual.score + 0.15, "\(far) \(usual)")
        let shares = try #require(forest.forest).contributions(of: [20, 95])
        #expect(shares.first?.name == "temperature")
        #expect(abs(shares.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    }

    @Test func batchesAndRestoringChangeNothing() throws {
        let rows = Self.rows(4000, change: 2500)
        var whole = OnlineForest(names: Self.names, settings: Self.settings)
        var all: [Double] = []
        whole.observe(rows: rows, into: &all)
        var parts = OnlineForest(names: Self.names, settings: Self.settings)
        var pieces: [Double] = []
        var some: [Double] = []
        var random = SplitMix64(seed: 2)
        var first = 0
        while first < 4000 {
            let end = min(4000, first + 1 + random.next(below: 90))
            if random.next(below: 5) == 0 {
                let bytes = Self.saved(parts)
                var reader = StateReader(bytes)
                parts = try #require(OnlineForest(restoring: &reader, names: Self.names, settings: Self.settings))
                #expect(reader.isAtEnd && Self.saved(parts) == bytes)
            }
            parts.observe(rows: Array(rows[2 * first..<2 * end]), into: &some)
            pieces += some
            first = end
        }
        #expect(all.map(\.bitPattern) == pieces.map(\.bitPattern))
        #expect(Self.saved(whole) == Self.saved(parts))
        var other = OnlineForest(names: Self.names, settings: .init(trees: 50, sampleSize: 64, memory: 1000, seed: 6))
        other.observe(rows: rows, into: &some)
        #expect(some.last != all.last)
    }

    @Test func memoryIsBounded() {
        var forest = OnlineForest(names: Self.names, settings: Self.settings)
        var scores: [Double] = []
        forest.observe(rows: Self.rows(2000), into: &scores)
        let early = Self.saved(forest).count
        forest.observe(rows: Self.rows(6000, seed: 9), into: &scores)
        #expect(Self.saved(forest).count == early)
    }

    @Test func featuresThatWakeUpOrMoveFarAreTakenUp() throws {
        var random = Random(8)
        let rows = (0..<8000).flatMap { row -> [Double] in
            row < 3000 ? [7, random.normal()] : [7 + random.normal(), 1e9 + random.normal()]
        }
        var forest = OnlineForest(names: Self.names, settings: Self.settings)
        var scores: [Double] = []
        forest.observe(rows: rows, into: &scores)
        let usual = try #require(forest.score([7, 1e9])), far = try #require(forest.score([7, 1e9 + 30]))
        #expect(far.score > usual.score + 0.1)
    }

    @Test func damageIsRefusedOrHarmless() {
        let settings = OnlineForest.Settings(trees: 3, sampleSize: 8, memory: 40, firstRows: 20)
        var forest = OnlineForest(names: Self.names, settings: settings)
        var scores: [Double] = []
        let rows = Self.rows(90)
        forest.observe(rows: rows, into: &scores)
        let good = Self.saved(forest)
        var random = SplitMix64(seed: 7)
        func tryOut(_ bytes: [UInt8]) -> Bool {
            var reader = StateReader(bytes)
            guard var forest = OnlineForest(restoring: &reader, names: Self.names, settings: settings) else {
                return false
            }
            forest.observe(rows: rows, into: &scores)
            #expect(scores.count == 90)
            return true
        }
        #expect(tryOut(good))
        var refused = 0
        for trial in 0..<1500 {
            var bytes = good
            let bit = trial < 60 * 8 ? trial : random.next(below: good.count * 8)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            if !tryOut(bytes) { refused += 1 }
        }
        for _ in 0..<200 { #expect(!tryOut(Array(good.prefix(random.next(below: good.count))))) }
        #expect(refused > 100)
        var reader = StateReader(good)
        #expect(OnlineForest(restoring: &reader, names: ["load", "pressure"], settings: settings) == nil)
    }

    @Test func rowsWithoutUseAreTakenCalmly() {
        var forest = OnlineForest(names: [], settings: Self.settings)
        var scores: [Double] = [1]
        forest.observe(rows: [1, 2], into: &scores)
        #expect(scores.isEmpty && forest.isLearning)
        var other = OnlineForest(names: ["a", "b"], settings: Self.settings)
        other.observe(
            rows: (0..<2000).flatMap { row -> [Double] in [.nan, row % 2 == 0 ? .infinity : -1e308] }, into: &scores)
        #expect(scores.suffix(100).allSatisfy { (0...1).contains($0) })
    }
}
