internal import TocsinCore

extension AlarmBook {
    mutating func continueIncident(
        _ key: Key, _ finding: Finding, _ rule: ResolvedRule, _ time: StreamTime
    ) -> BookedFinding {
        guard var entry = entries[key] else { preconditionFailure("went on with an incident that is not booked") }
        let verdict = finding.verdict
        let severity = entry.alarm.severity
        entry.merge(Self.alarm(finding, rule))
        entry.note(time)
        // The rule is the same from verdict to verdict unless the metric is another: then the more patient one holds.
        entry.clearAfter = max(entry.clearAfter, quiet(rule, verdict))
        note(verdict, rule, time.own, in: &entry)
        let step: AlarmChange.Step? =
            if entry.alarm.severity != severity {
                .escalated
            } else {
                entry.alarm.verdicts >= entry.nextUpdate ? .updated : nil
            }
        if step != nil { entry.nextUpdate = Self.doubled(entry.alarm.verdicts) }
        entries[key] = entry
        enqueue(key)
        return BookedFinding(
            place: .incident, alarmID: entry.alarm.id, change: step.map { AlarmChange(step: $0, alarm: entry.alarm) },
            isNews: !verdict.isContinuation)
    }

    /// Raises, reopens, or lets the condition wait until it has held for the rule's on delay.
    mutating func beginIncident(
        _ key: Key, _ finding: Finding, _ rule: ResolvedRule, _ time: StreamTime
    ) -> BookedFinding {
        let verdict = finding.verdict
        let condition = SeriesKind(sensor: verdict.sensor, series: verdict.series, kind: verdict.kind)
        let quiet = quiet(rule, verdict)
        let waiting = removePending(condition)
        var entry: Entry
        if let waiting {
            entry = waiting.entry
            entry.merge(Self.alarm(finding, rule))
            entry.note(time)
        } else {
            entry = Entry(
                alarm: Self.alarm(finding, rule), source: time.source, lastProgress: time.own, nextUpdate: 2,
                clearAfter: quiet)
        }
        let held = verdict.time.since(min(verdict.start, entry.alarm.raised))
        guard verdict.kind == .fire || held >= rule.onDelay else {
            entry.watch = Watch(verdict, deadBand: rule.deadBand)
            let id = entries[key]?.alarm.id ?? entry.alarm.id
            addPending(condition, Pending(entry: entry, patience: Self.patience(rule.onDelay, quiet)))
            return BookedFinding(
                place: .pending, alarmID: id, change: nil, isNews: !verdict.isContinuation || waiting == nil)
        }
        entry.watch = nil
        entry.queued = Timestamp(nanoseconds: .max)
        entry.nextUpdate = Self.doubled(entry.alarm.verdicts)
        if var old = entries[key] {
            let severity = old.alarm.severity
            old.merge(entry.alarm)
            old.alarm.state = .open
            old.alarm.cleared = nil
            old.note(time)
            old.nextUpdate = Self.doubled(old.alarm.verdicts)
            old.clearAfter = Self.moreQuiet(old.clearAfter, than: quiet)
            entry = old
            entry.lastHeld = nil
            note(verdict, rule, time.own, in: &entry)
            entries[key] = entry
            enqueue(key)
            // Worse than when it was over: told also to those who hear of critical ones only.
            let step: AlarmChange.Step = entry.alarm.severity == severity ? .reopened : .escalated
            return BookedFinding(
                place: .incident, alarmID: entry.alarm.id, change: AlarmChange(step: step, alarm: entry.alarm),
                isNews: true)
        }
        note(verdict, rule, time.own, in: &entry)
        entries[key] = entry
        keys[entry.alarm.id] = key
        enqueue(key)
        return BookedFinding(
            place: .incident, alarmID: entry.alarm.id, change: AlarmChange(step: .raised, alarm: entry.alarm),
            isNews: true)
    }

    /// How long nothing must be heard of a condition until it is over: what a rule says, else `clearAfter`, else, where the
    /// series is read more seldom, some of its own intervals: two readings in a row are one incident at any pace.
    private func quiet(_ rule: ResolvedRule, _ verdict: Verdict) -> Span64 {
        rule.fields.offDelay ?? max(settings.clearAfter, verdict.quiet)
    }

    /// Long enough for a condition that repeats, too short for two that have nothing to do with each other.
    private static func patience(_ onDelay: Span64, _ quiet: Span64) -> Span64 {
        let (twice, overflow) = onDelay.nanoseconds.multipliedReportingOverflow(by: 2)
        return max(Span64(nanoseconds: overflow ? .max : twice), quiet)
    }

    private static func moreQuiet(_ now: Span64, than base: Span64) -> Span64 {
        let (twice, twiceOverflow) = now.nanoseconds.multipliedReportingOverflow(by: 2)
        let (most, mostOverflow) = base.nanoseconds.multipliedReportingOverflow(by: 8)
        return max(
            base,
            min(Span64(nanoseconds: twiceOverflow ? .max : twice), Span64(nanoseconds: mostOverflow ? .max : most)))
    }

    /// The incident that a finding alone would be.
    static func alarm(_ finding: Finding, _ rule: ResolvedRule) -> Alarm {
        let verdict = finding.verdict
        // A condition that outlives its incident raises another one, not the same once more.
        let start = verdict.isContinuation ? verdict.time : verdict.start
        var hash = StableHash()
        hash.combine(finding.sensor)
        hash.combine(UInt64(verdict.kind.rawValue))
        hash.combine(UInt64(bitPattern: start.nanoseconds))
        return Alarm(
            id: hash.hex, sensor: finding.sensor, metric: finding.metric, kind: verdict.kind, state: .open,
            severity: rule.fields.severity ?? severity(of: verdict), raised: start, lastSeen: verdict.time,
            verdicts: 1, score: verdict.score, pValue: verdict.pValue, sentence: finding.sentence)
    }

    /// Fire and values outside the valid range are critical; so is a spike more than two widths of its band away.
    static func severity(of verdict: Verdict) -> Alarm.Severity {
        switch verdict.kind {
        case .fire, .range: return .critical
        case .spike:
            let width = verdict.expectedHigh - verdict.expectedLow
            let excess = max(verdict.value - verdict.expectedHigh, verdict.expectedLow - verdict.value)
            return width.isFinite && excess > 2 * width ? .critical : .warning
        default: return .warning
        }
    }
}
