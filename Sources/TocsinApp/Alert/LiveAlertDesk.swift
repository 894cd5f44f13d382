internal import TocsinAlerts
internal import TocsinCore
internal import TocsinServer

/// The dispatcher as the API sees it, and the desk for the program's own alarms.
struct LiveAlertDesk: AlertDesk {
    let dispatcher: AlertDispatcher
    let facts: SensorFacts
    let system: SystemDesk

    var counts: [AlertCounts] { dispatcher.counts }

    var channels: [AlertChannelRecord] {
        dispatcher.status.map { lane in
            AlertChannelRecord(
                name: lane.lane, waiting: lane.waiting, heldBack: lane.heldBack, dead: lane.dead,
                failures: lane.failures, lastError: lane.lastError, lastDelivered: lane.lastDelivered,
                restsUntil: lane.restsUntil)
        }
    }

    var dead: [DeadAlertRecord] { dispatcher.dead.map(DeadAlertRecord.init) }

    func resend(_ numbers: Set<UInt64>?, channel: String?) -> Int { dispatcher.resend(numbers, in: channel) }
    func discard(_ numbers: Set<UInt64>?, channel: String?) -> Int { dispatcher.discard(numbers, in: channel) }
    func note(_ action: AlarmAction) { facts.note(action) }
    func take(_ action: AlarmAction, on alarm: Alarm) async throws { try await system.take(action, on: alarm) }
}

extension DeadAlertRecord {
    init(_ dead: DeadAlert) {
        self.init(
            number: dead.item.number, channel: dead.lane, change: dead.item.change, recorded: dead.item.recorded,
            givenUp: dead.time, attempts: dead.attempts, reason: dead.reason)
    }
}
