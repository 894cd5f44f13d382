import Testing
import TocsinCore
import TocsinDetect

@Suite struct SequenceSavingTests {
    private static func small() throws -> SequenceAutoencoder {
        try SequenceAutoencoder.train(
            segments: [SequenceAutoencoderTests.rows(300, seed: 1)], names: SequenceAutoencoderTests.names,
            settings: .init(units: [3, 2], steps: 4, epochs: 1))
    }

    @Test func aSavedModelComesBackTheSame() throws {
        let model = try Self.small()
        let loaded = try SequenceAutoencoder(saved: model.saved())
        #expect(loaded.featureNames == model.featureNames && loaded.threshold == model.threshold)
        #expect(loaded.tail == model.tail && loaded.shape == model.shape)
        let rows = SequenceAutoencoderTests.rows(50, seed: 4)
        var before = SequenceScores()
        var after = SequenceScores()
        model.score(rows: rows, scratch: SequenceScratch(), into: &before)
        loaded.score(rows: rows, scratch: SequenceScratch(), into: &after)
        #expect(before.errors == after.errors && before.contributions == after.contributions)
        #expect(loaded.saved() == model.saved())
    }

    @Test func damageIsReportedAndNeverTraps() throws {
        let good = try Self.small().saved()
        var random = SplitMix64(seed: 6)
        for _ in 0..<2000 {
            var bad = good
            for _ in 0...random.next(below: 4) {
                bad[random.next(below: bad.count)] ^= UInt8(1 + random.next(below: 255))
            }
            guard bad != good else { continue }
            #expect(throws: TocsinError.self) { try SequenceAutoencoder(saved: bad) }
        }
        for length in 0..<good.count {
            #expect(throws: TocsinError.self) { try SequenceAutoencoder(saved: Array(good.prefix(length))) }
        }
        #expect(throws: TocsinError.self) { try SequenceAutoencoder(saved: good + [0]) }
        for _ in 0..<200 {
            let noise = (0..<random.next(below: 4000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(throws: TocsinError.self) { try SequenceAutoencoder(saved: Array("TOCSINSA".utf8) + noise) }
        }
    }

    /// Wrong numbers under a right checksum: written on purpose, or by a program with a mistake.
    @Test func contradictionsUnderARightChecksumAreFound() throws {
        let good = try Self.small().saved()
        var random = SplitMix64(seed: 7)
        var refused = 0
        for round in 0..<3000 {
            var body = Array(good.dropLast(8))
            // Mostly the sizes, which memory and indices come from.
            let span = round % 2 == 0 ? 20 : body.count - 12
            for _ in 0...random.next(below: 2) {
                body[12 + random.next(below: span)] = UInt8(truncatingIfNeeded: random.next())
            }
            var hash = StableHash()
            hash.combine(body)
            body += (0..<8).map { UInt8(truncatingIfNeeded: hash.value >> (8 * UInt64($0))) }
            do {
                let model = try SequenceAutoencoder(saved: body)
                // Whatever is accepted can be used.
                var scores = SequenceScores()
                model.score(
                    batch: Array(repeating: 1, count: model.shape.steps * model.shape.features),
                    scratch: SequenceScratch(), into: &scores)
                #expect(scores.errors.count == 1 && !scores.errors[0].isNaN)
            } catch is TocsinError {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }

    @Test func aBufferHoldsTheLastRowsAndComesBack() throws {
        var buffer = SequenceBuffer(steps: 3, features: 2)
        var sequence: [Double] = []
        for row in 0..<5 {
            buffer.appendSequence(to: &sequence)
            #expect(buffer.isFull == (row >= 3) && sequence.isEmpty == !buffer.isFull)
            sequence = []
            buffer.append([Double(row), Double(-row)])
            var writer = StateWriter()
            buffer.save(&writer)
            var reader = StateReader(writer.bytes)
            let loaded = try #require(SequenceBuffer(&reader, steps: 3, features: 2))
            #expect(loaded.count == min(row + 1, 3) && reader.isAtEnd)
            var mine: [Double] = []
            var other: [Double] = []
            buffer.appendSequence(to: &mine)
            loaded.appendSequence(to: &other)
            #expect(mine == other)
            for length in 0..<writer.bytes.count {
                var reader = StateReader(writer.bytes[..<length])
                #expect(SequenceBuffer(&reader, steps: 3, features: 2) == nil)
            }
            var foreign = StateReader(writer.bytes)
            #expect(SequenceBuffer(&foreign, steps: 4, features: 2) == nil)
        }
        buffer.appendSequence(to: &sequence)
        #expect(sequence == [2, -2, 3, -3, 4, -4])
        buffer.removeAll()
        #expect(!buffer.isFull && buffer.count == 0)
    }
}
