import Testing
import TocsinCore
import TocsinDetect

/// Runs a sensor's rows through an ensemble; the bank has nothing to say unless told.
private func run(
    _ ensemble: inout SensorEnsemble, _ rows: [[Double]], every interval: Double, from start: Int = 0,
    evidence: Double = 0
) -> (scores: [Double], findings: [EnsembleFinding]) {
    var findings: [EnsembleFinding] = []
    let scores = rows.indices.map { index in
        let row = rows[index]
        let light = [Double](repeating: evidence, count: row.count)
        return ensemble.observe(
            time: seconds(start + index, every: interval), values: row.span, evidence: light.span,
            into: &findings)
    }
    return (scores, findings)
}

private func single(_ count: Int, seed: UInt64) -> [[Double]] {
    var noise = SeededNoise(seed: seed)
    return (0..<count).map { _ in [20 + noise.next()] }
}

/// Two metrics, the second one minus twice the first.
private func pairs(_ count: Int, seed: UInt64) -> [[Double]] {
    var noise = SeededNoise(seed: seed)
    return (0..<count).map { _ in
        let common = noise.next()
        return [20 + common, 50 - 2 * common + 0.2 * noise.next()]
    }
}

@Suite("The ensemble of one sensor")
struct SensorEnsembleTests {
    @Test("A slow series: a value never seen is told at once, with its usual band")
    func slow() throws {
        var ensemble = SensorEnsemble()
        _ = run(&ensemble, single(2000, seed: 1), every: 60)
        let (scores, findings) = run(&ensemble, [[45]], every: 60, from: 2000)
        let finding = try #require(findings.first)
        #expect(scores[0] >= 1 && finding.score >= 0.5)
        #expect(finding.kind == .pattern && finding.metric == 0)
        #expect(finding.expectedLow > 15 && finding.expectedHigh < 25)
        #expect(finding.pValue < 0.01)
        #expect(finding.evidence == .value || finding.evidence == .step)
        #expect(finding.contributions[0].metric == 0 && finding.contributions[0].share == 1)
    }

    @Test("A fast series is judged by the minute: noise is quiet, a lasting excursion is found")
    func fast() {
        var ensemble = SensorEnsemble()
        let quiet = run(&ensemble, single(90_000, seed: 2), every: 10).findings
        #expect(quiet.isEmpty)
        let far = [[Double]](repeating: [60], count: 180)
        let found = run(&ensemble, far, every: 10, from: 90_000).findings
        #expect(!found.isEmpty)
    }

    @Test("Two metrics in range that do not go together are found, named, held and repeated once a minute")
    func combination() throws {
        var ensemble = SensorEnsemble()
        let quiet = run(&ensemble, pairs(2000, seed: 3), every: 5).findings
        #expect(quiet.isEmpty)
        let broken = [[Double]](repeating: [21.5, 53], count: 60)
        let (scores, findings) = run(&ensemble, broken, every: 5, from: 2000)
        let finding = try #require(findings.first)
        #expect(finding.kind == .multivariate && !finding.isContinuation)
        #expect(abs(finding.contributions[0].share + finding.contributions[1].share - 1) < 1e-6)
        #expect(finding.start <= finding.time)
        #expect(scores.count { $0 >= 1 } > 40)
        #expect(findings.dropFirst().count { !$0.isContinuation } == 0)
        #expect((3...6).contains(findings.count))
        let after = run(&ensemble, pairs(300, seed: 4), every: 5, from: 2060).scores
        #expect(after.suffix(200).max() ?? 0 < 1)
    }

    @Test("The bank's evidence raises a row's score and never alarms alone")
    func evidence() {
        var (quiet, loud) = (SensorEnsemble(), SensorEnsemble())
        let rows = pairs(1500, seed: 5)
        let low = run(&quiet, rows, every: 5)
        let high = run(&loud, rows, every: 5, evidence: 5)
        #expect(high.scores.reduce(0, +) > low.scores.reduce(0, +) + 100)
        #expect(high.findings.isEmpty)
    }

    @Test("Rows out of order, missing, endless and a new metric pass")
    func borders() {
        var ensemble = SensorEnsemble()
        var findings: [EnsembleFinding] = []
        var random = SplitMix64(seed: 6)
        let odd = [Double.nan, .infinity, -.infinity, 1e308, -1e308, 0, 1, 5]
        for index in 0..<4000 {
            let row = (0..<(index < 1500 ? 2 : 3)).map { _ in odd[random.next(below: odd.count)] }
            let time = seconds(index - (index % 7 == 0 ? 50 : 0), every: 30)
            let score = ensemble.observe(time: time, values: row.span, evidence: row.span, into: &findings)
            #expect(!score.isNaN)
        }
        #expect(ensemble.width == 3)
    }

    @Test(
        "Saved and restored it goes on with the same answers; damaged bytes never trap", arguments: [0, 10, 700, 1300])
    func saving(moment: Int) throws {
        for (rows, interval) in [(pairs(1500, seed: 7), 5.0), (single(1500, seed: 8), 60)] {
            var ensemble = SensorEnsemble()
            _ = run(&ensemble, Array(rows[..<moment]), every: interval)
            var writer = StateWriter()
            ensemble.save(to: &writer)
            var reader = StateReader(writer.bytes)
            var copy = try #require(SensorEnsemble(restoring: &reader))
            #expect(reader.isAtEnd)
            let rest = Array(rows[moment...]) + [[Double]](repeating: rows[0].map { $0 + 9 }, count: 30)
            let expected = run(&ensemble, rest, every: interval, from: moment).scores
            let scores = run(&copy, rest, every: interval, from: moment).scores
            #expect(scores == expected)
            var random = SplitMix64(seed: 9)
            for trial in 0..<150 {
                var bytes = writer.bytes
                if trial % 3 == 0 { bytes.removeLast(random.next(below: bytes.count)) }
                if !bytes.isEmpty {
                    for _ in 0..<1 + trial % 4 {
                        bytes[random.next(below: bytes.count)] ^= 1 << UInt8(random.next(below: 8))
                    }
                }
                var damaged = StateReader(bytes)
                guard var odd = SensorEnsemble(restoring: &damaged) else { continue }
                _ = run(&odd, Array(rows[..<200]), every: interval, from: 2000)
            }
        }
    }
}

@Suite("Sensors within a budget, and the gate")
struct DefaultEnsembleTests {
    @Test("The gate opens on either light detector, stays open for one window more, and is saved")
    func gate() throws {
        var gate = SuspicionGate()
        gate.note(0.1)
        let answer0 = gate.close(forestScore: 0.4)
        #expect(!answer0)
        gate.note(1.2)
        gate.note(0.1)
        let answer1 = gate.close()
        #expect(answer1)
        var writer = StateWriter()
        gate.save(to: &writer)
        var reader = StateReader(writer.bytes)
        let copy = try #require(SuspicionGate(restoring: &reader))
        #expect(copy == gate)
        let answer2 = gate.close(forestScore: .nan)
        #expect(answer2)
        let answer3 = gate.close()
        #expect(!answer3)
        let answer4 = gate.close(forestScore: 0.7)
        #expect(answer4)
    }
}
