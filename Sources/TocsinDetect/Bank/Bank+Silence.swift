public import TocsinCore

extension Bank {
    /// Appends the series of a source whose silence begins or goes on at its high-water mark, in ascending order. It
    /// changes no series: they stay overdue until they send or `silence(of:highWater:)` is called.
    ///
    /// One comparison while no deadline has passed, which at a million series of 1 Hz is the answer nearly always;
    /// else 1 µs for the bounds of a million series and 4 µs for each 256 series of which one may be overdue.
    public mutating func overdueSeries(
        highWater: Timestamp, source: SourceID = SourceID(0), into series: inout [SeriesID]
    ) {
        let now = highWater.nanoseconds
        guard now >= deadlines.earliest else { return }
        let source = UInt8(clamping: source.index)
        deadlines.refresh(now: now) { bucket in
            var earliest = Int64.max
            for index in bucket.clamped(to: states.indices) {
                guard rules[Int(states[index].settingsIndex)].allows(.silence) else { continue }
                let deadline = states[index].deadline
                if deadline <= now, states[index].source == source { series.append(SeriesID(UInt32(index))) }
                earliest = min(earliest, deadline)
            }
            return earliest
        }
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
        if next < former { deadlines.lower(index, to: next) }
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
        deadlines.removeAll()
    }

    private func nextPatience(of index: Int, now: Int64, parameters: BankParameters) -> Float {
        let (silent, overflow) = now.subtractingReportingOverflow(states[index].lastHighWater)
        guard !overflow, silent < parameters.silenceForgottenAfter else { return .infinity }
        let pause = max(states[index].silenceLimit(parameters), Float(parameters.continuationSeconds))
        return max(Float(silent), 0) * 1e-9 + pause
    }
}
