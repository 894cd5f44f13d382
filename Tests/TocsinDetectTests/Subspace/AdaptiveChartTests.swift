import Testing
import TocsinCore
import TocsinDetect

@Suite("A chart that learns from a cold start")
struct AdaptiveChartTests {
    private func rows(_ count: Int, seed: UInt64, slope: Double = 0, from start: Int = 0) -> [[Double]] {
        var noise = SeededNoise(seed: seed)
        return (0..<count).map { index in
            let common = noise.next()
            return [10 + common + slope * Double(index + start), 5 - 2 * common + 0.2 * noise.next()]
        }
    }

    @Test("Noise is quiet, a shift alarms and is over as soon as it ends")
    func shift() {
        var chart = AdaptiveChart(width: 2)
        let quiet = rows(6000, seed: 1)
        var alarms = 0
        for row in quiet { alarms += chart.observe(row).isAlarm ? 1 : 0 }
        #expect(alarms == 0)
        for row in rows(50, seed: 2) { alarms += chart.observe([row[0] + 8, row[1]]).isAlarm ? 1 : 0 }
        #expect(alarms >= 45)
        let after = rows(60, seed: 3).map { chart.observe($0).isAlarm }
        #expect(!after.dropFirst(20).contains(true))
    }

    @Test("A slow wandering over many deviations is followed; a shift on top of it still alarms")
    func wandering() {
        var chart = AdaptiveChart(width: 2)
        var alarms = 0
        for row in rows(8000, seed: 4, slope: 0.01) { alarms += chart.observe(row).isAlarm ? 1 : 0 }
        #expect(alarms == 0)
        for row in rows(60, seed: 5, slope: 0.01, from: 8000) {
            alarms += chart.observe([row[0], row[1] + 12]).isAlarm ? 1 : 0
        }
        #expect(alarms > 30)
    }

    @Test("What lasts longer than the acceptance becomes normal")
    func acceptance() {
        var settings = AdaptiveChart.Settings()
        settings.acceptance = 300
        var chart = AdaptiveChart(width: 2, settings: settings)
        for row in rows(1000, seed: 6) { _ = chart.observe(row) }
        let shifted = rows(3000, seed: 7).map { chart.observe([$0[0] + 8, $0[1]]).isAlarm }
        #expect(!shifted[20..<300].contains(false))
        #expect(!shifted[2500...].contains(true))
    }

    @Test("Shares sum to one, and the band of a metric holds its mean")
    func shares() {
        var chart = AdaptiveChart(width: 2)
        for row in rows(1000, seed: 8) { _ = chart.observe(row) }
        var shares: [Double] = []
        chart.contributions(into: &shares)
        #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
        let band = chart.band(of: 0)
        #expect(band.low < 10 && band.high > 10 && band.high - band.low < 20)
    }

    /// Two quantities and a lamp that is off while the chart learns.
    private func lampRows(_ count: Int, seed: UInt64, lamp: (Int) -> Double) -> [[Double]] {
        rows(count, seed: seed).enumerated().map { $0.element + [lamp($0.offset)] }
    }

    @Test("A lamp that goes on and off is no alarm, a shift of a quantity beside it is")
    func lamp() {
        var chart = AdaptiveChart(width: 3)
        for row in lampRows(1000, seed: 9, lamp: { _ in 0 }) { _ = chart.observe(row) }
        let evening = lampRows(3000, seed: 10) { $0 / 500 % 2 == 0 ? 1 : 0 }.map { chart.observe($0).isAlarm }
        #expect(!evening.contains(true))
        #expect(chart.share(of: 2) == 0)
        let shifted = lampRows(50, seed: 11) { _ in 1 }.map { chart.observe([$0[0] + 8, $0[1], $0[2]]).isAlarm }
        #expect(shifted.count { $0 } >= 45)
    }

    @Test("What stood still while the chart learned counts as soon as it takes a third value")
    func awakening() {
        var chart = AdaptiveChart(width: 3)
        for row in lampRows(1000, seed: 12, lamp: { _ in 20 }) { _ = chart.observe(row) }
        let moving = lampRows(60, seed: 13) { 20 + Double($0) }.map { chart.observe($0).isAlarm }
        #expect(!moving[0])
        #expect(moving[10...].allSatisfy { $0 })
        #expect(chart.share(of: 2) > 0.5)
    }

    @Test("A chart of states alone is silent, and a quantity that appears beside them is judged")
    func statesAlone() {
        var chart = AdaptiveChart(width: 2)
        let silent = (0..<1000).map { chart.observe([Double($0 / 50 % 2), 5]).isAlarm }
        #expect(!silent.contains(true))
        var noise = SeededNoise(seed: 14)
        let loud = (0..<6000).map { chart.observe([Double($0 / 50 % 2), 5 + 0.01 * noise.next()]).isAlarm }
        let late = loud[3500...].count { $0 }
        #expect(late == 0)
    }

    @Test("States are saved with the chart")
    func savedStates() {
        var chart = AdaptiveChart(width: 3)
        for row in lampRows(1000, seed: 15, lamp: { Double($0 / 100 % 2) }) { _ = chart.observe(row) }
        var writer = StateWriter()
        chart.save(to: &writer)
        var reader = StateReader(writer.bytes)
        var restored = AdaptiveChart(restoring: &reader)
        for row in lampRows(300, seed: 16, lamp: { Double($0 / 30 % 3) }) {
            let expected = chart.observe(row)
            #expect(restored?.observe(row) == expected)
        }
    }

    @Test("Too few rows to fit are refused")
    func tooFew() {
        #expect(throws: TocsinError.self) { try AdaptiveChart(fitting: [1, 2, 3], width: 1) }
    }
}
