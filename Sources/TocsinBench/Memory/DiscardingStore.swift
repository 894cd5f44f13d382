internal import TocsinCore

/// Takes everything and keeps nothing: what remains is the engine's own cost.
struct DiscardingStore: Store {
    func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings] {
        Array(repeating: HeldReadings(), count: outcomes.count)
    }

    func openAlarms() async throws -> [Alarm] { [] }
    func events(_ query: RecordQuery) async throws -> [StoredEvent] { [] }
    func anomalies(_ query: RecordQuery) async throws -> [Anomaly] { [] }
    func alarms(_ query: RecordQuery, state: Alarm.State?) async throws -> [Alarm] { [] }
    func alarm(id: String) async throws -> Alarm? { nil }
    func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int
    ) async throws -> [AlarmAction] { [] }
    func feedback(since: Timestamp) async throws -> [Feedback] { [] }
    func windows(_ query: RecordQuery) async throws -> [StoredWindow] { [] }
    func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] { [] }
    func deadLetter(id: Int64) async throws -> DeadLetter? { nil }
    func removeDeadLetters(ids: [Int64]) async throws {}
    func lastDeadLetterID() async throws -> Int64 { 0 }
    func removeDeadLetters(after id: Int64) async throws {}
    func saveJob(_ job: JobRecord) async throws {}
    func jobs(name: String?, limit: Int) async throws -> [JobRecord] { [] }
    func saveQualityReport(_ report: QualityReport) async throws {}
    func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport] { [] }
    func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws {}
    func checkpoint(name: String) async throws -> CheckpointRecord? { nil }
    func deadLetterCounts() async throws -> [DeadLetterReason: Int] { [:] }
    func saveModel(_ model: ModelRecord) async throws {}
    func models(name: String?) async throws -> [ModelRecord] { [] }
    func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] { [:] }
    func statistics() async throws -> StoreStatistics { StoreStatistics(bytes: 0, rows: [:]) }
    func close() async throws {}
}
