internal import TocsinChart
public import TocsinCore

extension Explanation {
    private static let barWidth = 32
    private static let listed = 5

    /// For a terminal: at most some forty lines.
    public var text: String {
        var lines = [anomaly.sentence.printable, ""]
        lines += facts
        for (title, part) in [
            ("What contributed", contributionLines), (stretchTitle, stretchLines),
            ("The metrics of \(anomaly.sensor.printable)", movementLines),
            ("Other sensors", neighbourLines), ("Earlier", earlierLines),
            ("Also on this sensor within the view", aroundLines),
        ] where !part.isEmpty {
            lines += ["", title] + part
        }
        return lines.joined(separator: "\n")
    }

    private var facts: [String] {
        let unit = anomaly.metric == nil || anomaly.kind == .silence ? nil : main?.unit
        var facts: [(String, String)] = [("anomaly", "\(anomaly.id), \(anomaly.kind.name)")]
        let length = anomaly.time.since(anomaly.start)
        let since = length.nanoseconds > 0 ? ", began \(Wording.duration(length)) earlier" : ""
        facts.append(("found", Wording.clock(anomaly.time) + since))
        facts.append(("detector", Wording.detector(anomaly.detector)))
        if let model {
            let origin = model.origin == .trained ? "trained" : "learned"
            facts.append(
                (
                    "model",
                    "\(model.name.printable), version \(model.version), \(origin) \(Wording.clock(model.created))"
                ))
        } else {
            facts.append(("model", "\(anomaly.model.printable), learns as it goes (no saved version)"))
        }
        facts.append(("score", Wording.score(anomaly.score)))
        facts.append(("p-value", "\(NumberText.short(anomaly.pValue)), \(Wording.odds(anomaly.pValue))"))
        if anomaly.value.isFinite, anomaly.metric != nil {
            facts.append((Wording.valueName(anomaly.kind), Wording.quantity(anomaly.value, unit)))
        }
        if let expected = expected(unit) { facts.append(("expected", expected)) }
        if let note = anomaly.note { facts.append(("note", note.printable)) }
        if let alarm { facts += self.facts(of: alarm) }
        let width = facts.map(\.0.count).max() ?? 0
        return facts.map { $0.0 + String(repeating: " ", count: width + 2 - $0.0.count) + $0.1 }
    }

    private func facts(of alarm: Alarm) -> [(String, String)] {
        let findings = alarmFindings == 1 ? "1 finding" : "\(alarmFindings) findings"
        let cleared = alarm.cleared.map { "cleared \(Wording.clock($0))" } ?? "open"
        let raised = "raised \(Wording.clock(alarm.raised))"
        var facts = [("alarm", "\(alarm.id), \(alarm.severity.rawValue), \(raised), \(cleared), \(findings)")]
        if let summary = alarm.summary { facts.append(("summary", "told as part of alarm \(summary.printable)")) }
        if let cause = alarm.cause { facts.append(("cause", cause.printable)) }
        if let feedback {
            let word =
                switch feedback.word {
                case .real: "worth telling"
                case .falseAlarm: "nothing was wrong"
                case .expected: "expected"
                }
            let note = feedback.note.map { ": \($0.printable)" } ?? ""
            facts.append(("people said", "\(word)\(note) (\(Wording.clock(feedback.given)))"))
        }
        return facts
    }

    private func expected(_ unit: String?) -> String? {
        let (low, high) = (anomaly.expectedLow, anomaly.expectedHigh)
        var text: String
        switch (low.isFinite, high.isFinite) {
        case (true, true): text = "\(NumberText.short(low)) to \(Wording.quantity(high, unit))"
        case (true, false): text = "at least \(Wording.quantity(low, unit))"
        case (false, true): text = "at most \(Wording.quantity(high, unit))"
        case (false, false): return nil
        }
        if let excess = Wording.excess(anomaly) { text += ": \(excess)" }
        return text
    }

    private var contributionLines: [String] {
        let greatest = anomaly.contributions.map(\.share).filter(\.isFinite).max() ?? 0
        guard greatest > 0 else { return [] }
        let shown = anomaly.contributions.prefix(10)
        let names = shown.map(\.name.printable)
        let width = names.map(\.count).max() ?? 0
        return zip(names, shown).map { name, contribution in
            let share = contribution.share.isFinite ? min(max(contribution.share, 0), 1) : 0
            let bar = Int((share / greatest * Double(Self.barWidth)).rounded())
            let space = String(repeating: " ", count: width - name.count)
            return "  \(name)\(space)  \(String(repeating: "█", count: max(1, min(bar, Self.barWidth)))) "
                + "\(NumberText.fixed(share * 100, 0)) %"
        }
    }

    private var stretchTitle: String {
        guard let main else { return "" }
        let source =
            switch main.origin {
            case .readings: "readings"
            case .windows(let size): "windows of \(Wording.duration(size)); the store has no readings of that time"
            }
        return "\(main.title.printable) before, during and after (\(source))"
    }

    private var stretchLines: [String] {
        guard !stretches.isEmpty else { return [] }
        var table = TextColumns()
        table.add(["", "for", "mean", "lowest", "highest", "count"])
        for stretch in stretches {
            table.add([
                stretch.part.rawValue, Wording.duration(stretch.end.since(stretch.start)),
                NumberText.short(stretch.mean), NumberText.short(stretch.minimum), NumberText.short(stretch.maximum),
                NumberText.fixed(Double(stretch.count), 0),
            ])
        }
        return table.lines
    }

