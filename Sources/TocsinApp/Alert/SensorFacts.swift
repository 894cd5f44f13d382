internal import Synchronization
internal import TocsinAlerts
internal import TocsinCore
internal import TocsinEngine

/// What messages say besides the alarm: the sensor's zone and last readings, and what people wrote. The engine is made
/// after the channels.
final class SensorFacts: Sendable {
    /// What was done with an alarm, and with which.
    private struct Deed: Hashable {
        var alarmID: String
        var verb: AlarmAction.Verb
    }

    private let table: SeriesTable
    private let directory = Mutex<SensorDirectory?>(nil)
    private let actions = Mutex<(latest: [Deed: AlarmAction], order: [Deed])>(([:], []))
    /// Messages go out within seconds: what is older is forgotten.
    private static let actionsKept = 1000
    /// Of a sensor with more metrics the first ones are told.
    private static let longest = 6

    init(table: SeriesTable) { self.table = table }

    func connect(to engine: Engine) { directory.withLock { $0 = engine.directory } }

    func note(_ action: AlarmAction) {
        let deed = Deed(alarmID: action.alarmID, verb: action.verb)
        actions.withLock { actions in
            if actions.latest.updateValue(action, forKey: deed) == nil { actions.order.append(deed) }
            guard actions.order.count > Self.actionsKept else { return }
            actions.latest[actions.order.removeFirst()] = nil
        }
    }

    private func action(_ change: AlarmChange) -> AlarmAction? {
        let verb: AlarmAction.Verb
        switch change.step {
        case .acknowledged: verb = .acknowledge
        case .commented: verb = .comment
        case .assigned: verb = .assign
        case .shelved: verb = .shelve
        case .unshelved: verb = .unshelve
        case .outOfService: verb = .outOfService
        case .inService: verb = .inService
        case .raised, .reopened, .escalated, .updated, .cleared, .handedOver, .takenOver: return nil
        }
        return actions.withLock { $0.latest[Deed(alarmID: change.alarm.id, verb: verb)] }
    }

    func zone(_ alarm: Alarm) -> String? {
        table.withIndex { index in index.sensor(named: alarm.sensor).flatMap { index.zone(of: $0) } }
    }

    /// Waits for the sensor's shard while that is at work on a batch: milliseconds.
    func details(_ change: AlarmChange) -> AlertDetails {
        let alarm = change.alarm
        var details = AlertDetails(zone: zone(alarm))
        if let action = action(change) {
            details.person = action.person
            // Of an assignment the text is the assignee, who stands in the alarm.
            details.comment = action.verb == .assign ? nil : action.text
        }
        guard let directory = directory.withLock({ $0 }),
            let sensor = table.withIndex({ $0.sensor(named: alarm.sensor) }),
            let snapshot = directory.snapshots([sensor]).first
        else { return details }
        let metrics = snapshot.metrics.filter { alarm.metric == nil || $0.name == alarm.metric }
        details.readings = metrics.filter(\.last.value.isFinite).prefix(Self.longest).map { metric in
            let last = metric.last
            return AlertDetails.Reading(
                metric: metric.name, unit: metric.unit, value: last.value, low: last.low, high: last.high,
                time: last.time, valueText: Sentence.quantity(last.value, metric.unit),
                expectedText: Sentence.expected(low: last.low, high: last.high, metric.unit))
        }
        return details
    }
}
