import Testing
import TocsinCore
import TocsinDetect

/// Clean streams of many shapes stay without verdicts under the one default.
@Suite struct BankQuietTests {
    private func verdicts(
        series count: Int, readings: Int, every interval: Double = 1, _ value: (Int, Int, inout Random) -> Double
    ) -> Int {
        var bank = Bank()
        var random = Random(21)
        var found = 0
        for reading in 0..<readings {
            let time = seconds(reading, every: interval)
            for series in 0..<count {
                let result = bank.assess(
                    series: SeriesID(UInt32(series)), time: time, highWater: time,
                    value: value(reading, series, &random))
                if result.kind != nil { found += 1 }
            }
        }
        return found
    }

    @Test func gaussian() {
        #expect(verdicts(series: 50, readings: 10_000) { _, _, random in 20 + random.normal() } == 0)
    }

    @Test func dailySeasonAtOneSecondOneMinuteAndFiveMinutes() {
        for (interval, readings) in [(1.0, 20_000), (60, 10_000), (300, 4000)] {
            let found = verdicts(series: 10, readings: readings, every: interval) { reading, series, random in
                20 + 5 * wave(Double(reading) * interval / 86_400 + Double(series) / 10) + 0.3 * random.normal()
            }
            #expect(found == 0, "interval \(interval) s")
        }
    }

    /// Student's t with 3 degrees throws 10 deviations once in some thousand readings: a series that has not shown that
    /// yet may be believed to spike (here 1 verdict in 5 series), one that has shown it may not.
    @Test func heavyTails() {
        var bank = Bank()
        var random = Random(21)
        var young = 0
        var settled = 0
        for reading in 0..<10_000 {
            let time = seconds(reading)
            for series in 0..<20 {
                let result = bank.assess(
                    series: SeriesID(UInt32(series)), time: time, highWater: time, value: 20 + random.heavy())
                if result.kind != nil { if reading < 1000 { young += 1 } else { settled += 1 } }
            }
        }
        #expect(young <= 8)
        #expect(settled <= 1)
    }

    @Test func integers() {
        #expect(verdicts(series: 20, readings: 10_000) { _, _, random in (random.normal() * 1.5).rounded() } == 0)
    }

    @Test func burstsBecomeNormal() {
        // Bursts of some readings, again and again: only the first of them may be news.
        let late = { (reading: Int) in reading % 200 < 5 }
        var bank = Bank()
        var random = Random(2)
        var early = 0
        var then = 0
        for reading in 0..<40_000 {
            let time = seconds(reading)
            let value = 1000 + 50 * random.normal() + (late(reading) ? random.uniform(2000, 9000) : 0)
            if bank.assess(series: first, time: time, highWater: time, value: value).kind != nil {
                if reading < 10_000 { early += 1 } else { then += 1 }
            }
        }
        #expect(early > 0)
        #expect(then <= 15)
    }
}
