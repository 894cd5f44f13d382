public import TocsinCore

/// From finding to alarm: rules, calendar, what people have said, incidents, flood and budget, in this order.
///
/// Pure and deterministic: no clock, no store; the same findings at the same stream progress give the same notices,
/// and a desk that was saved and restored between any two of them goes on as if nothing had been.
public struct AlarmDesk: Sendable {
    let settings: AlarmSettings
    public let calendar: AlarmCalendar
    public let assets: AssetNames
    var book: AlarmBook
    public internal(set) var feedback: FeedbackBook
    var limiter: RaiseLimiter
    public internal(set) var counts = AlarmCounts()

    public init(
        settings: AlarmSettings = AlarmSettings(), calendar: AlarmCalendar = AlarmCalendar(),
        assets: AssetNames = AssetNames()
    ) {
        self.settings = settings
        self.calendar = calendar
        self.assets = assets
        book = AlarmBook(settings: settings)
        feedback = FeedbackBook(settings: settings.feedback)
        limiter = RaiseLimiter(flood: settings.flood)
    }

    /// Books a finding.
    /// - Parameters:
    ///   - rule: of the verdict's series, or of its sensor where it has none.
    ///   - progress: the stream's high-water event time; never falls from call to call.
    public mutating func book(_ finding: Finding, rule: ResolvedRule, progress: Timestamp) -> Booking {
        book(finding, rule: rule, at: StreamTime(progress))
    }

    /// The same where sources have clocks of their own.
    /// - Parameter time: that of the sensor's source; none of the clocks falls from call to call.
    public mutating func book(_ finding: Finding, rule: ResolvedRule, at time: StreamTime) -> Booking {
        let verdict = finding.verdict
        let weight = verdict.isContinuation ? 0 : 1
        guard rule.admits(verdict) else {
            counts.ruledOut += weight
            return Booking(outcome: .ruledOut, notices: [], isNews: false, sentence: finding.sentence)
        }
        if let reason = calendar.suppression(sensor: finding.sensor, kind: verdict.kind, at: verdict.time) {
            counts.suppressed += weight
            return unraised(finding, .suppressed(reason), because: reason)
        }
        if !book.isOpen(verdict.sensor, verdict.kind),
            let reason = feedback.reason(
                sensor: finding.sensor, metric: finding.metric, kind: verdict.kind, score: verdict.score,
                at: verdict.time)
        {
            switch reason {
            case .calledFalse: counts.calledFalse += weight
            case .expected: counts.expected += weight
            }
            return unraised(finding, .heldBack(reason), because: reason.rawValue)
        }
        let booked = book.book(finding, rule: rule, at: time)
        switch booked.place {
        case .accepted:
            counts.accepted += weight
            return unraised(finding, .accepted, because: "the level was taken as the new normal")
        case .pending, .incident:
            let budget = rule.fields.budgetPerDay ?? settings.budgetPerDay
            return Booking(
                outcome: booked.place == .pending ? .pending : .booked, alarmID: booked.alarmID,
                notices: booked.change.map { notices(of: $0, budget: budget, progress: time.newest) } ?? [],
                isNews: booked.isNews, sentence: finding.sentence)
        }
    }

    private func unraised(_ finding: Finding, _ outcome: Booking.Outcome, because reason: String) -> Booking {
        Booking(
            outcome: outcome, notices: [], isNews: !finding.verdict.isContinuation,
            sentence: Sentence.marked(finding.sentence, reason))
    }

    /// Ends what is over by time. Costs two comparisons while nothing is due.
    public mutating func advance(to progress: Timestamp) -> [AlarmNotice] { advance(to: StreamTime(progress)) }

    /// The same by the clock of a source and by the newest one's.
    public mutating func advance(to time: StreamTime) -> [AlarmNotice] {
        var notices: [AlarmNotice] = []
        // Members and summaries end in the order of the stream, however far this call reaches.
        while limiter.nextDeadline <= time.newest {
            let due = limiter.nextDeadline
            var until = time
            (until.own, until.newest) = (min(time.own, due), due)
            for change in book.advance(to: until) { notices += self.notices(of: change, budget: nil, progress: due) }
            notices += limiter.advance(to: due).map { AlarmNotice(change: $0) }
            guard limiter.nextDeadline > due else { break }
        }
        for change in book.advance(to: time) {
            notices += self.notices(of: change, budget: nil, progress: time.newest)
        }
        return notices
    }

    /// The sensor speaks again.
    public mutating func clearSilence(
        of sensor: SensorID, at time: Timestamp, source: SourceID? = nil
    ) -> [AlarmNotice] {
        guard let change = book.clearSilence(of: sensor, at: time, source: source) else { return [] }
        return notices(of: change, budget: nil, progress: time)
    }

    /// Takes in what a person says of an alarm; `false` and `expected` close it if it is open.
    /// - Returns: what is to be told, and whether the word will hold anything back (for fire and range it does not).
    public mutating func take(_ word: Feedback) -> (notices: [AlarmNotice], isApplied: Bool) {
        let isApplied = feedback.record(word)
        guard isApplied, word.word != .real, let change = book.dismiss(alarmID: word.alarmID, at: word.given) else {
            return ([], isApplied)
        }
        return (notices(of: change, budget: nil, progress: word.given), true)
    }

    private mutating func notices(of change: AlarmChange, budget: Int?, progress: Timestamp) -> [AlarmNotice] {
        let alarm = change.alarm
        switch change.step {
        case .raised:
            counts.raised += 1
            let asset = assets.asset(of: alarm.sensor)
            guard let group = limiter.admit(alarm, asset: asset, budget: budget, progress: progress) else {
                return [AlarmNotice(change: change)]
            }
            counts.grouped += 1
            if group.change?.step == .raised { counts.summaries += 1 }
            return [AlarmNotice(change: change, isTold: false, summaryID: group.summaryID)]
                + (group.change.map { [AlarmNotice(change: $0)] } ?? [])
        case .escalated:
            let summary = limiter.summary(of: alarm.id)
            // It may have been over.
            limiter.reopened(alarm)
            let news = limiter.worsened(alarm)
            let isMember = summary != nil && limiter.summary(of: alarm.id) != nil
            return [AlarmNotice(change: change, isTold: !isMember, summaryID: summary)]
                + (news.map { [AlarmNotice(change: $0)] } ?? [])
        case .reopened, .updated, .cleared, .acknowledged, .assigned, .commented, .shelved, .unshelved, .outOfService,
            .inService, .handedOver, .takenOver:
            guard let summary = limiter.summary(of: alarm.id) else { return [AlarmNotice(change: change)] }
            let own = AlarmNotice(change: change, isTold: false, summaryID: summary)
            if change.step == .reopened { limiter.reopened(alarm) }
            guard change.step == .cleared, let end = limiter.cleared(alarm) else { return [own] }
            return [own, AlarmNotice(change: end)]
        }
    }
}
