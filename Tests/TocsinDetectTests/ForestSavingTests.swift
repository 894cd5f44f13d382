import Testing
import TocsinCore
import TocsinDetect

@Suite struct ForestSavingTests {
    @Test func aSavedForestComesBackTheSame() throws {
        let forest = try ForestTests.forest()
        let loaded = try IsolationForest(saved: forest.saved())
        #expect(loaded.featureNames == forest.featureNames && loaded.calibration == forest.calibration)
        let rows = ForestTests.rows(500, seed: 4).rows
        var before: [Double] = []
        var after: [Double] = []
        forest.score(rows: rows, into: &before)
        loaded.score(rows: rows, into: &after)
        #expect(before == after)
        #expect(loaded.contributions(of: [60, 50, 0.5]) == forest.contributions(of: [60, 50, 0.5]))
        #expect(loaded.saved() == forest.saved())
    }

    @Test func damageIsReportedAndNeverTraps() throws {
        let small = try IsolationForest.train(
            rows: ForestTests.rows(300).rows, names: ForestTests.names,
            settings: .init(trees: 5, sampleSize: 16), seed: 1)
        let good = small.saved()
        var random = SplitMix64(seed: 6)
        for _ in 0..<2000 {
            var bad = good
            for _ in 0...random.next(below: 4) {
                bad[random.next(below: bad.count)] ^= UInt8(1 + random.next(below: 255))
            }
            guard bad != good else { continue }
            #expect(throws: TocsinError.self) { try IsolationForest(saved: bad) }
        }
        for length in Array(0..<200) + (0..<200).map({ _ in random.next(below: good.count) }) {
            #expect(throws: TocsinError.self) { try IsolationForest(saved: Array(good.prefix(length))) }
        }
        #expect(throws: TocsinError.self) { try IsolationForest(saved: good + [0]) }
        for _ in 0..<200 {
            let noise = (0..<random.next(below: 4000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(throws: TocsinError.self) { try IsolationForest(saved: Array("TOCSINIF".utf8) + noise) }
        }
    }

    /// Wrong numbers under a right checksum: written on purpose, or by a program with a mistake.
    @Test func contradictionsUnderARightChecksumAreFound() throws {
        let small = try IsolationForest.train(
            rows: ForestTests.rows(300).rows, names: ForestTests.names,
            settings: .init(trees: 5, sampleSize: 16), seed: 1)
        let good = small.saved()
        var random = SplitMix64(seed: 7)
        var refused = 0
        for _ in 0..<2000 {
            var body = Array(good.dropLast(8))
            body[12 + random.next(below: body.count - 12)] = UInt8(truncatingIfNeeded: random.next())
            var hash = StableHash()
            hash.combine(body)
            body += (0..<8).map { UInt8(truncatingIfNeeded: hash.value >> (8 * UInt64($0))) }
            do {
                let forest = try IsolationForest(saved: body)
                // Whatever is accepted can be used.
                #expect(!forest.score([25, 50, 0.5]).isNaN)
                _ = forest.contributions(of: [60, 50, 0.5])
                var scores: [Double] = []
                forest.score(rows: [Double](repeating: 1, count: 40 * forest.width), into: &scores)
            } catch is TocsinError {
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    @Test func messagesSayWhatIsWrong() throws {
        func message(_ bytes: [UInt8]) -> String {
            do { _ = try IsolationForest(saved: bytes) } catch { return "\(error)" }
            return ""
        }
        var good = try ForestTests.forest().saved()
        #expect(message(Array("hello".utf8)).contains("not a saved isolation forest"))
        #expect(message(Array(good.prefix(10))).contains("cut off"))
        #expect(message(Array(good.prefix(1000))).contains("checksum"))
        good[8] = 9
        #expect(message(good).contains("version"))
    }
}
