public import TocsinCore

extension Bank {
    /// Appends the series of a source whose silence begins or goes on at its high-water mark, in ascending order. It
    /// changes no series: they stay overdue until they send or `silence(of:highWater:)` is called.
    ///
    /// One comparison while no deadline of the source has passed, which at a million series of 1 Hz is the answer nearly
    /// always; else 1 µs for the bounds of a million series of the source and 4 µs for each 256 of which one may be
    /// overdue. Series of other sources cost nothing.
    public mutating func overdueSeries(
        highWater: Timestamp, source: SourceID = SourceID(0), into series: inout [SeriesID]
    ) {
        let now = highWater.nanoseconds
        let source = Self.known(source)
        guard now >= deadlines.earliest(of: source) else { return }
        let first = series.count
        var isAscending = true
        deadlines.refresh(source, now: now) { members in
            var earliest = Int64.max
            for member in members {
                let index = Int(member.index)
                guard rules[Int(states[index].settingsIndex)].allows(.silence) else { continue }
                let deadline = states[index].deadline
                if deadline <= now {
                    if series.count > first, series[series.count - 1].index > member.index { isAscending = false }
                    series.append(member)
                }
                earliest = min(earliest, deadline)
            }
            return earliest
        }
        if !isAscending { series[first...].sort { $0.index < $1.index } }
    }

    /// Finds an overdue series silent and sets when that is to be said again: after the continuation interval or the
    /// usual limit, whichever is longer, until `silenceForgottenAfter`.
    public mutating func silence(of series: SeriesID, highWater: Timestamp) -> SilenceFinding {
        let index = Int(series.index)
        if index >= states.count { grow(to: index + 1) }
        let now = highWater.nanoseconds
        let parameters = rules[Int(states[index].settingsIndex)]
        let former = states[index].deadline
        let limit = Double(states[index].silenceLimit(parameters))
        let seconds = Double(now &- states[index].lastHighWater) * 1e-9
        let isContinuation = states[index].conditions.contains(.silent)
        states[index].conditions.insert(.silent)
        states[index].patience = nextPatience(of: index, now: now, parameters: parameters)
        let next = states[index].deadline
        if next < former { bringForward(index) }
        let surprise = parameters.surpriseLimit * max(seconds / limit, 1)
        return SilenceFinding(
            series: series, start: Timestamp(nanoseconds: states[index].lastTime), time: highWater, seconds: seconds,
            limit: limit, pValue: exponential(-surprise), score: surprise / (surprise + parameters.surpriseLimit),
            isContinuation: isContinuation)
    }

    /// The series is not expected to go on, until it sends again.
    public mutating func withdraw(_ series: SeriesID) {
        let index = Int(series.index)
        if index < states.count { states[index].patience = .infinity }
    }

    /// The input has ended: no series is expected to go on, until it sends again.
    public mutating func withdrawAll() {
        for index in states.indices { states[index].patience = .infinity }
        deadlines.removeDeadlines()
    }

    private func nextPatience(of index: Int, now: Int64, parameters: BankParameters) -> Float {
        let (silent, overflow) = now.subtractingReportingOverflow(states[index].lastHighWater)
        guard !overflow, silent < parameters.silenceForgottenAfter else { return .infinity }
        let pause = max(states[index].silenceLimit(parameters), Float(parameters.continuationSeconds))
        return max(Float(silent), 0) * 1e-9 + pause
    }
}
