internal import TocsinCore

// The default words: short enough for a telephone, complete enough to act on.

/// A label and its text, for channels that show facts in a table.
struct AlertFact: Sendable, Equatable {
    var label: String
    var text: String
}

extension AlertMessage {
    /// "CRITICAL: spike on sensor_1 (temperature)"
    public var title: String {
        let test = isTest ? "TEST: " : ""
        switch content {
        case .change(let change): return "\(test)\(status): \(Self.subject(change.alarm))"
        case .digest(let changes, let hold):
            let alarms = Set(changes.map(\.alarm.id)).count
            return "\(test)\(severity.name.uppercased()): \(alarms) alarm\(alarms == 1 ? "" : "s") held back "
                + "(\(hold.rawValue))"
        case .open(let alarms): return "\(alarms.count) open alarm\(alarms.count == 1 ? "" : "s")"
        }
    }

    /// The step as a word of its own.
    var status: String { change.map(Self.status) ?? severity.name.uppercased() }

    /// "spike on sensor_1 (temperature)": the same for every step of an incident.
    static func subject(_ alarm: Alarm) -> String {
        if alarm.kind == .system { return "trouble in Tocsin (\(SystemAlerts.subject(alarm).printable))" }
        return "\(alarm.kind.name) on \(alarm.sensor.printable)" + (alarm.metric.map { " (\($0.printable))" } ?? "")
    }

    static func status(_ change: AlarmChange) -> String {
        let severity = AlertSeverity(change.alarm.severity).name.uppercased()
        switch change.step {
        case .raised: return severity
        case .escalated: return "Now \(severity)"
        case .reopened: return "\(severity) again"
        case .cleared: return "Cleared"
        case .unshelved: return "\(severity), no longer shelved"
        case .inService: return "\(severity), back in service"
        case .outOfService: return "Out of service"
        default:
            let word = change.step.rawValue
            return word.prefix(1).uppercased() + word.dropFirst()
        }
    }

    /// What a person reads first below the title.
    public var lead: String {
        guard let change else { return lines.joined(separator: "\n") }
        let sentence = change.alarm.sentence.printable
        switch change.step {
        case .cleared: return "Over after \(Self.length(change.alarm)): \(sentence)"
        case .raised, .reopened, .escalated, .unshelved, .inService: return sentence
        default:
            guard let person = person?.printable else { return sentence }
            return "by \(person)\(details.comment.map { " (\($0.printable))" } ?? ""): \(sentence)"
        }
    }

    /// What, where, since when, why; without what is not known.
    var facts: [AlertFact] {
        guard let alarm = change?.alarm else { return [] }
        var facts = [
            AlertFact(
                label: "Where",
                text: [text(of: .sensor), text(of: .metric)].filter { !$0.isEmpty }.joined(separator: ", ")),
            AlertFact(label: "Since", text: Self.clock(alarm.raised)),
            AlertFact(label: "Severity", text: severity.name),
            AlertFact(label: "Why", text: Self.why(alarm)),
        ]
        func add(_ label: String, _ text: String?) {
            if let text, !text.isEmpty { facts.append(AlertFact(label: label, text: text)) }
        }
        add("Zone", details.zone?.printable)
        add("Value", valueLine)
        add("Cleared", alarm.cleared.map(Self.clock))
        add("Note", note)
        add("Alarm", alarm.id)
        // Receivers refuse a fact without words.
        return facts.map { AlertFact(label: $0.label, text: $0.text.unlessBlank ?? "-") }
    }

    /// "98.3 °C, expected 24.1 to 26.2 °C, at 2025-10-01 10:00:00 UTC"
    private var valueLine: String? {
        guard let value = details.value else { return nil }
        let expected = details.expected.map { ", expected \($0)" } ?? ""
        return (value + expected).printable + (details.valueTime.map { ", at \(Self.clock($0))" } ?? "")
    }

    /// One line for each step it tells, the most urgent first, else in order: nothing is left out.
    var lines: [String] {
        let ordered = changes.enumerated().sorted { left, right in
            let (a, b) = (AlertSeverity(left.element.alarm.severity), AlertSeverity(right.element.alarm.severity))
            return a == b ? left.offset < right.offset : a > b
        }
        guard ordered.count > 1 || change == nil else { return [text(of: .sentence)] }
        return ordered.map {
            "\(Self.clock($0.element.alarm.raised)) \(Self.status($0.element)): \($0.element.alarm.sentence.printable)"
        }
    }

    /// As many lines as fit, and how many more there are: what does not fit is counted.
    func list(bytes limit: Int, escape: (String) -> String = { $0 }) -> String {
        let lines = lines.map(escape)
        var text = ""
        for (index, line) in lines.enumerated() {
            let rest = "… and \(lines.count - index) more" + (link.map { ": \($0)" } ?? "")
            guard text.utf8.count + line.utf8.count + rest.utf8.count + 2 <= limit else {
                return index == 0 && lines.count == 1 ? line.cut(toBytes: limit) : text + rest
            }
            text += (text.isEmpty ? "" : "\n") + line
            if index == lines.count - 1 { return text }
            if text.utf8.count + rest.utf8.count + 2 > limit { return text + "\n" + rest }
        }
        return text
    }

    static func why(_ alarm: Alarm) -> String {
        if let cause = alarm.cause { return cause.printable }
        return "score \(digits(alarm.score)), p \(digits(alarm.pValue)), \(alarm.verdicts) "
            + (alarm.verdicts == 1 ? "verdict" : "verdicts")
    }

    /// `2025-10-01 10:00:00 UTC`
    static func clock(_ time: Timestamp) -> String {
        let whole = Timestamp(nanoseconds: time.nanoseconds - (time.nanoseconds % 1_000_000_000))
        return whole.iso8601.replacing("T", with: " ").replacing("Z", with: " UTC")
    }

    static func length(_ alarm: Alarm) -> String {
        let seconds = Int64(max(0, (alarm.cleared ?? alarm.lastSeen).since(alarm.raised).seconds.rounded()))
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    /// Three significant digits.
    static func digits(_ number: Double) -> String {
        guard number.isFinite else { return "-" }
        guard number != 0 else { return "0" }
        var exponent = 0
        var scaled = abs(number)
        while scaled >= 10 { (scaled, exponent) = (scaled / 10, exponent + 1) }
        while scaled < 1 { (scaled, exponent) = (scaled * 10, exponent - 1) }
        if exponent >= -3, exponent < 6 {
            let power = [1, 10, 100, 1000, 10_000, 100_000][max(0, min(5, 2 - exponent))]
            let rounded = (number * Double(power)).rounded() / Double(power)
            return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : "\(rounded)"
        }
        let sign = number < 0 ? "-" : ""
        var mantissa = (scaled * 10).rounded() / 10
        if mantissa >= 10 { (mantissa, exponent) = (1, exponent + 1) }
        return "\(sign)\(mantissa == mantissa.rounded() ? String(Int(mantissa)) : "\(mantissa)")e\(exponent)"
    }
}

extension String {
    /// At most so many bytes of UTF-8, whole characters, with an ellipsis where something is missing.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var result = ""
        for character in self {
            guard result.utf8.count + character.utf8.count + 3 <= limit else { break }
            result.append(character)
        }
        return result + "…"
    }

    /// As `cut(toBytes:)`, in characters as chat programs count them (UTF-16).
    func cut(to limit: Int) -> String {
        guard utf16.count > limit else { return self }
        var result = ""
        var count = 0
        for character in self {
            let more = character.utf16.count
            guard count + more + 1 <= limit else { break }
            result.append(character)
            count += more
        }
        return result + "…"
    }
}
