internal import TocsinCore

// Alarms whose sensors move between processes: one of them tells that it began, another that it is over.

extension LaneBook {
    /// It goes on elsewhere. What waits to be sent is sent all the same; what was to be told only if nobody acknowledged it
    /// in time is the other process's affair.
    mutating func handOver(_ item: AlertItem) {
        let id = item.change.alarm.id
        engaged[id] = nil
        told.remove(id)
        if let entry = delayed.removeValue(forKey: id) { settle(entry.delivery.numbers, .passedOver) }
        settleInTurn(item)
    }

    /// With the last that waits of the same alarm: after a restart it is open or not as its last step says.
    private mutating func settleInTurn(_ item: AlertItem) {
        let id = item.change.alarm.id
        if let last = incidents[id]?.queue.indices.last {
            incidents[id]?.queue[last].numbers.append(item.number)
        } else if let index = overflow.lastIndex(where: { $0.incident == id }) {
            overflow[index].numbers.append(item.number)
        } else if let index = quietHeld.lastIndex(where: { $0.incident == id }) {
            quietHeld[index].numbers.append(item.number)
        } else if listed.contains(id),
            let list = incidents.first(where: { $0.value.queue.first?.lists(id) == true })?.key
        {
            incidents[list]?.queue[0].numbers.append(item.number)
        } else {
            settle([item.number], .told)
        }
    }

    /// The process it comes from has told of it, or had no need to; from here on its steps belong here. Whether nobody
    /// acknowledged it in time over there is not known: the wait begins anew, for to be told twice is better than never.
    mutating func takeOver(_ item: AlertItem, isRouted: Bool, _ now: Timestamp) {
        let alarm = item.change.alarm
        guard isRouted, AlertSeverity(alarm.severity) >= policy.severity, alarm.summary == nil else {
            return settle([item.number], .passedOver)
        }
        guard policy.delay.nanoseconds == 0 || alarm.care.acknowledged == nil else {
            return settle([item.number], .passedOver)
        }
        engaged[alarm.id] = alarm
        guard policy.delay.nanoseconds > 0 else {
            told.insert(alarm.id)
            return settleInTurn(item)
        }
        let change = AlarmChange(step: .raised, alarm: alarm)
        holdUnlessAcknowledged(
            Delivery(content: .change(change), numbers: [item.number], incident: alarm.id, recorded: item.recorded),
            recorded: item.recorded)
    }
}

extension LaneBook.Delivery {
    fileprivate func lists(_ id: String) -> Bool {
        guard case .digest(let changes, _) = content else { return false }
        return changes.contains { $0.alarm.id == id }
    }
}
