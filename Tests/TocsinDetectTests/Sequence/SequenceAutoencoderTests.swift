import Testing
import TocsinCore
import TocsinDetect

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite struct SequenceAutoencoderTests {
    static let names = ["load", "heat"]
    static let settings = SequenceAutoencoder.Settings(
        units: [16, 8], steps: 12, epochs: 25, batchSize: 32, learningRate: 0.01, maximumSequences: 400, seed: 2)

    /// Two metrics that swing together with a little noise; in `broken` rows the second swings thrice
    /// as far.
    static func rows(_ count: Int, seed: UInt64, broken: Range<Int> = 0..<0) -> [Double] {
        var random = SplitMix64(seed: seed)
        return (0..<count).flatMap { row in
            let phase = Double(row) * 2 * Double.pi / 24
            let second = (broken.contains(row) ? 3 : 1) * cos(phase)
            return [
                100 + 20 * sin(phase) + random.nextUnit(), 5 + second + 0.05 * random.nextUnit(),
            ]
        }
    }

    static func train(_ settings: SequenceAutoencoder.Settings = settings) throws -> SequenceAutoencoder {
        try SequenceAutoencoder.train(segments: [rows(900, seed: 1)], names: names, settings: settings)
    }

    @Test func anAnomalousStretchStandsOut() throws {
        let model = try Self.train()
        let rows = Self.rows(600, seed: 3, broken: 300..<360)
        var scores = SequenceScores()
        model.score(rows: rows, scratch: SequenceScratch(), into: &scores)
        #expect(scores.errors.count == 600 - 11)
        let normal = Array(scores.errors[..<280]) + scores.errors[365...]
        let broken = scores.errors[300..<348]
        #expect((broken.min() ?? 0) > (normal.max() ?? 0), "\(broken.min() ?? 0) \(normal.max() ?? 0)")
        #expect(Double(normal.count { $0 >= model.threshold }) < 0.05 * Double(normal.count))
        #expect(broken.allSatisfy { $0 >= model.threshold && model.pValue($0) < 0.005 })
        // The metric that misbehaves is named.
        for place in 300..<348 {
            #expect(scores.contributions[2 * place + 1] > scores.contributions[2 * place])
            #expect(
                abs(scores.contributions[2 * place] + scores.contributions[2 * place + 1] - scores.errors[place])
                    <= 1e-12 * scores.errors[place])
        }
        if SequenceNetwork.hasBFloat16 {
            var rounded = SequenceScores()
            model.score(rows: rows, scratch: SequenceScratch(), precision: .bfloat16, into: &rounded)
            for (place, error) in scores.errors.enumerated() {
                #expect(abs(rounded.errors[place] - error) < 0.1 * error + 0.002)
            }
        }
    }

    @Test func theSeedDecidesAndThreadsDoNot() throws {
        var settings = Self.settings
        settings.epochs = 3
        settings.batchSize = 48
        settings.threads = 1
        let one = try Self.train(settings).saved()
        settings.threads = 3
        #expect(try Self.train(settings).saved() == one)
        settings.seed = 3
        #expect(try Self.train(settings).saved() != one)
    }

    @Test func progressTellsOfEveryEpochAndTrainingStopsEarly() throws {
        var settings = Self.settings
        settings.epochs = 40
        settings.patience = 2
        settings.learningRate = 0.05
        var seen: [SequenceAutoencoder.Progress] = []
        let model = try SequenceAutoencoder.train(
            segments: [Self.rows(900, seed: 1)], names: Self.names, settings: settings
        ) { seen.append($0) }
        #expect(seen.map(\.epoch) == Array(1...seen.count) && seen.count < 40)
        #expect(seen.suffix(2).allSatisfy { !$0.isBest } && seen[0].isBest)
        #expect((seen.map(\.validationLoss).min() ?? 1) < 0.5 * seen[0].validationLoss)
        #expect(seen[0].trainingSequences == 355 && seen[0].validationSequences == 85)
        #expect(model.threshold > 0)
    }

    /// Sequences end where their segment ends, and a metric that never moved shows when it does.
    @Test func segmentsAndConstantsAndGaps() throws {
        var settings = Self.settings
        settings.epochs = 4
        let segments = (0..<4).map { seed in
            stride(from: 0, to: 400, by: 2).flatMap { place -> [Double] in
                let rows = Self.rows(200, seed: UInt64(seed))
                return [place % 31 == 0 ? .nan : rows[place], 7]
            }
        }
        var seen: SequenceAutoencoder.Progress?
        let model = try SequenceAutoencoder.train(segments: segments, names: Self.names, settings: settings) {
            seen = $0
        }
        #expect(seen?.trainingSequences == 298)
        #expect(model.threshold.isFinite)
        var scores = SequenceScores()
        let scratch = SequenceScratch()
        model.score(batch: Array(repeating: .nan, count: 24), scratch: scratch, into: &scores)
        #expect(scores.errors.count == 1 && scores.errors[0].isFinite)
        let still = (0..<12).flatMap { _ in [100.0, 7.0] }
        model.score(batch: still + still.map { $0 == 7 ? 1e300 : $0 }, scratch: scratch, into: &scores)
        #expect(scores.errors[1] > scores.errors[0] + 10 && scores.errors[1].isFinite)
    }

    @Test func tooFewRowsAndBadSettingsAreExplained() throws {
        #expect(throws: TocsinError.self) {
            try SequenceAutoencoder.train(
                segments: [Self.rows(60, seed: 1)], names: Self.names, settings: Self.settings)
        }
        var settings = Self.settings
        settings.learningRate = .nan
        #expect(throws: TocsinError.self) { try Self.train(settings) }
        settings = Self.settings
        settings.batchSize = 0
        #expect(throws: TocsinError.self) { try Self.train(settings) }
    }

    @Test func pValuesFallWithTheError() throws {
        let model = try Self.train()
        var last = 1.0
        for step in 0..<2000 {
            let p = model.pValue(Double(step) * 0.001)
            #expect(p <= last && p >= 0)
            last = p
        }
        #expect(model.pValue(0) == 1 && model.pValue(.nan).isNaN)
        for p in [0.5, 0.2, 0.01, 1e-6] {
            #expect(abs(model.pValue(model.tail.threshold(pValue: p)) - p) < 0.02 * p)
        }
    }
}
