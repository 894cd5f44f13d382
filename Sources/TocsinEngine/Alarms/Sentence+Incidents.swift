internal import TocsinCore

// The sentences of what happens to incidents: summaries, maintenance, the new normal.

extension Sentence {
    /// "…; unchanged for 6 h, taken as the new normal"
    static func newNormal(_ sentence: String, after: Span64) -> String {
        "\(sentence); unchanged for \(duration(after.seconds)), taken as the new normal"
    }

    /// "… (no alarm: maintenance, oil change)"
    static func marked(_ sentence: String, _ reason: String) -> String { "\(sentence) (no alarm: \(reason))" }

    /// "drift of temperature of pump_3"
    static func short(_ kind: AnomalyKind, sensor: String, metric: String?) -> String {
        let word = kind == .range ? "value out of range" : kind == .stuck ? "stuck value" : kind.name
        return "\(word) of \(metric.map { "\($0) of \(sensor)" } ?? sensor)"
    }

    /// "14 incidents on 9 sensors since 2025-10-01 10:02:00 UTC: drift of temperature of pump_3 first, then spike of
    /// pressure of pump_3, silence of pump_5 and 11 more"; "12 critical of 14 incidents on …" where there are such.
    static func flood(_ total: Int, criticals: Int, sensors: Int, since: Timestamp, first: [String]) -> String {
        let incidents =
            switch criticals {
            case ...0: count(total, "incident")
            case total...: count(total, "critical incident")
            default: "\(criticals) critical of \(count(total, "incident"))"
            }
        return "\(incidents) on \(count(sensors, "sensor")) since \(clock(since))\(list(first, of: total))"
    }

    /// "budget of 3 alarms a day for pump_3 exceeded: 5 more on 1 sensor since …: …"
    static func budget(
        _ budget: Int, asset: String, more: Int, sensors: Int, since: Timestamp, first: [String]
    ) -> String {
        "budget of \(count(budget, "alarm")) a day for \(asset) exceeded: \(more) more on "
            + "\(count(sensors, "sensor")) since \(clock(since))\(list(first, of: more))"
    }

    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private static func list(_ first: [String], of total: Int) -> String {
        guard let leader = first.first else { return "" }
        let followers = first.dropFirst().prefix(2)
        let rest = total - 1 - followers.count
        var text = ": \(leader)" + (total > 1 ? " first" : "")
        if !followers.isEmpty { text += ", then " + followers.joined(separator: ", ") }
        if rest > 0 { text += " and \(rest) more" }
        return text
    }
}
