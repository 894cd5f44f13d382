import Testing
import TocsinCore
import TocsinDetect

@Suite struct RandomForestSavingTests {
    static func small() throws -> RandomForest {
        let data = RandomForestTests.ring(300, seed: 1)
        return try RandomForest.classifier(
            rows: data.rows, names: RandomForestTests.names, labels: data.labels, settings: .init(trees: 4), seed: 1
        ).forest
    }

    @Test func aSavedForestComesBackTheSame() throws {
        let forest = try Self.small()
        let loaded = try RandomForest(saved: forest.saved())
        #expect(loaded.featureNames == forest.featureNames && loaded.task == .classification && loaded.classes == 2)
        #expect(loaded.outOfBagError == forest.outOfBagError)
        #expect(loaded.impurityImportance == forest.impurityImportance)
        let rows = RandomForestTests.ring(500, seed: 2).rows
        #expect(loaded.predict(rows: rows) == forest.predict(rows: rows))
        #expect(loaded.saved() == forest.saved())
    }

    @Test func damageIsReportedAndNeverTraps() throws {
        let good = try Self.small().saved()
        var random = SplitMix64(seed: 6)
        for _ in 0..<1000 {
            var bad = good
            for _ in 0...random.next(below: 4) {
                bad[random.next(below: bad.count)] ^= UInt8(1 + random.next(below: 255))
            }
            guard bad != good else { continue }
            #expect(throws: TocsinError.self) { try RandomForest(saved: bad) }
        }
        for length in Array(0..<100) + (0..<100).map({ _ in random.next(below: good.count) }) {
            #expect(throws: TocsinError.self) { try RandomForest(saved: Array(good.prefix(length))) }
        }
        #expect(throws: TocsinError.self) { try RandomForest(saved: good + [0]) }
    }

    /// With a right checksum any content reaches the checks behind it: refused, or a forest that answers.
    @Test func nonsenseWithARightChecksumNeverTraps() throws {
        let good = try Self.small().saved()
        var random = SplitMix64(seed: 7)
        var accepted = 0
        for _ in 0..<3000 {
            var bad = Array(good.dropLast(8))
            for _ in 0...random.next(below: 3) {
                bad[8 + random.next(below: bad.count - 8)] = UInt8(truncatingIfNeeded: random.next())
            }
            var hash = StableHash()
            hash.combine(bad[...])
            var writer = StateWriter()
            writer.write(raw: bad)
            writer.write(hash.value)
            guard let forest = try? RandomForest(saved: writer.bytes) else { continue }
            accepted += 1
            _ = forest.predict(rows: [Double](repeating: 0.3, count: forest.width * 9), threads: 1)
            _ = forest.predict([.nan, 1e300])
        }
        #expect(accepted > 100 && accepted < 2900)
    }
}
