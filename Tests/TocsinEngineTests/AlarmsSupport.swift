import TocsinCore
import TocsinEngine

/// Findings as the joiner makes them, on a time line that begins on Thursday 2025-10-09 00:00 UTC.
struct AlarmScene {
    static let start = Timestamp(seconds: 1_759_968_000)

    static func at(_ seconds: Double) -> Timestamp {
        start.advanced(by: .nanoseconds(Int64((seconds * 1e9).rounded())))
    }

    static func finding(
        _ kind: AnomalyKind = .drift, sensor: UInt32 = 1, name: String? = nil, series: UInt32? = nil,
        metric: String = "temperature", at seconds: Double, since: Double? = nil, score: Double = 0.6,
        value: Double = 12, low: Double = 0, high: Double = 10, isContinuation: Bool = false
    ) -> Finding {
        let verdict = Verdict(
            sensor: SensorID(sensor), series: SeriesID(series ?? sensor), kind: kind, detector: .bank,
            start: at(since ?? seconds), time: at(seconds), value: value, expectedLow: low, expectedHigh: high,
            score: score, pValue: 1e-8, isContinuation: isContinuation)
        return Finding(
            verdict: verdict, sensor: name ?? "pump_\(sensor)", metric: metric, sentence: "finding \(score)")
    }
}

extension AlarmDesk {
    /// Advances to the finding's time and books it, as the joiner does.
    mutating func take(_ finding: Finding, rule: ResolvedRule = .standard) -> [AlarmNotice] {
        let now = finding.verdict.time
        return advance(to: now) + book(finding, rule: rule, progress: now).notices
    }

    /// A new desk from this one's saved bytes.
    func reborn(settings: AlarmSettings, calendar: AlarmCalendar = AlarmCalendar()) -> AlarmDesk? {
        var writer = StateWriter()
        save(to: &writer)
        var desk = AlarmDesk(settings: settings, calendar: calendar, assets: assets)
        var reader = StateReader(writer.bytes)
        guard desk.restore(from: &reader), reader.isAtEnd else { return nil }
        return desk
    }
}

extension AlarmNotice {
    /// Everything that can be seen of it.
    var line: String {
        var json = JSONWriter()
        json.value(change)
        return "\(isTold) \(summaryID ?? "-") " + String(decoding: json.bytes, as: UTF8.self)
    }
}
