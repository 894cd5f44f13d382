import Testing
import TocsinCore
import TocsinDetect

private let start = Timestamp(seconds: 1_700_000_000)

private func values(_ count: Int, seed: UInt64 = 21, noise size: Double = 1) -> [Double] {
    var noise = Noise(seed: seed)
    return (0..<count).map { 20 + 4 * Double(abs($0 % 48 - 24)) / 24 + size * noise.next() }
}

private func time(_ slot: Int) -> Timestamp { start.advanced(by: .minutes(30 * Int64(slot))) }

private func stream(_ values: [Double]) throws -> ForecastStream {
    ForecastStream(
        try Forecaster(RegularSeries(start: start, step: .minutes(30), values: values), horizon: .hours(6)))
}

@Suite struct ForecastStreamTests {
    @Test func goesOnAsTheForecasterWould() throws {
        let all = values(800)
        var stream = try stream(Array(all[..<600]))
        for slot in 600..<700 { stream.observe(time: time(slot), value: all[slot]) }
        let forecast = stream.forecast()
        // The newest slot is still open.
        #expect(forecast.start == time(698))
        var inside = 0
        var count = 0
        for slot in 700..<800 {
            stream.observe(time: time(slot), value: all[slot])
            for (ahead, point) in stream.forecast().points.enumerated() where slot + ahead < 800 {
                inside += all[slot + ahead] >= point.lower && all[slot + ahead] <= point.upper ? 1 : 0
                count += 1
            }
        }
        #expect((0.90...0.995).contains(Double(inside) / Double(count)))
        #expect(stream.stateBytes < 4096)
    }

    @Test func intervalWidensWithTheNoise() throws {
        let all = values(600) + values(1200, seed: 4, noise: 4)
        var stream = try stream(Array(all[..<600]))
        let before = try #require(stream.forecast().points.last)
        var inside = 0
        for slot in 600..<1800 {
            stream.observe(time: time(slot), value: all[slot])
            if slot >= 1400, let next = stream.forecast().points.first {
                inside += all[slot] >= next.lower && all[slot] <= next.upper ? 1 : 0
            }
        }
        let after = try #require(stream.forecast().points.last)
        #expect(after.upper - after.lower > 2.5 * (before.upper - before.lower))
        #expect((0.88...0.99).contains(Double(inside) / 400))
    }

    @Test func gapsAndLateReadings() throws {
        let all = values(800)
        var stream = try stream(Array(all[..<600]))
        var other = stream
        for slot in 600..<700 {
            stream.observe(time: time(slot), value: all[slot])
            other.observe(time: time(slot), value: all[slot])
            other.observe(time: time(slot - 5), value: 1e6)
            other.observe(time: time(slot), value: .nan)
            other.observe(time: time(slot), value: .infinity)
        }
        #expect(stream.saved() == other.saved())
        // A day of silence keeps the place in the season.
        stream.observe(time: time(748), value: all[748])
        stream.observe(time: time(749), value: all[749])
        let point = try #require(stream.forecast().points.first)
        #expect(point.time == time(749))
        #expect(abs(point.value - 20) < 2)
        stream.observe(time: Timestamp(nanoseconds: .max), value: 1)
        stream.observe(time: Timestamp(nanoseconds: .min), value: 1)
        #expect(stream.forecast().points.allSatisfy { $0.value.isFinite })
    }

    @Test func stateIsRestored() throws {
        let all = values(800)
        var stream = try stream(Array(all[..<600]))
        for slot in 600..<650 { stream.observe(time: time(slot), value: all[slot]) }
        let bytes = stream.saved()
        var again = try ForecastStream(saved: bytes)
        for slot in 650..<800 {
            stream.observe(time: time(slot), value: all[slot])
            again.observe(time: time(slot), value: all[slot])
        }
        #expect(stream.saved() == again.saved())
        #expect(stream.forecast().points == again.forecast().points)
        for length in stride(from: 0, to: bytes.count, by: 13) {
            #expect(throws: TocsinError.self) { try ForecastStream(saved: Array(bytes[..<length])) }
        }
        for place in stride(from: 0, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[place] ^= 0x55
            #expect(throws: TocsinError.self) { try ForecastStream(saved: damaged) }
        }
    }
}
