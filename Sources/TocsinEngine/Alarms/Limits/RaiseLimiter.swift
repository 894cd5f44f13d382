internal import TocsinCore

/// Decides which new incidents are told singly and which become members of a summary: flood mode and the budget a day.
///
/// In a flood all are members of its summary and cost no budget, but for the first critical ones, which are told singly;
/// without one, critical incidents are told, and warnings beyond the asset's budget of the day (UTC, by stream progress)
/// are members of that day's summary.
struct RaiseLimiter: Sendable {
    /// One of the latest new incidents.
    struct Raise {
        var progress: Timestamp
        var onset: Summary.Onset
    }

    struct Day {
        var number: Int64
        var told: Int
        var summaryID: String?
    }

    let flood: FloodSettings?
    /// The latest new incidents, oldest first: one more than the limit.
    var recent: [Raise] = []
    var floodID: String?
    var summaries: [String: Summary] = [:]
    /// The summary of each incident that nobody was told of.
    var memberships: [String: String] = [:]
    /// Of each asset with a budget, for the running day.
    var days: [String: Day] = [:]
    var nextDeadline = Timestamp(nanoseconds: .max)

    init(flood: FloodSettings?) { self.flood = flood }

    private var limit: Int { min(max(flood?.incidents ?? 0, 1), 10_000) }

    /// Where a new incident goes.
    /// - Returns: nil when it is told singly; else its summary, and what is to be told of that.
    mutating func admit(
        _ alarm: Alarm, asset: String, budget: Int?, progress: Timestamp
    ) -> (summaryID: String, change: AlarmChange?)? {
        let isCritical = alarm.severity == .critical
        let isFlood = floodID != nil
        if !isCritical, !isFlood, let budget, spent(asset, progress) >= budget {
            return addToBudget(alarm, asset: asset, budget: budget, progress: progress)
        }
        note(alarm, progress)
        if let id = floodID {
            guard isCritical, hasPlaceForCritical(id) else { return (id, add(alarm, to: id, progress)) }
            summaries[id]?.mention(Raise(progress: progress, onset: Summary.Onset(alarm)))
            summaries[id]?.refresh()
            return nil
        }
        if !isCritical, budget != nil { days[asset]?.told += 1 }
        return nil
    }

    /// Whether one more critical incident is told singly in this flood.
    func hasPlaceForCritical(_ id: String) -> Bool {
        summaries[id].map { $0.criticalsTold < flood?.criticals ?? .max } ?? true
    }

    /// Told warnings of an asset today.
    private mutating func spent(_ asset: String, _ progress: Timestamp) -> Int {
        let number = Self.day(progress)
        if let day = days[asset], day.number == number { return day.told }
        days[asset] = Day(number: number, told: 0)
        nextDeadline = min(nextDeadline, Self.end(ofDay: number))
        return 0
    }

    /// Counts a new incident; the one too many begins a flood, and so does not count as told.
    private mutating func note(_ alarm: Alarm, _ progress: Timestamp) {
        guard let flood else { return }
        recent.append(Raise(progress: progress, onset: Summary.Onset(alarm)))
        if recent.count > limit + 1 { recent.removeFirst() }
        guard recent.count == limit + 1, progress.since(recent[0].progress) < flood.within else { return }
        let end = recent[0].progress.advanced(by: flood.within).advanced(by: flood.calmAfter)
        if let floodID {
            summaries[floodID]?.end = end
        } else if alarm.severity != .critical || recent.dropLast().count(where: \.onset.isCritical) >= flood.criticals {
            var summary = Summary(cause: .flood, first: alarm, end: end)
            for raise in recent.dropLast() { summary.mention(raise) }
            summaries[summary.alarm.id] = summary
            floodID = summary.alarm.id
        }
        nextDeadline = min(nextDeadline, end)
    }

    private mutating func addToBudget(
        _ alarm: Alarm, asset: String, budget: Int, progress: Timestamp
    ) -> (summaryID: String, change: AlarmChange?) {
        if let id = days[asset]?.summaryID, summaries[id] != nil { return (id, add(alarm, to: id, progress)) }
        let end = Self.end(ofDay: Self.day(progress))
        let summary = Summary(cause: .budget(budget, asset: asset), first: alarm, end: end)
        summaries[summary.alarm.id] = summary
        days[asset]?.summaryID = summary.alarm.id
        nextDeadline = min(nextDeadline, end)
        return (summary.alarm.id, add(alarm, to: summary.alarm.id, progress))
    }

    private mutating func add(_ alarm: Alarm, to id: String, _ progress: Timestamp) -> AlarmChange? {
        let wasCritical = summaries[id]?.alarm.severity == .critical
        // In place: a summary may hold thousands.
        summaries[id]?.add(alarm)
        memberships[alarm.id] = id
        guard let count = summaries[id]?.members.count, let nextUpdate = summaries[id]?.nextUpdate else { return nil }
        let isWorse = alarm.severity == .critical && !wasCritical
        guard count == 1 || isWorse || count >= nextUpdate else {
            // What has come since it was last told is told soon.
            nextDeadline = min(nextDeadline, Self.nextLook(after: progress))
            return nil
        }
        summaries[id]?.nextUpdate = count * 2
        let step: AlarmChange.Step = count == 1 ? .raised : isWorse ? .escalated : .updated
        return summaries[id].map { AlarmChange(step: step, alarm: $0.alarm) }
    }

    /// Whole steps of the stream's time: the same in every run.
    private static func nextLook(after progress: Timestamp) -> Timestamp {
        let step = Span64.seconds(10).nanoseconds
        let (next, overflow) = (progress.nanoseconds.flooredDivision(by: step) + 1)
            .multipliedReportingOverflow(by: step)
        return Timestamp(nanoseconds: overflow ? .max : next)
    }

    static func day(_ time: Timestamp) -> Int64 { time.nanoseconds.flooredDivision(by: Span64.days(1).nanoseconds) }

    static func end(ofDay number: Int64) -> Timestamp {
        let (nanoseconds, overflow) = (number + 1).multipliedReportingOverflow(by: Span64.days(1).nanoseconds)
        return Timestamp(nanoseconds: overflow ? .max : nanoseconds)
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
