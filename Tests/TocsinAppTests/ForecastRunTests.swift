import Testing
import TocsinCore
import TocsinJobs

@Suite struct ForecastRunTests {
    private let times = (0..<400).map { (place: Int) in
        Timestamp(seconds: 1_700_000_100).advanced(by: .seconds(300 * Int64(place)))
    }

    /// Two degrees an hour, with a small wobble.
    private func report(limit: Double?, unit: String = "°C") throws -> ForecastReport {
        var values: [Double] = []
        for place in 0..<400 {
            let wobble = Double(place * 7 % 5)
            values.append(Double(place) / 6 + wobble / 10)
        }
        return try ForecastRun(.init(name: "bearing", horizon: .hours(6), limit: limit, unit: unit))
            .run(times: times, values: values)
    }

    @Test func textSaysWhenTheLimitIsReached() throws {
        let report = try report(limit: 72)
        let sentence = try #require(report.sentence)
        #expect(sentence.hasPrefix("bearing reaches 72 °C in about 2."))
        let text = report.text()
        #expect(text.hasPrefix("bearing: 400 values every 5 min, the last at 2023-11-16T07:30:00Z\n"))
        #expect(text.hasSuffix(sentence + "\n"))
        #expect(text.split(separator: "\n").count == 2 + 1 + 12 + 2)
        #expect(report.csv().split(separator: "\n").count == 73)
        #expect(try self.report(limit: nil).sentence == nil)
    }

    @Test func jsonIsWhole() throws {
        var json = JSONWriter()
        try report(limit: 1000).write(to: &json)
        let text = String(decoding: json.bytes, as: UTF8.self)
        #expect(text.contains(#""limit":{"value":1000,"side":"above","sentence":"bearing stays below 1000 °C"#))
        #expect(text.contains(#""expected_seconds":null"#))
        #expect(text.contains(#""points":[{"time":"2023-11-16T07:35:00Z","expected":"#))
    }

    @Test func badInputIsToldApart() {
        #expect(throws: TocsinError.self) {
            try ForecastRun(.init(name: "x", horizon: Span64(nanoseconds: 0))).run(
                times: times, values: times.map(\.seconds))
        }
        #expect(throws: TocsinError.self) {
            try ForecastRun(.init(name: "x", horizon: .hours(1))).run(times: [], values: [])
        }
        #expect(throws: TocsinError.self) {
            try ForecastRun(.init(name: "x", horizon: .days(30))).run(times: times, values: times.map(\.seconds))
        }
    }
}
