internal import TocsinCore

extension RaiseLimiter {
    /// The summary of an incident that nobody was told of.
    func summary(of alarmID: String) -> String? { memberships[alarmID] }

    /// An incident has become critical: from now on it is told, unless its summary is of a flood that goes on and in which
    /// enough have been told.
    /// - Returns: what is to be told of its summary: that it is critical too, or over without this one.
    mutating func worsened(_ alarm: Alarm) -> AlarmChange? {
        guard let id = memberships[alarm.id] else { return nil }
        if id == floodID, !hasPlaceForCritical(id) {
            let wasCritical = summaries[id]?.alarm.severity == .critical
            touch(id, alarm)
            summaries[id]?.noteCritical()
            guard !wasCritical, let count = summaries[id]?.members.count else { return nil }
            summaries[id]?.nextUpdate = count * 2
            return summaries[id].map { AlarmChange(step: .escalated, alarm: $0.alarm) }
        }
        memberships[alarm.id] = nil
        summaries[id]?.open.remove(alarm.id)
        if id == floodID { summaries[id]?.noteCriticalTold() }
        return close(id, at: nil)
    }

    mutating func cleared(_ alarm: Alarm) -> AlarmChange? {
        guard let id = memberships[alarm.id] else { return nil }
        guard summaries[id] != nil else {
            // The summary stayed in the process from which the incident came.
            memberships[alarm.id] = nil
            return nil
        }
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

    /// Ends floods and days, and tells of summaries that have grown. Costs one comparison while nothing is due.
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
                if summary.hasGrown { changes.append(update(id, summary)) }
                continue
            }
            summaries[id]?.isEnded = true
            if floodID == id { floodID = nil }
            summaries[id]?.refresh()
            if let change = close(id, at: nil) {
                changes.append(change)
            } else if let summary = summaries[id], summary.hasGrown {
                changes.append(update(id, summary))
            }
        }
        return changes.sorted { ($0.alarm.raised, $0.alarm.id) < ($1.alarm.raised, $1.alarm.id) }
    }

    private mutating func update(_ id: String, _ summary: Summary) -> AlarmChange {
        summaries[id]?.nextUpdate = summary.members.count * 2
        return AlarmChange(step: .updated, alarm: summary.alarm)
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