    private var movementLines: [String] {
        guard movements.count > 1 else { return [] }
        var table = TextColumns()
        table.add(["", "before", "then", "moved by", "since"])
        for movement in movements.prefix(8) {
            let sign = movement.distance > 0 ? "+" : ""
            let isHuge = abs(movement.distance) >= 99
            let distance = isHuge ? "99 and more" : "\(sign)\(NumberText.fixed(movement.distance, 1))"
            let moved = movement.isRemarkable ? "\(distance) sd" : "steady"
            table.add([
                movement.metric.printable, NumberText.short(movement.before),
                Wording.quantity(movement.during, movement.unit), moved,
                movement.isRemarkable ? movement.began.map { Wording.timeOfDay($0) } ?? "-" : "-",
            ])
        }
        var lines = table.lines
        if movements.count > 8 { lines.append("  and \(movements.count - 8) more") }
        if let sentence = firstMoved { lines.append("  \(sentence)") }
        return lines
    }

    /// Which metric moved first; nil where only one moved.
    public var firstMoved: String? {
        let moved = movements.filter { $0.isRemarkable && $0.began != nil }
            .sorted { ($0.began ?? anomaly.time, $0.metric) < ($1.began ?? anomaly.time, $1.metric) }
        guard let first = moved.first, let second = moved.dropFirst().first, let start = first.began,
            let next = second.began
        else { return nil }
        let lead = next.since(start)
        if lead.nanoseconds == 0 {
            return "\(first.metric.printable) and \(second.metric.printable) moved at the same time."
        }
        return "\(first.metric.printable) moved first, \(Wording.duration(lead)) before \(second.metric.printable)."
    }

    private var neighbourLines: [String] {
        guard let neighbours, neighbours.count > 0 else { return [] }
        let unit = main?.unit
        let what = neighbours.statistic.map { "\($0.name) of the window" } ?? "reading"
        let all = neighbours.count + 1
        let range =
            "\(NumberText.short(neighbours.others.lowQuartile)) to \(NumberText.short(neighbours.others.highQuartile))"
        let others =
            neighbours.count == 1
            ? "the one other sensor reads \(Wording.quantity(neighbours.others.median, unit))"
            : "the median of \(neighbours.count) others is \(Wording.quantity(neighbours.others.median, unit)), "
                + "their middle half \(range)"
        var lines = [
            "  \(what.replacing("_", with: " ")): \(Wording.quantity(neighbours.value, unit)) here, rank "
                + "\(neighbours.rank) of \(all) from the top; \(others)"
        ]
        if neighbours.movedOf > 0 {
            let moved =
                neighbours.moved == 0
                ? "none of \(neighbours.movedOf) others left its own past range: the cause is likely here"
                : "\(neighbours.moved) of \(neighbours.movedOf) others left their own past range as well"
                    + (neighbours.moved * 2 >= neighbours.movedOf ? ": a common cause is likely" : "")
            lines.append("  \(moved)")
        }
        if !neighbours.alsoFound.isEmpty {
            let names = neighbours.alsoFound.prefix(Self.listed).map(\.printable).joined(separator: ", ")
            let rest = neighbours.alsoFound.count - min(neighbours.alsoFound.count, Self.listed)
            lines.append("  findings on the same metric then: \(names)" + (rest > 0 ? " and \(rest) more" : ""))
        }
        return lines
    }

    private var earlierLines: [String] {
        let what =
            "\(anomaly.kind.name) on \(anomaly.metric.map { "\($0.printable) of " } ?? "")\(anomaly.sensor.printable)"
        guard let latest = earlier.first else { return ["  no \(what) in the store before this one"] }
        let ago = Wording.duration(anomaly.time.since(latest.time))
        var lines = ["  \(earlier.count) × \(what) before this one, the last \(ago) earlier"]
        lines += earlier.prefix(Self.listed).map(Self.line)
        return lines
    }

    /// By kind and metric, the nearest of each; those like this one stand under `Earlier`.
    private var aroundLines: [String] {
        var groups: [String: [Anomaly]] = [:]
        for other in around where other.kind != anomaly.kind || other.metric != anomaly.metric {
            groups["\(other.kind.name)\(other.metric.map { " on \($0.printable)" } ?? "")", default: []].append(other)
        }
        func distance(_ other: Anomaly) -> UInt64 { other.time.since(anomaly.time).nanoseconds.magnitude }
        let nearest = groups.compactMap { name, list in
            list.min { distance($0) != distance($1) ? distance($0) < distance($1) : $0.id < $1.id }
                .map { (name: name, count: list.count, anomaly: $0) }
        }.sorted { (distance($0.anomaly), $0.name) < (distance($1.anomaly), $1.name) }
        return nearest.prefix(8).map { group in
            let span = group.anomaly.time.since(anomaly.time)
            let when =
                span.nanoseconds == 0
                ? "at the same time" : "\(Wording.duration(span)) \(span.nanoseconds < 0 ? "before" : "after")"
            return "  \(group.count) × \(group.name), the nearest \(when): \(group.anomaly.id)"
        }
    }

    /// One line of a listing.
    public static func line(_ anomaly: Anomaly) -> String {
        "  \(anomaly.id)  \(Wording.clock(anomaly.time))  \(anomaly.sentence.printable)"
    }
}
