public import TocsinCore

extension AlarmDesk {
    /// Open incidents, members of summaries included; summaries are not counted.
    public var openCount: Int { book.openCount }
    public var pendingCount: Int { book.pendingCount }
    public var isFlood: Bool { limiter.floodID != nil }

    /// For screens after a restart: incidents and summaries.
    public var openAlarms: [Alarm] { book.openAlarms.map(withSummary) + limiter.summaries.values.map(\.alarm) }

    /// An incident that is open or in its cooldown, or an open summary.
    public func alarm(id: String) -> Alarm? { limiter.summaries[id]?.alarm ?? book.alarm(id: id).map(withSummary) }

    /// The book knows nothing of summaries: what is stored without its summary leaves it.
    private func withSummary(_ alarm: Alarm) -> Alarm {
        var alarm = alarm
        alarm.summary = limiter.summary(of: alarm.id) ?? alarm.summary
        return alarm
    }

    /// Ids of all incidents that ever belonged to an open summary, first come first.
    public func members(of summaryID: String) -> [String] { limiter.summaries[summaryID]?.members ?? [] }

    /// Notes the likely first cause of an incident or a summary: all that is told of it from now on says so.
    public mutating func explain(_ alarmID: String, cause: String) {
        if limiter.summaries[alarmID] != nil {
            limiter.summaries[alarmID]?.alarm.cause = cause
        } else {
            book.explain(alarmID, cause: cause)
        }
    }

    /// Of an incident that nobody was told of singly.
    public func summary(of alarmID: String) -> String? { limiter.summary(of: alarmID) }

    public var hasRestored: Bool { book.hasRestored }
    public func wasSilent(_ sensor: SensorID) -> Bool { book.wasSilent(sensor) }

    /// Whether any reading matters to the desk (on delay, dead band): false nearly always.
    public var hasWatches: Bool { book.hasWatches }
    public func watches(_ series: SeriesID) -> Bool { book.watches(series) }

    /// A reading of a watched series, in the order of the stream, before the verdicts of its event.
    public mutating func observe(
        sensor: SensorID, series: SeriesID, value: Double, time: Timestamp, progress: Timestamp
    ) {
        observe(sensor: sensor, series: series, value: value, time: time, at: StreamTime(progress))
    }

    /// The same where sources have clocks of their own.
    public mutating func observe(
        sensor: SensorID, series: SeriesID, value: Double, time: Timestamp, at stream: StreamTime
    ) {
        book.observe(sensor: sensor, series: series, value: value, time: time, at: stream)
    }

    /// Takes up an alarm that an earlier process left open and of which no checkpoint tells.
    public mutating func restore(_ alarm: Alarm, sensor: SensorID) {
        if Summary.isSummary(alarm.id) { limiter.restore(alarm) } else { book.restore(alarm, sensor: sensor) }
    }

    /// Takes in the words that the store holds, oldest first, where no checkpoint tells of them.
    public mutating func restore(_ words: [Feedback]) {
        for word in words { feedback.record(word) }
    }

    public func save(to writer: inout StateWriter) {
        book.save(to: &writer)
        feedback.save(to: &writer)
        limiter.save(to: &writer)
        for count in [
            counts.raised, counts.grouped, counts.summaries, counts.ruledOut, counts.suppressed, counts.calledFalse,
            counts.expected, counts.accepted,
        ] { writer.write(Int64(count)) }
    }

    /// - Returns: false for nonsense; then the desk must not be used.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        guard book.restore(from: &reader), feedback.restore(from: &reader), limiter.restore(from: &reader) else {
            return false
        }
        let fields: [WritableKeyPath<AlarmCounts, Int>] = [
            \.raised, \.grouped, \.summaries, \.ruledOut, \.suppressed, \.calledFalse, \.expected, \.accepted,
        ]
        for field in fields {
            // A count that would overflow is nonsense too.
            guard let count = reader.read(Int64.self), (0..<(1 << 60)).contains(count) else { return false }
            counts[keyPath: field] = Int(count)
        }
        return true
    }
}
