internal import TocsinCore

// From verdicts to anomalies and alarm changes.
extension Joiner {
    mutating func book(_ verdict: Verdict, at time: StreamTime, into outcome: inout BatchOutcome) {
        let sensor = names.sensorNames[Int(verdict.sensor.index)]
        let metric = verdict.series.map { names.metricName(of: $0) }
        let unit = verdict.series.flatMap { names.unit(of: $0) }
        let sentence = Sentence.text(verdict, sensor: sensor, metric: metric, unit: unit)
        let finding = Finding(verdict: verdict, sensor: sensor, metric: metric, sentence: sentence)
        let rule = rules.rule(of: verdict, sensor: sensor, metric: metric)
        let booking = desk.book(finding, rule: rule, at: time)
        note(booking.notices, of: verdict, into: &outcome)
        guard booking.isNews else { return }
        var hash = StableHash()
        hash.combine(sensor)
        hash.combine(metric ?? "")
        hash.combine(UInt64(bitPattern: verdict.time.nanoseconds))
        hash.combine(UInt64(verdict.kind.rawValue) << 8 | UInt64(verdict.detector.rawValue))
        outcome.anomalies.append(
            Anomaly(
                id: hash.hex, alarmID: booking.alarmID, sensor: sensor, metric: metric, kind: verdict.kind,
                detector: verdict.detector, model: verdict.detector.name, start: verdict.start, time: verdict.time,
                value: verdict.value, expectedLow: verdict.expectedLow, expectedHigh: verdict.expectedHigh,
                score: verdict.score, pValue: verdict.pValue, contributions: verdict.contributions,
                sentence: sentence, note: booking.outcome.note))
    }

    /// What the desk says becomes what is stored, shown and told.
    /// - Parameter verdict: the cause of a raising, for the search of the first cause.
    mutating func note(_ notices: [AlarmNotice], of verdict: Verdict? = nil, into outcome: inout BatchOutcome) {
        for notice in notices {
            var change = notice.change
            let isBeginning = change.step == .raised || change.step == .reopened
            if isBeginning, !Summary.isSummary(change.alarm.id), let verdict, verdict.kind == change.alarm.kind {
                if let cause = causes.cause(of: change.alarm, series: verdict.series) {
                    change.alarm.cause = cause
                    desk.explain(change.alarm.id, cause: cause)
                }
            }
            care.annotate(&change)
            outcome.alarmChanges.append(change)
        }
    }

    /// What time alone brings: alarms end, and shelves.
    mutating func advance(to time: StreamTime, into outcome: inout BatchOutcome) {
        note(desk.advance(to: time), into: &outcome)
        outcome.alarmChanges += care.advance(to: time.newest)
    }

    /// A person does something with an alarm.
    /// - Parameter seen: the alarm as that person saw it.
    mutating func take(_ action: AlarmAction, on seen: Alarm, into outcome: inout BatchOutcome) {
        let members = desk.members(of: seen.id).compactMap { desk.alarm(id: $0) }
        outcome.alarmChanges += care.take(action, known: desk.alarm(id: seen.id), stored: seen, members: members)
        outcome.actions.append(action)
    }

    /// Shows the desk the readings that it wants to hear of: nearly always none.
    mutating func watch(
        through event: Int, of routed: RoutedBatch, _ fates: [EventFate], from next: inout Int,
        _ progress: inout StreamProgress
    ) {
        defer { next = max(next, event + 1) }
        guard desk.hasWatches else { return }
        let batch = routed.batch
        while next <= event, next < batch.eventCount {
            defer { next += 1 }
            guard fates[next] == .stored else { continue }
            for reading in batch.readings(of: next)
            where routed.accepted[reading] && desk.watches(batch.series[reading]) {
                desk.observe(
                    sensor: batch.sensors[next], series: batch.series[reading], value: batch.values[reading],
                    time: batch.times[next], at: progress.at(next, &times))
            }
        }
    }
}

extension Booking.Outcome {
    /// Why there is no alarm, where that was a decision.
    var note: String? {
        switch self {
        case .booked, .pending, .ruledOut: nil
        case .suppressed(let reason): "no alarm: \(reason)"
        case .heldBack(let reason): "no alarm: \(reason.rawValue)"
        case .accepted: "no alarm: the level was taken as the new normal"
        }
    }
}

/// What the rules say, asked once for each series and each sensor.
struct RuleBook: Sendable {
    private let rules: AlarmRules
    private var bySeries: [UInt32: ResolvedRule] = [:]
    private var bySensor: [UInt32: ResolvedRule] = [:]

    init(rules: AlarmRules) { self.rules = rules }

    mutating func rule(of verdict: Verdict, sensor: String, metric: String?) -> ResolvedRule {
        guard !rules.isEmpty else { return .standard }
        if let series = verdict.series {
            if let known = bySeries[series.index] { return known }
            let rule = rules.resolve(sensor: sensor, metric: metric)
            bySeries[series.index] = rule
            return rule
        }
        if let known = bySensor[verdict.sensor.index] { return known }
        let rule = rules.resolve(sensor: sensor, metric: nil)
        bySensor[verdict.sensor.index] = rule
        return rule
    }
}
