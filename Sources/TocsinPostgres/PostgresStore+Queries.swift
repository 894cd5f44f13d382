public import TocsinCore

extension PostgresStore {
    public func openAlarms() async throws -> [Alarm] { try await query { try RecordQueries.openAlarms($0) } }

    public func events(_ query: RecordQuery) async throws -> [StoredEvent] {
        try await self.query { try EventQueries.events(query, $0) }
    }

    public func anomalies(_ query: RecordQuery) async throws -> [Anomaly] {
        try await self.query { try RecordQueries.anomalies(query, $0) }
    }

    public func alarms(_ query: RecordQuery, state: Alarm.State?) async throws -> [Alarm] {
        try await self.query { try RecordQueries.alarms(query, state: state, $0) }
    }

    public func windows(_ query: RecordQuery) async throws -> [StoredWindow] {
        try await self.query { try WindowQueries.windows(query, $0) }
    }

    public func alarm(id: String) async throws -> Alarm? { try await query { try RecordQueries.alarm(id: id, $0) } }

    public func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int
    ) async throws -> [AlarmAction] {
        try await query {
            try RecordQueries.alarmActions(alarmID: alarmID, since: since, limit: limit, offset: offset, $0)
        }
    }

    public func feedback(since: Timestamp) async throws -> [Feedback] {
        try await query { try RecordQueries.feedback(since: since, $0) }
    }

    // MARK: Dead letters

    public func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] {
        try await query { try RecordQueries.deadLetters(reason: reason, limit: limit, offset: offset, $0) }
    }

    public func deadLetter(id: Int64) async throws -> DeadLetter? {
        try await query { try RecordQueries.deadLetter(id: id, $0) }
    }

    public func deadLetterCounts() async throws -> [DeadLetterReason: Int] {
        try await query { try RecordQueries.deadLetterCounts($0) }
    }

    public func lastDeadLetterID() async throws -> Int64 {
        try await query { try $0.query("SELECT max(id) FROM dead_letters").first?.int64(0) ?? 0 }
    }

    public func removeDeadLetters(ids: [Int64]) async throws {
        _ = try await change { connection in
            try connection.run("DELETE FROM dead_letters WHERE id = ANY($1::bigint[])", [.integers(ids)])
        }
    }

    public func removeDeadLetters(after id: Int64) async throws {
        _ = try await change { try $0.run("DELETE FROM dead_letters WHERE id > $1", [.integer(id)]) }
    }

    // MARK: Models and jobs

    public func saveModel(_ model: ModelRecord) async throws { try await change { try JobTables.write(model, $0) } }

    public func models(name: String?) async throws -> [ModelRecord] {
        try await query { try JobTables.models(name: name, $0) }
    }

    public func saveJob(_ job: JobRecord) async throws { try await change { try JobTables.write(job, $0) } }

    public func jobs(name: String?, limit: Int) async throws -> [JobRecord] {
        try await query { try JobTables.jobs(name: name, limit: limit, $0) }
    }

    public func saveQualityReport(_ report: QualityReport) async throws {
        try await change { try JobTables.write(report, $0) }
    }

    public func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport] {
        try await query { try JobTables.qualityReports(subject: subject, limit: limit, $0) }
    }

    public func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws {
        try await change { try JobTables.write(checkpoint, $0) }
    }

    public func checkpoint(name: String) async throws -> CheckpointRecord? {
        try await query { try JobTables.checkpoint(name: name, $0) }
    }

    // MARK: Upkeep

    /// Ages of two days and more are kept in whole days: a day goes when all of it is too old.
    public func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        try checkOpen()
        return try await PostgresRetention(store: self).apply(policy, now: now)
    }

    public func statistics() async throws -> StoreStatistics { try await query { try StoreSize.statistics($0) } }
}
