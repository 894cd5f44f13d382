internal import TocsinCore

/// What a template can name in braces.
public enum AlertField: String, CaseIterable, Sendable {
    case title, status, step, severity, kind, sensor, metric, zone, sentence, cause, why, raised, cleared
    case lastSeen = "last_seen"
    case duration, verdicts, score
    case pValue = "p_value"
    case value, expected
    case valueTime = "value_time"
    case id, summary, person, comment, note, link, time, count, list

    /// One line for the documentation.
    public var meaning: String {
        switch self {
        case .title: "the default title: `CRITICAL: spike on sensor_1 (temperature)`"
        case .status: "`WARNING`, `CRITICAL`, `Now CRITICAL`, `Again`, `Cleared`, `Acknowledged`, …"
        case .step: "`raised`, `reopened`, `escalated`, `cleared`, `acknowledged`, …; `digest` for a list"
        case .severity: "`info`, `warning`, `critical`"
        case .kind:
            "`spike`, `drift`, `stuck`, `noise`, `silence`, `range`, `pattern`, `multivariate`, `fire`, `system`"
        case .sensor: "the sensor's name"
        case .metric: "the metric, or nothing where the whole sensor is meant"
        case .zone: "the sensor's zone, or nothing"
        case .sentence: "what, where, since when, how sure, in one sentence"
        case .cause: "the likely first cause, or nothing"
        case .why: "the cause, or else score, p-value and number of verdicts"
        case .raised: "when it began, `2025-10-01 10:00:00 UTC`"
        case .cleared: "when it ended, or nothing"
        case .lastSeen: "when it was last seen"
        case .duration: "from beginning to end, or to when it was last seen: `12 min`"
        case .verdicts: "how many verdicts it groups"
        case .score: "highest score, 0 to 1"
        case .pValue: "lowest p-value"
        case .value: "the last value with its unit, where known"
        case .expected: "the band that is expected of it, `24.1 to 26.2 °C`, where known"
        case .valueTime: "when that was measured"
        case .id: "the alarm's id, 16 hex digits"
        case .summary: "the id of the summary it belongs to, or nothing"
        case .person: "who acknowledged or commented, or nothing"
        case .comment: "what they said, or nothing"
        case .note: "why it comes here now (escalation, held back before), or nothing"
        case .link: "the page with chart and alarm, or nothing"
        case .time: "when the message was put together"
        case .count: "1, or the number of steps in a list"
        case .list: "the lines of a list; the sentence of a single alarm"
        }
    }
}

extension AlertMessage {
    /// The text of a field, unescaped.
    public func text(of field: AlertField) -> String {
        let alarm = change?.alarm
        return switch field {
        case .title: title
        case .status: status
        case .step: change?.step.rawValue ?? (changes.isEmpty ? "open" : "digest")
        case .severity: severity.name
        case .kind: alarm?.kind.name ?? ""
        case .sensor: alarm?.sensor.printable ?? ""
        case .metric: alarm?.metric?.printable ?? ""
        case .zone: details.zone?.printable ?? ""
        case .sentence: alarm?.sentence.printable ?? ""
        case .cause: alarm?.cause?.printable ?? ""
        case .why: alarm.map(Self.why) ?? ""
        case .raised: alarm.map { Self.clock($0.raised) } ?? ""
        case .cleared: alarm?.cleared.map(Self.clock) ?? ""
        case .lastSeen: alarm.map { Self.clock($0.lastSeen) } ?? ""
        case .duration: alarm.map(Self.length) ?? ""
        case .verdicts: alarm.map { String($0.verdicts) } ?? ""
        case .score: alarm.map { Self.digits($0.score) } ?? ""
        case .pValue: alarm.map { Self.digits($0.pValue) } ?? ""
        case .value: details.value?.printable ?? ""
        case .expected: details.expected?.printable ?? ""
        case .valueTime: details.valueTime.map(Self.clock) ?? ""
        case .id: alarm?.id ?? incident
        case .summary: alarm?.summary ?? ""
        case .person: person?.printable ?? ""
        case .comment: details.comment?.printable ?? ""
        case .note: note ?? ""
        case .link: link ?? ""
        case .time: Self.clock(time)
        case .count: String(changes.count)
        case .list: lines.joined(separator: "\n")
        }
    }
}
