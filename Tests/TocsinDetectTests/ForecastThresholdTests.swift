import Testing
import TocsinCore
import TocsinDetect

private let start = Timestamp(seconds: 1_700_000_000)

/// Five-minute values that rise (or fall) by `slope` an hour, with a little noise.
private func ramp(slope: Double, from level: Double, seed: UInt64 = 9) throws -> Forecaster {
    var noise = Noise(seed: seed)
    let values = (0..<400).map { level + slope * Double($0) / 12 + 0.3 * noise.next() }
    return try Forecaster(
        RegularSeries(start: start, step: .minutes(5), values: values), horizon: .hours(6))
}

@Suite struct ForecastThresholdTests {
    @Test func rampReachesTheLimitInTime() throws {
        // 66.6 at the end of 33.3 hours; 70 is 1.7 h further.
        let crossing = try ramp(slope: 2, from: 0).forecast().crossing(of: 70, .above)
        let expected = try #require(crossing.expected)
        #expect(abs(expected.seconds / 3600 - 1.75) < 0.4)
        let earliest = try #require(crossing.earliest)
        let latest = try #require(crossing.latest)
        #expect(earliest < expected && expected < latest)
        let sentence = crossing.sentence(unit: "°C")
        #expect(sentence.hasPrefix("reaches 70 °C in about 1."))
        #expect(sentence.hasSuffix(")"))
    }

    @Test func fallsBelow() throws {
        let forecast = try ramp(slope: -2, from: 100).forecast()
        let below = forecast.crossing(of: 30, .below)
        let expected = try #require(below.expected).seconds / 3600
        #expect(abs(expected - 1.75) < 0.4)
        #expect(forecast.crossing(of: 100, .above).expected == nil)
    }

    @Test func farLimitsAreNotReached() throws {
        let crossing = try ramp(slope: 0, from: 20).forecast().crossing(of: 80, .above)
        #expect(crossing.expected == nil && crossing.earliest == nil && crossing.latest == nil)
        #expect(crossing.sentence(unit: "°C") == "stays below 80 °C for the next 6 h with 95 % confidence")
        let near = try ramp(slope: 0, from: 20).forecast().crossing(of: 20.2, .above)
        #expect(near.earliest != nil && near.expected == nil)
        #expect(near.sentence().hasPrefix("is not expected to reach 20.2 within 6 h, but may as soon as in "))
    }

    @Test func wordsOfGivenForecasts() {
        func points(_ values: [Double]) -> [Forecast.Point] {
            values.enumerated().map { place, value in
                Forecast.Point(
                    time: start.advanced(by: .hours(Int64(place) + 1)), value: value, lower: value - 10,
                    upper: value + 10)
            }
        }
        let forecast = Forecast(start: start, startValue: 60, points: points([65, 75, 85, 95]), coverage: 0.9)
        #expect(
            forecast.crossing(of: 80, .above).sentence(unit: "°C") == "reaches 80 °C in about 2.5 h (1.5 h to 3.5 h)")
        #expect(
            forecast.crossing(of: 90, .above).sentence() == "reaches 90 in about 3.5 h (2.5 h at the earliest)")
        #expect(forecast.crossing(of: 60, .above).isReached)
        #expect(forecast.crossing(of: 60, .above).sentence() == "is at 60 or above already")
        #expect(forecast.crossing(of: 50, .below).sentence() == "stays above 50 for the next 4 h with 90 % confidence")
        let empty = Forecast(start: start, startValue: .nan, points: [], coverage: 0.95)
        #expect(empty.crossing(of: 1, .above).expected == nil)
    }
}
