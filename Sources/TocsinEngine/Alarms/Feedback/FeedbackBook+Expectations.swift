internal import TocsinCore

extension FeedbackBook {
    mutating func expect(_ feedback: Feedback, _ key: Key, _ odds: Double) {
        let day = WeeklySpan.day.nanoseconds
        let slack = min(max(settings.slack.nanoseconds, 0), day / 4)
        // A condition of more than half a day says nothing about a time of day.
        let duration = min(max(feedback.end.since(feedback.start).nanoseconds, 0), day / 2)
        let place = WeeklySpan.floored(
            WeeklySpan.placeInWeek(feedback.start) - slack, WeeklySpan.week.nanoseconds)
        var new = Expectation(
            recurrence: feedback.recurrence ?? .weekly, place: place, length: duration + 2 * slack, odds: odds,
            lastSeen: feedback.given)
        var list = expectations[key] ?? []
        if feedback.recurrence == nil, list.contains(where: { isSameHour($0, feedback.start) }) {
            // The second day of the week at the same hour: every day.
            list.removeAll { old in
                guard isSameHour(old, feedback.start) else { return false }
                new.odds = max(new.odds, old.odds)
                new.length = max(new.length, old.length)
                return true
            }
            new.recurrence = .daily
        } else {
            list.removeAll { matches($0, feedback.start) && $0.recurrence == new.recurrence && $0.odds <= odds }
        }
        list.append(new)
        if list.count > Self.expectationsPerKey { list.removeFirst() }
        expectations[key] = list
    }

    /// Whether a time is at the hour of something that is expected, but on another day of the week.
    private func isSameHour(_ expectation: Expectation, _ time: Timestamp) -> Bool {
        guard expectation.recurrence == .daily || !matches(expectation, time) else { return false }
        var daily = expectation
        daily.recurrence = .daily
        return expectation.recurrence != .always && matches(daily, time)
    }

    func matches(_ expectation: Expectation, _ time: Timestamp) -> Bool {
        let period: Int64
        switch expectation.recurrence {
        case .always: return true
        case .daily: period = WeeklySpan.day.nanoseconds
        case .weekly: period = WeeklySpan.week.nanoseconds
        }
        return WeeklySpan.floored(WeeklySpan.placeInWeek(time) - expectation.place, period) < expectation.length
    }

    func isAlive(_ expectation: Expectation, at time: Timestamp) -> Bool {
        expectation.recurrence == .always || time.since(expectation.lastSeen) < settings.expectationLifetime
    }
}
