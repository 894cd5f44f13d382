import Testing
import TocsinCore
import TocsinDetect

/// Series under settings of their own, and readings that are judged and not learned.
@Suite struct BankSettingsTests {
    private func run(
        _ bank: inout Bank, _ series: SeriesID, _ values: [Double], from start: Int = 0,
        learns: (Int) -> Bool = { _ in true }
    ) -> [Assessment] {
        values.indices.map { index in
            let time = seconds(start + index)
            return bank.assess(series: series, time: time, highWater: time, value: values[index], learns: learns(index))
        }
    }

    @Test func eachSeriesIsJudgedByItsOwn() {
        var values = gaussian(2000)
        values[1000] += 12
        values[1500] -= 12
        var bank = Bank()
        let up = bank.addSettings(BankSettings(direction: .up))
        let large = bank.addSettings(BankSettings(minimumDeviation: 20))
        #expect(up == 1 && large == 2)
        bank.setSettings(series: SeriesID(1), index: up)
        bank.setSettings(series: SeriesID(2), index: large)
        bank.setSettings(series: SeriesID(3), index: 77)
        #expect(run(&bank, SeriesID(0), values).positions(.spike) == [1000, 1500])
        #expect(run(&bank, SeriesID(1), values).positions(.spike) == [1000])
        #expect(run(&bank, SeriesID(2), values).positions(.spike) == [])
        #expect(run(&bank, SeriesID(3), values).positions(.spike) == [1000, 1500])
    }

    @Test func settingsStayWhenASeriesIsRestored() {
        var values = gaussian(1500)
        values[1200] -= 12
        var bank = Bank()
        _ = run(&bank, first, Array(values.prefix(1000)))
        var writer = StateWriter()
        bank.save(series: first, to: &writer)
        var other = Bank()
        other.setSettings(series: first, index: other.addSettings(BankSettings(direction: .up)))
        var reader = StateReader(writer.bytes)
        #expect(other.restore(series: first, from: &reader))
        #expect(run(&other, first, Array(values[1000...]), from: 1000).verdicts == 0)
        #expect(run(&bank, first, Array(values[1000...]), from: 1000).positions(.spike) == [200])
    }

    @Test func directionAndDeviationActOnTheRangeToo() {
        var values = [Double](repeating: 20, count: 200)
        for index in values.indices { values[index] += Double(index % 3) }
        values[150] = 104
        values[160] = -70
        values[170] = 130
        func kinds(_ settings: BankSettings) -> [Int] {
            var bank = Bank(settings: settings)
            bank.setValidRange(series: first, low: -50, high: 100)
            return run(&bank, first, values).positions(.range)
        }
        #expect(kinds(BankSettings()) == [150, 160, 170])
        #expect(kinds(BankSettings(direction: .up)) == [150, 170])
        #expect(kinds(BankSettings(direction: .down)) == [160])
        #expect(kinds(BankSettings(minimumDeviation: 10)) == [160, 170])
        #expect(kinds(BankSettings(minimumRelativeDeviation: 0.25)) == [160, 170])
    }

    @Test func silenceIsAskedOfEachSeriesSettings() {
        var bank = Bank()
        bank.setSettings(series: SeriesID(1), index: bank.addSettings(BankSettings(enabledKinds: [.spike])))
        for second in 0..<100 {
            for series in 0..<2 {
                _ = bank.assess(
                    series: SeriesID(UInt32(series)), time: seconds(second), highWater: seconds(second),
                    value: Double(second % 7))
            }
        }
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(300), into: &overdue)
        #expect(overdue == [first])
        bank.setSettings(series: SeriesID(1), index: 0)
        overdue = []
        bank.overdueSeries(highWater: seconds(301), into: &overdue)
        #expect(overdue == [first, SeriesID(1)])
    }

    /// An hour of maintenance at another level, with spikes: judged, and afterwards everything is as it was before.
    @Test func nothingIsLearnedInMaintenance() {
        var values = gaussian(6000)
        for index in 2000..<4000 { values[index] = 90 + 3 * (values[index] - 20) }
        values[5000] += 12
        var bank = Bank()
        let results = run(&bank, first, values) { !(2000..<4000).contains($0) }
        #expect((2000..<4000).count { results[$0].kind == .spike } == 2000)
        #expect(results[4000...].indices.filter { results[$0].kind != nil } == [5000])
        var without = Bank()
        let rest = values[..<2000] + values[4000...]
        let expected = run(&without, first, Array(rest))
        for index in 4000..<6000 { #expect(results[index].surprise == expected[index - 2000].surprise) }
    }

    @Test func aSeriesInMaintenanceIsNotSilent() {
        var bank = Bank()
        for second in 0..<1000 {
            _ = bank.assess(
                series: first, time: seconds(second), highWater: seconds(second), value: Double(second % 7),
                learns: second < 100)
            var overdue: [SeriesID] = []
            bank.overdueSeries(highWater: seconds(second), into: &overdue)
            #expect(overdue.isEmpty)
        }
        var overdue: [SeriesID] = []
        bank.overdueSeries(highWater: seconds(1100), into: &overdue)
        #expect(overdue == [first])
    }
}
