import Testing
import TocsinCore
import TocsinDetect

/// Noise and shapes for these tests: seeded, about normal (sum of 12 uniform numbers).
struct SeededNoise {
    var random: SplitMix64
    init(seed: UInt64) { random = SplitMix64(seed: seed) }
    mutating func next() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += random.nextUnit() }
        return sum
    }
}

@Suite("Novelty of values, steps, distributions and shapes")
struct NoveltyTests {
    /// A day curve with a little noise: 288 readings a day.
    private func day(_ index: Int, _ noise: inout SeededNoise) -> Double {
        let phase = Double(index % 288) / 288
        return (phase < 0.5 ? 20 + 40 * phase : 40 - 40 * (phase - 0.5)) + 0.3 * noise.next()
    }

    @Test("A value never seen is told at once, and the familiar rest is quiet")
    func farValue() {
        var noise = SeededNoise(seed: 1)
        var detector = NoveltyDetector()
        var marks: [Int] = []
        for index in 0..<4000 {
            let value = index == 3500 ? 90 : day(index, &noise)
            if detector.observe(value).score >= NoveltyDetector.defaultThreshold { marks.append(index) }
        }
        #expect(marks.contains(3500))
        #expect(marks.filter { $0 > 1500 && $0 != 3500 }.count <= 3)
    }

    @Test("A familiar value at the end of a step never made is told as a step")
    func newStep() {
        var noise = SeededNoise(seed: 2)
        var detector = NoveltyDetector()
        var atJump = Novelty()
        for index in 0..<4000 {
            // At the low of the day the curve jumps to its high: both values are known, the step is not.
            let value = index == 3456 ? 39.0 : day(index, &noise)
            let novelty = detector.observe(value)
            if index == 3456 { atJump = novelty }
        }
        #expect(atJump.score >= NoveltyDetector.defaultThreshold)
        #expect(atJump.step > atJump.value)
    }

    @Test("A constant series is quiet, and its first change is told")
    func constant() {
        var detector = NoveltyDetector()
        var quiet = true
        for _ in 0..<2000 where detector.observe(12.5).score != 0 { quiet = false }
        #expect(quiet)
        #expect(detector.observe(13).score >= NoveltyDetector.defaultThreshold)
    }

    @Test("One event is one mark at its leading edge")
    func grouping() {
        var noise = SeededNoise(seed: 3)
        var detector = NoveltyDetector()
        var marks = 0
        for index in 0..<3060 {
            let value = index >= 3000 ? 80 + noise.next() : noise.next()
            let novelty = detector.observe(value)
            if index >= 3000, novelty.score >= NoveltyDetector.defaultThreshold { marks += 1 }
        }
        #expect((1...2).contains(marks))
    }

    @Test("It never looks ahead: the score of a reading does not depend on later ones")
    func noLookAhead() {
        var noise = SeededNoise(seed: 4)
        let values = (0..<3000).map { _ in noise.next() }
        var whole = NoveltyDetector()
        let scores = values.map { whole.observe($0) }
        var part = NoveltyDetector()
        #expect(values[..<1700].map { part.observe($0) } == Array(scores[..<1700]))
    }

    @Test("Saved and restored at any moment it goes on with the same answers", arguments: [0, 30, 101, 1500, 2900])
    func saving(moment: Int) throws {
        var noise = SeededNoise(seed: 5)
        let values = (0..<4000).map { $0 % 700 == 650 ? 50 : Double($0 / 1000) * 3 + noise.next() }
        var detector = NoveltyDetector()
        for value in values[..<moment] { _ = detector.observe(value) }
        var writer = StateWriter()
        detector.save(to: &writer)
        #expect(writer.bytes.count < 40_000)
        var reader = StateReader(writer.bytes)
        var restored = try #require(NoveltyDetector(restoring: &reader))
        #expect(reader.isAtEnd)
        #expect(values[moment...].map { detector.observe($0) } == values[moment...].map { restored.observe($0) })
    }

    @Test("Damaged bytes give nil or a detector that works, never a trap")
    func damaged() {
        var noise = SeededNoise(seed: 6)
        var detector = NoveltyDetector()
        for _ in 0..<1500 { _ = detector.observe(noise.next()) }
        var writer = StateWriter()
        detector.save(to: &writer)
        var random = SplitMix64(seed: 7)
        for round in 0..<400 {
            var bytes = writer.bytes
            if round % 2 == 0 { bytes.removeLast(1 + random.next(below: bytes.count)) }
            for _ in 0..<(1 + random.next(below: 20)) where !bytes.isEmpty {
                bytes[random.next(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            var reader = StateReader(bytes)
            guard var restored = NoveltyDetector(restoring: &reader) else { continue }
            for _ in 0..<200 { _ = restored.observe(noise.next()) }
        }
    }

    @Test("Extreme and missing values pass without a trap and do not blind the detector for good")
    func extremes() {
        var noise = SeededNoise(seed: 8)
        var detector = NoveltyDetector()
        for _ in 0..<500 { _ = detector.observe(noise.next()) }
        for value in [
            .nan, .infinity, -.infinity, 1e308, -1e308, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -0.0,
        ] {
            _ = detector.observe(value)
        }
        #expect(detector.observe(.nan) == Novelty())
        for _ in 0..<6000 { _ = detector.observe(noise.next()) }
        #expect(detector.observe(30).score >= NoveltyDetector.defaultThreshold)
    }

    @Test("The leading edge equals a plain search over the last readings")
    func edge() throws {
        var random = SplitMix64(seed: 9)
        var edge = LeadingEdge(span: 7)
        let scores = (0..<2000).map { _ in Double(random.next(below: 6)) }
        for index in scores.indices {
            if index == 900 {
                var writer = StateWriter()
                edge.save(to: &writer)
                var reader = StateReader(writer.bytes)
                edge = try #require(LeadingEdge(restoring: &reader))
            }
            let before = scores[max(index - 7, 0)..<index].max() ?? 0
            #expect(edge.observe(scores[index]) == (scores[index] > before ? scores[index] : 0))
        }
    }
}
