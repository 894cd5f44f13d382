import Testing
import TocsinCore
import TocsinDetect

/// What a series' longer memory adds: a cycle of minutes and the day's own course.
@Suite struct BankHistoryTests {
    @Test func aRampOnTopOfAWaveIsADrift() {
        let clean = cycle(turns: 12, amplitude: 3)
        #expect(assess(clean).verdicts == 0)
        for start in [4200, 4350, 4500, 4650] {
            var values = clean
            for index in start..<start + 400 { values[index] += 5 * Double(index - start) / 400 }
            let drifts = assess(values).positions(.drift)
            #expect(drifts.first.map { (start..<start + 400).contains($0) } == true, "from \(start)")
            #expect(drifts.count <= 2)
        }
    }

    @Test func aPauseDoesNotLoseThePhase() {
        var bank = Bank()
        var verdicts = 0
        for (index, value) in cycle(turns: 14, amplitude: 3).enumerated() where !(4000..<4170).contains(index) {
            let time = seconds(index)
            if bank.assess(series: first, time: time, highWater: time, value: value).kind != nil { verdicts += 1 }
        }
        #expect(verdicts == 0)
        #expect(bank.historyCount == 1)
    }

    @Test func plainNoiseNeedsNoHistory() {
        var bank = Bank()
        for (index, value) in gaussian(20_000).enumerated() {
            let time = seconds(index)
            _ = bank.assess(series: first, time: time, highWater: time, value: value)
        }
        #expect(bank.historyCount == 0)
    }

    /// One reading a minute: warm by day, cold by night.
    private func days(_ count: Int, weekend: Double = 0, _ change: (Int, Int) -> Double? = { _, _ in nil }) -> [Double]
    {
        var random = Random(8)
        return (0..<count * 1440).map { minute in
            let (day, hour) = (minute / 1440, minute % 1440 / 60)
            let shape = change(day, hour) ?? wave(Double(minute) / 1440)
            return 20 + 5 * shape * (day % 7 >= 5 ? 1 - weekend : 1) + 0.5 * random.normal()
        }
    }

    @Test func thirtyPlainDaysAreQuiet() {
        #expect(assess(days(30), every: 60).verdicts == 0)
        #expect(assess(days(30), every: 60, settings: BankSettings(season: .off)).verdicts == 0)
    }

    /// On day 12 the evening's fall stops at the mean and stays there until the night's values are due again: each
    /// value is one of every day, and no step is larger than the noise.
    @Test func aLevelAtTheWrongHourIsFound() {
        let values = days(16) { day, hour in day == 12 && (12..<24).contains(hour) ? 0 : nil }
        let night = 12 * 1440 + 720..<13 * 1440
        let seasonal = assess(values, every: 60)
        #expect(seasonal.positions(.drift).first.map { night.contains($0) } == true)
        #expect(seasonal.positions(.drift).filter { !seasonal[$0].isContinuation }.count <= 2)
        let plain = assess(values, every: 60, settings: BankSettings(season: .off))
        #expect(!plain.positions(.drift).contains { night.contains($0) })
    }

    @Test func withoutASeasonNothingChanges() {
        let values = gaussian(20 * 1440)
        let with = BankConformanceTests.text(assess(values, every: 60))
        #expect(with == BankConformanceTests.text(assess(values, every: 60, settings: BankSettings(season: .off))))
    }
}
