import Testing
import TocsinCore
import TocsinEngine

@Suite struct SentenceTests {
    private func verdict(
        _ kind: AnomalyKind, value: Double, low: Double = .nan, high: Double = .nan, p: Double = 1e-12
    ) -> Verdict {
        let start = Timestamp(seconds: 1_759_312_800)
        return Verdict(
            sensor: SensorID(0), series: SeriesID(0), kind: kind, detector: .bank, start: start,
            time: start.advanced(by: .seconds(60)), value: value, expectedLow: low, expectedHigh: high, score: 0.9,
            pValue: p, contributions: [Contribution(name: "temperature", share: 0.71)])
    }

    @Test(arguments: [
        (
            AnomalyKind.spike, 98.31, 23.1, 26.8,
            "temperature of s1 jumped to 98.31 °C at 2025-10-01 10:01:00 UTC, expected 23.1 to 26.8 °C (p < 1e-9)"
        ),
        (
            .spike, 3.0, 23.1, 26.8,
            "temperature of s1 dropped to 3 °C at 2025-10-01 10:01:00 UTC, expected 23.1 to 26.8 °C (p < 1e-9)"
        ),
        (
            .stuck, 21.5, .nan, .nan,
            "temperature of s1 has not moved from 21.5 °C since 2025-10-01 10:00:00 UTC (p < 1e-9)"
        ),
        (
            .silence, 312.0, 0.0, 40.0,
            "s1 has sent no temperature since 2025-10-01 10:00:00 UTC (5.2 min of silence, longest normal gap 40 s)"
        ),
        (
            .multivariate, 0.8, .nan, .nan,
            "the readings of temperature of s1 do not fit together at 2025-10-01 10:01:00 UTC; contributing most: temperature 71 % (p < 1e-9)"
        ),
    ])
    func saysWhatWhereSinceWhenAndHowSure(
        kind: AnomalyKind, value: Double, low: Double, high: Double, expected: String
    ) {
        let text = Sentence.text(
            verdict(kind, value: value, low: low, high: high), sensor: "s1", metric: "temperature", unit: "C")
        #expect(text == expected)
    }

    @Test func everyKindHasASentenceThatNamesTheSensor() {
        for kind in AnomalyKind.allCases {
            let text = Sentence.text(verdict(kind, value: 1), sensor: "sensor-x", metric: nil, unit: nil)
            #expect(text.contains("sensor-x"), "\(kind)")
        }
    }

    @Test(arguments: [
        (1234.5678, "1235"), (0.000123456, "0.000123"), (1e-7, "1.0e-7"), (12.0, "12"), (2.5e12, "2.5e12"), (0, "0"),
        (-3.14159, "-3.142"),
    ])
    func numbersAreShortAndReadable(value: Double, expected: String) {
        #expect(Sentence.quantity(value, nil) == expected)
    }

    @Test func valuesThatAreNoNumberDoNotTrap() {
        #expect(Sentence.quantity(.nan, "C") == "no number °C")
        #expect(Sentence.quantity(.infinity, nil) == "no number")
    }
}
