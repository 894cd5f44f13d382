internal import TocsinCore

extension RaiseLimiter {
    /// The summary of an incident that nobody was told of.
    func summary(of alarmID: String) -> String? { memberships[alarmID] }

    /// An incident has become critical: from now on it is told.
    /// - Returns: what is to be told of its summary, when it was the last open one.
    mutating func release(_ alarmID: String) -> AlarmChange? {
        guard let id = memberships.removeValue(forKey: alarmID) else { return nil }
        summaries[id]?.open.remove(alarmID)
        return close(id, at: nil)
    }

    mutating func cleared(_ alarm: Alarm) -> AlarmChange? {
        guard let id = memberships[alarm.id] else { return nil }
        summaries[id]?.open.remove(alarm.id)
        touch(id, alarm)
        return close(id, at: alarm.cleared)
    }

    mutating func reopened(_ alarm: Alarm) {
        guard let id = memberships[alarm.id] else { return }
        summaries[id]?.open.insert(alarm.id)
        touch(id, alarm)
    }

    private mutating func touch(_ id: String, _ alarm: Alarm) {
        guard var summary = summaries[id] else { return }
        summary.alarm.lastSeen = max(summary.alarm.lastSeen, alarm.lastSeen)
        summary.alarm.score = max(summary.alarm.score, alarm.score)
        summary.alarm.pValue = min(summary.alarm.pValue, alarm.pValue)
        summaries[id] = summary
    }

    /// Ends floods and days. Costs one comparison while nothing is due.
    mutating func advance(to progress: Timestamp) -> [AlarmChange] {
        guard progress >= nextDeadline else { return [] }
        nextDeadline = Timestamp(nanoseconds: .max)
        for (asset, day) in days {
            let end = Self.end(ofDay: day.number)
            if progress >= end { days[asset] = nil } else { nextDeadline = min(nextDeadline, end) }
        }
        var changes: [AlarmChange] = []
        for (id, summary) in summaries where !summary.isEnded {
            guard progress >= summary.end else {
                nextDeadline = min(nextDeadline, summary.end)
                continue
            }
            summaries[id]?.isEnded = true
            if floodID == id { floodID = nil }
            summaries[id]?.refresh()
            if let change = close(id, at: nil) {
                changes.append(change)
            } else if let alarm = summaries[id]?.alarm {
                changes.append(AlarmChange(step: .updated, alarm: alarm))
            }
        }
        return changes.sorted { ($0.alarm.raised, $0.alarm.id) < ($1.alarm.raised, $1.alarm.id) }
    }

    /// A summary is over when it takes no more members and all it has are over.
    private mutating func close(_ id: String, at time: Timestamp?) -> AlarmChange? {
        guard var summary = summaries[id], summary.isEnded, summary.open.isEmpty else { return nil }
        summary.alarm.state = .cleared
        summary.alarm.cleared = max(time ?? summary.end, summary.end)
        summaries[id] = nil
        for member in summary.members where memberships[member] == id { memberships[member] = nil }
        return AlarmChange(step: .cleared, alarm: summary.alarm)
    }

    /// A summary that an earlier process left open, of which only the alarm is known: it ends with the next call.
    mutating func restore(_ alarm: Alarm) {
        var summary = Summary(cause: .flood, first: alarm, end: alarm.lastSeen)
        summary.alarm = alarm
        summary.isEnded = false
        summary.toldBefore = alarm.verdicts
        summaries[alarm.id] = summary
        nextDeadline = min(nextDeadline, alarm.lastSeen)
    }
}
