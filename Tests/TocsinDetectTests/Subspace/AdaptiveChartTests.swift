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

    @Test("Too few rows to fit are refused")
    func tooFew() {
        #expect(throws: TocsinError.self) { try AdaptiveChart(fitting: [1, 2, 3], width: 1) }
    }
}
