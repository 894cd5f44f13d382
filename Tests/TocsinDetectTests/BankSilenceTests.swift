import Testing
import TocsinCore
import TocsinDetect

@Suite struct BankSilenceTests {
    @Test func lookingForOverdueSeriesChangesNothing() {
        var bank = Bank()
        for second in 0..<100 {
            _ = bank.assess(series: first, time: seconds(second), highWater: seconds(second), value: Double(second % 7))
        }
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(120), into: &overdue)
        #expect(overdue.isEmpty)
        for _ in 0..<3 { bank.overdueSeries(highWater: seconds(200), into: &overdue) }
        #expect(overdue == [first, first, first])
        let finding = bank.silence(of: first, highWater: seconds(200))
        #expect(!finding.isContinuation && finding.seconds == 101 && finding.start == seconds(99))
        overdue.removeAll()
        bank.overdueSeries(highWater: seconds(201), into: &overdue)
        #expect(overdue.isEmpty)
        bank.overdueSeries(highWater: seconds(261), into: &overdue)
        #expect(overdue == [first] && bank.silence(of: first, highWater: seconds(261)).isContinuation)
        // A series that speaks before the finding is taken is no longer overdue.
        bank.overdueSeries(highWater: seconds(400), into: &overdue)
        _ = bank.assess(series: first, time: seconds(400), highWater: seconds(400), value: 1)
        overdue.removeAll()
        bank.overdueSeries(highWater: seconds(401), into: &overdue)
        #expect(overdue.isEmpty)
    }

    /// Many series, of which some pause, some stop and some start late, find what each would find in a bank of its own.
    @Test func manySeriesFindWhatEachFindsAlone() {
        let count = 900
        var bank = Bank()
        var alone = [Bank](repeating: Bank(), count: count)
        var random = SplitMix64(seed: 4)
        var resume = [Int](repeating: 0, count: count)
        var found = 0
        for step in 0..<400 {
            for series in 0..<count {
                if random.next(below: 3000) == 0 { resume[series] = step + 20 + random.next(below: 300) }
                guard step >= resume[series], step >= series % 50, step % (1 + series % 4) == 0 else { continue }
                let time = seconds(step)
                let value = Double(step % 7)
                _ = bank.assess(series: SeriesID(UInt32(series)), time: time, highWater: time, value: value)
                _ = alone[series].assess(series: first, time: time, highWater: time, value: value)
            }
            if step == 300 { bank.withdraw(SeriesID(5)); alone[5].withdraw(first) }
            var findings: [SilenceFinding] = []
            bank.overdue(highWater: seconds(step), into: &findings)
            var expected: [String] = []
            for series in 0..<count {
                var own: [SilenceFinding] = []
                alone[series].overdue(highWater: seconds(step), into: &own)
                expected += own.map { "\(series) \($0.start) \($0.seconds) \($0.limit) \($0.isContinuation)" }
            }
            let said = findings.map { "\($0.series.index) \($0.start) \($0.seconds) \($0.limit) \($0.isContinuation)" }
            #expect(said == expected)
            found += said.count
        }
        #expect(found > 100)
        bank.withdrawAll()
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(100_000), into: &overdue)
        #expect(overdue.isEmpty)
    }

    @Test func prefetchingChangesNothingAndKnowsItsBounds() {
        var bank = Bank()
        bank.prefetch(series: first)
        _ = bank.assess(series: first, time: seconds(0), highWater: seconds(0), value: 1)
        bank.prefetch(series: first)
        bank.prefetch(series: SeriesID(.max))
        #expect(bank.seriesCount == 1)
    }
}
