import Testing
import TocsinCore
import TocsinDetect

/// What every detector must keep: deterministic, blind to the future, safe with any input, small.
@Suite struct BankConformanceTests {
    static let mixed: [Double] = {
        var random = Random(11)
        return (0..<3000).map { index in
            switch index {
            case 500, 1700: 60
            case 900..<960: 21
            case 2000..<2400: 20 + 5 * random.normal()
            case 2600...: 40 + random.normal()
            default: 20 + random.normal()
            }
        }
    }()

    static func text(_ results: [Assessment]) -> [String] {
        results.map {
            "\($0.surprise) \($0.expectedLow) \($0.value) \($0.start) \(String(describing: $0.kind)) \($0.isContinuation)"
        }
    }

    @Test func theFirstResultsDoNotDependOnWhatFollows() {
        let whole = Self.text(assess(Self.mixed))
        for count in [1, 61, 505, 950, 2100, 2999] {
            #expect(Self.text(assess(Array(Self.mixed.prefix(count)))) == Array(whole.prefix(count)))
        }
    }

    @Test func seriesDoNotInfluenceEachOther() {
        var bank = Bank()
        var alone: [String] = []
        for (index, value) in Self.mixed.enumerated() {
            let time = seconds(index)
            _ = bank.assess(series: SeriesID(7), time: time, highWater: time, value: value * 3)
            alone += Self.text([bank.assess(series: SeriesID(3), time: time, highWater: time, value: value)])
        }
        #expect(alone == Self.text(assess(Self.mixed)))
    }

    @Test func scoresAreMonotoneInSurpriseAndStayInBounds() {
        let results = assess(Self.mixed).sorted { $0.surprise < $1.surprise }
        for (lower, higher) in zip(results, results.dropFirst()) { #expect(lower.score <= higher.score) }
        #expect(results.allSatisfy { (0...1).contains($0.score) && (0...1).contains($0.pValue) })
    }

    @Test func notANumberAndInfinityAreIgnored() {
        let poisoned = Self.mixed.flatMap { [$0, .nan, .infinity, -.infinity] }
        let results = assess(poisoned, every: 0.25)
        for index in poisoned.indices where !poisoned[index].isFinite {
            #expect(results[index].kind == nil && results[index].surprise == 0)
        }
        let clean = stride(from: 0, to: results.count, by: 4).map { results[$0] }
        #expect(clean.positions(.spike) == assess(Self.mixed).positions(.spike))
    }

    @Test(arguments: [1e300, -1e300, 1e-300, 1.7e308, Double.leastNonzeroMagnitude])
    func extremeMagnitudesStayFinite(_ size: Double) {
        var random = Random(5)
        let values = (0..<2000).map { $0 % 97 == 0 ? size * -1 : size * (1 - 0.5 * random.uniform()) }
        for result in assess(values) {
            #expect(!result.score.isNaN && !result.surprise.isNaN && (0...1).contains(result.score))
        }
    }

    @Test func absurdTimesDoNotTrap() {
        var bank = Bank()
        var findings: [SilenceFinding] = []
        for nanoseconds in [Int64.min, -1, 0, 5, .max, 7, .min, .max] {
            for _ in 0..<30 {
                let time = Timestamp(nanoseconds: nanoseconds)
                _ = bank.assess(series: first, time: time, highWater: time, value: 1)
                bank.overdue(highWater: time, into: &findings)
            }
        }
        #expect(bank.seriesCount == 1)
    }

    @Test func constantAndAlternatingSeriesAreQuiet() {
        #expect(assess([Double](repeating: 5, count: 5000)).verdicts == 0)
        #expect(assess((0..<5000).map { $0 % 2 == 0 ? 10 : 20 }).verdicts == 0)
        #expect(assess((0..<5000).map { Double($0 % 10) }).verdicts == 0)
    }

    @Test func learningEndsAndIsSaid() {
        let results = assess(gaussian(200))
        #expect(results.prefix(60).allSatisfy { $0.isLearning })
        #expect(results.dropFirst(60).allSatisfy { !$0.isLearning })
        // Five-minute readings learn for a day.
        let slow = assess(gaussian(400), every: 300)
        #expect(slow[280].isLearning && !slow[300].isLearning)
    }

    @Test func stateIsSmall() { #expect(Bank.bytesPerSeries <= 256) }

    @Test func baselineGivesLevelAndScale() throws {
        var bank = Bank()
        #expect(bank.baseline(of: first) == nil)
        for (index, value) in gaussian(3000, level: 50, deviation: 2).enumerated() {
            let time = seconds(index)
            _ = bank.assess(series: first, time: time, highWater: time, value: value)
        }
        let baseline = try #require(bank.baseline(of: first))
        #expect(abs(baseline.level - 50) < 0.5)
        #expect(abs(baseline.scale - 2) < 0.6)
    }

    /// More readings than any counter in the state can hold.
    @Test func longStreamsKeepWorking() {
        var random = Random(8)
        var bank = Bank()
        var verdicts = 0
        for index in 0..<1_200_000 {
            let time = seconds(index)
            let value = 20 + random.normal()
            if bank.assess(series: first, time: time, highWater: time, value: value).kind != nil { verdicts += 1 }
        }
        #expect(verdicts <= 1)
        let time = seconds(1_200_000)
        #expect(bank.assess(series: first, time: time, highWater: time, value: 35).kind == .spike)
    }
}
