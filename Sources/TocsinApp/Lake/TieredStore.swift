internal import Logging
internal import TocsinCore
internal import TocsinLake

/// The operational store, whose listings go on in the lake where retention has ended its own: a caller sees one list.
struct TieredStore: Store {
    let recent: any Store
    let lake: LakeHistory
    let policy: RetentionPolicy
    let clock: any WallClock
    let logger: Logger

    func events(_ query: RecordQuery) async throws -> [StoredEvent] {
        try await page(
            query, .events, age: policy.eventAge, time: { $0.time }, recent: { try await recent.events($0) },
            older: { try await lake.events($0) })
    }

    func windows(_ query: RecordQuery) async throws -> [StoredWindow] {
        try await page(
            query, .windows, age: policy.windowAge ?? policy.thinnedWindowAge, time: { $0.start },
            recent: { try await recent.windows($0) }, older: { try await lake.windows($0) })
    }

    func anomalies(_ query: RecordQuery) async throws -> [Anomaly] {
        try await page(
            query, .anomalies, age: policy.anomalyAge, time: { $0.time }, recent: { try await recent.anomalies($0) },
            older: { try await lake.anomalies($0) })
    }

    /// The store's rows, then those of the lake from before the store's last one. The lake is asked only where the store
    /// has given rows up: by age, or for want of room.
    private func page<Row>(
        _ query: RecordQuery, _ table: LakeTable, age: Span64?, time: (Row) -> Timestamp,
        recent: (RecordQuery) async throws -> [Row], older: (RecordQuery) async throws -> [Row]
    ) async throws -> [Row] {
        let rows = try await recent(query)
        let hasGivenUp = age != nil || (policy.maxBytes != nil && table != .anomalies)
        guard rows.count < query.limit, hasGivenUp else { return rows }
        let kept = age.map { clock.now().advanced(by: Span64(nanoseconds: -$0.nanoseconds)) }
        var cut = rows.last.map(time) ?? query.end ?? Timestamp(nanoseconds: .max)
        var skipped = 0
        if rows.isEmpty, query.offset > 0 {
            // The page begins in the lake: how far behind the store's last row?
            var all = query
            (all.offset, all.limit) = (0, query.offset)
            let before = try await recent(all)
            cut = before.last.map(time) ?? cut
            skipped = query.offset - before.count
        }
        // What is younger than the store keeps it has not given up.
        if let kept { cut = min(cut, kept.advanced(by: .hours(1))) }
        do {
            guard query.start.map({ $0 < cut }) ?? true, lake.reaches(table, before: cut) else { return rows }
            var rest = query
            (rest.end, rest.offset, rest.limit) = (cut, skipped, query.limit - rows.count)
            return rows + (try await older(rest))
        } catch let error as TocsinError {
            // Half an answer now is better than none: the lake says by itself what is wrong with it.
            logger.error("older records cannot be read from the lake", metadata: ["error": "\(error.message)"])
            return rows
        }
    }

    // MARK: Everything else is the store's own

    var keepsRawInput: Bool { recent.keepsRawInput }
    func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings] { try await recent.write(outcomes) }
    func openAlarms() async throws -> [Alarm] { try await recent.openAlarms() }
    func alarms(_ query: RecordQuery, state: Alarm.State?) async throws -> [Alarm] {
        try await recent.alarms(query, state: state)
    }
    func alarm(id: String) async throws -> Alarm? { try await recent.alarm(id: id) }
    func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int
    ) async throws -> [AlarmAction] {
        try await recent.alarmActions(alarmID: alarmID, since: since, limit: limit, offset: offset)
    }
    func feedback(since: Timestamp) async throws -> [Feedback] { try await recent.feedback(since: since) }
    func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] {
        try await recent.deadLetters(reason: reason, limit: limit, offset: offset)
    }
    func deadLetter(id: Int64) async throws -> DeadLetter? { try await recent.deadLetter(id: id) }
    func removeDeadLetters(ids: [Int64]) async throws { try await recent.removeDeadLetters(ids: ids) }
    func lastDeadLetterID() async throws -> Int64 { try await recent.lastDeadLetterID() }
    func removeDeadLetters(after id: Int64) async throws { try await recent.removeDeadLetters(after: id) }
    func deadLetterCounts() async throws -> [DeadLetterReason: Int] { try await recent.deadLetterCounts() }
    func saveModel(_ model: ModelRecord) async throws { try await recent.saveModel(model) }
    func models(name: String?) async throws -> [ModelRecord] { try await recent.models(name: name) }
    func saveJob(_ job: JobRecord) async throws { try await recent.saveJob(job) }
    func jobs(name: String?, limit: Int) async throws -> [JobRecord] { try await recent.jobs(name: name, limit: limit) }
    func saveQualityReport(_ report: QualityReport) async throws { try await recent.saveQualityReport(report) }
    func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport] {
        try await recent.qualityReports(subject: subject, limit: limit)
    }
    func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws { try await recent.saveCheckpoint(checkpoint) }
    func checkpoint(name: String) async throws -> CheckpointRecord? { try await recent.checkpoint(name: name) }
    func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        try await recent.applyRetention(policy, now: now)
    }
    func statistics() async throws -> StoreStatistics { try await recent.statistics() }
    func close() async throws { try await recent.close() }
}
