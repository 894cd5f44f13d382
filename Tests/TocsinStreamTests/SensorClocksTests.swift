import Testing
import TocsinCore
import TocsinStream

@Suite struct SensorClocksTests {
    private let source = SourceID(2)
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: seconds * second) }

    @Test func theWatermarkTrailsTheNewestTimeByTheLateness() {
        var clocks = SensorClocks(allowedLateness: .seconds(30))
        clocks.raise(source, to: at(100))
        #expect(clocks.observe(sensor: SensorID(5), time: at(100), source: source) == at(70))
        #expect(clocks.observe(sensor: SensorID(5), time: at(90), source: source) == at(70))
        #expect(clocks.watermark(of: SensorID(5)) == at(70))
        #expect(clocks.source(of: SensorID(5)) == source)
    }

    @Test func aSilentSensorGoesOnWithItsSource() {
        var clocks = SensorClocks(allowedLateness: .seconds(30))
        clocks.raise(source, to: at(100))
        _ = clocks.observe(sensor: SensorID(0), time: at(100), source: source)
        clocks.raise(source, to: at(400))
        #expect(clocks.watermark(of: SensorID(0)) == at(370))
        clocks.raise(SourceID(0), to: at(9999))
        #expect(clocks.watermark(of: SensorID(0)) == at(370), "another source does not count")
    }

    @Test func aSlowClockKeepsItsOwnTime() {
        var clocks = SensorClocks(allowedLateness: .seconds(0))
        for tick in Int64(0)..<100 {
            clocks.raise(source, to: at(10_000 + tick))
            let watermark = clocks.observe(sensor: SensorID(0), time: at(10_000 + tick - 3600), source: source)
            #expect(watermark == at(10_000 + tick - 3600))
        }
        clocks.raise(source, to: at(10_109))
        #expect(clocks.watermark(of: SensorID(0)) == at(10_109 - 3600))
    }

    @Test func aFileGroupedBySensorIsNotLate() throws {
        var harness = try WindowHarness([.oneMinute])
        for series in 0..<UInt32(4) {
            for tick in 0..<1000 { harness.add(series, Int64(tick) * second) }
            harness.advance()
        }
        harness.flush()
        #expect(harness.refused == 0)
        let rows = Dictionary(grouping: harness.closed.windows, by: \.series).mapValues(\.count)
        #expect(rows.count == 4 && Set(rows.values).count == 1)
    }

    @Test func aDeviceAnHourBehindClosesItsWindowsInTime() throws {
        var harness = try WindowHarness([WindowDefinition(10, every: 10)], lateness: 5 * second)
        for tick in 0..<100 {
            harness.add(0, (10_000 + Int64(tick)) * second)
            if tick < 50 { harness.add(1, (6_400 + Int64(tick)) * second) }
            harness.advance()
        }
        #expect(harness.refused == 0)
        #expect(harness.closed.windows.filter { $0.series == 1 }.map { $0.value(.count) } == [10, 10, 10, 10, 10])
    }

    @Test func highWaterNeverFalls() {
        var clocks = SensorClocks(allowedLateness: .seconds(0))
        clocks.raise(source, to: at(50))
        clocks.raise(source, to: at(40))
        #expect(clocks.highWater(of: source) == at(50))
        #expect(clocks.highWater(of: SourceID(9)) == Timestamp(nanoseconds: .min))
    }

    @Test func unknownSensorsHaveNoProgress() {
        let clocks = SensorClocks(allowedLateness: .seconds(0))
        #expect(clocks.watermark(of: SensorID(3)) == Timestamp(nanoseconds: .min))
        #expect(clocks.source(of: SensorID(3)) == nil)
    }

    @Test func absurdTimesSaturate() {
        var clocks = SensorClocks(allowedLateness: Span64(nanoseconds: .max))
        let extremes = [Int64.min, -1, 0, 1, .max].map(Timestamp.init(nanoseconds:))
        for (index, time) in extremes.enumerated() {
            for highWater in extremes {
                clocks.raise(source, to: highWater)
                let sensor = SensorID(UInt32(index))
                #expect(clocks.observe(sensor: sensor, time: time, source: source) <= time)
                _ = clocks.watermark(of: sensor)
            }
        }
        var negative = SensorClocks(allowedLateness: Span64(nanoseconds: .min))
        #expect(negative.observe(sensor: SensorID(0), time: at(1), source: source) == at(1))
    }
}
