internal import Synchronization
public import TocsinCore

/// A store that keeps outcomes in memory, and fails on command.
public final class MemoryStore: Store {
    private struct State {
        var outcomes: [BatchOutcome] = []
        var transactions = 0
        var models: [ModelRecord] = []
        var open: [Alarm] = []
        var failures: [TocsinError] = []
        var permanent: TocsinError?
        var jobs: [String: JobRecord] = [:]
        var reports: [String: QualityReport] = [:]
        var checkpoints: [CheckpointRecord] = []
    }

    private let state = Mutex(State())
    private static let keptCheckpoints = 2

    public init(openAlarms: [Alarm] = []) { state.withLock { $0.open = openAlarms } }

    public var outcomes: [BatchOutcome] { state.withLock { $0.outcomes } }
    public var transactions: Int { state.withLock { $0.transactions } }
    public var anomalies: [Anomaly] { outcomes.flatMap(\.anomalies) }
    public var alarmChanges: [AlarmChange] { outcomes.flatMap(\.alarmChanges) }

    /// The next writes fail with these, one each.
    public func fail(next errors: [TocsinError]) { state.withLock { $0.failures += errors } }
    /// Every write fails with this until it is nil again.
    public func fail(always error: TocsinError?) { state.withLock { $0.permanent = error } }

    @discardableResult
    public func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings] {
        try state.withLock { state in
            if let permanent = state.permanent { throw permanent }
            if !state.failures.isEmpty { throw state.failures.removeFirst() }
            state.outcomes += outcomes
            state.transactions += 1
            return outcomes.map { _ in HeldReadings() }
        }
    }

    public func openAlarms() async throws -> [Alarm] { state.withLock { $0.open } }
    public func events(_ query: RecordQuery) async throws -> [StoredEvent] { [] }
    public func anomalies(_ query: RecordQuery) async throws -> [Anomaly] {
        Array(anomalies.filter { query.sensor == nil || $0.sensor == query.sensor }.reversed().prefix(query.limit))
    }
    public func alarms(_ query: RecordQuery, state wanted: Alarm.State?) async throws -> [Alarm] {
        var latest: [String: Alarm] = [:]
        for change in alarmChanges { latest[change.alarm.id] = change.alarm }
        return latest.values.filter { wanted == nil || $0.state == wanted }.sorted { $0.raised > $1.raised }
    }
    public func alarm(id: String) async throws -> Alarm? { alarmChanges.last { $0.alarm.id == id }?.alarm }
    public func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int
    ) async throws -> [AlarmAction] {
        let all = outcomes.flatMap(\.actions).reversed().filter { action in
            (alarmID.map { action.alarmID == $0 } ?? true) && (since.map { action.wallTime >= $0 } ?? true)
        }
        return Array(all.dropFirst(offset).prefix(limit))
    }
    public func feedback(since: Timestamp) async throws -> [Feedback] {
        outcomes.flatMap(\.feedback).filter { $0.given >= since }
    }
    public func windows(_ query: RecordQuery) async throws -> [StoredWindow] { [] }
    public func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] {
        Array(
            outcomes.flatMap(\.deadLetters).filter { reason == nil || $0.reason == reason }.dropFirst(offset).prefix(
                limit))
    }
    public func deadLetter(id: Int64) async throws -> DeadLetter? {
        outcomes.flatMap(\.deadLetters).first { $0.id == id }
    }
    public func removeDeadLetters(ids: [Int64]) async throws {}
    public func lastDeadLetterID() async throws -> Int64 { outcomes.flatMap(\.deadLetters).map(\.id).max() ?? 0 }
    public func removeDeadLetters(after id: Int64) async throws {}
    public func deadLetterCounts() async throws -> [DeadLetterReason: Int] {
        outcomes.flatMap(\.deadLetters).reduce(into: [:]) { $0[$1.reason, default: 0] += 1 }
    }
    public func saveModel(_ model: ModelRecord) async throws { state.withLock { $0.models.append(model) } }
    public func models(name: String?) async throws -> [ModelRecord] {
        state.withLock { $0.models.filter { name == nil || $0.name == name }.sorted { $0.version > $1.version } }
    }

    public func saveJob(_ job: JobRecord) async throws { state.withLock { $0.jobs[job.id] = job } }
    public func jobs(name: String?, limit: Int) async throws -> [JobRecord] {
        let jobs = state.withLock { $0.jobs.values.filter { name == nil || $0.name == name } }
        return Array(jobs.sorted { ($0.started, $0.id) > ($1.started, $1.id) }.prefix(max(0, limit)))
    }
    public func saveQualityReport(_ report: QualityReport) async throws {
        state.withLock { $0.reports[report.id] = report }
    }
    public func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport] {
        let reports = state.withLock { $0.reports.values.filter { subject == nil || $0.subject == subject } }
        return Array(reports.sorted { ($0.created, $0.id) > ($1.created, $1.id) }.prefix(max(0, limit)))
    }
    public func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws {
        state.withLock { state in
            state.checkpoints.removeAll { $0.name == checkpoint.name && $0.sequence == checkpoint.sequence }
            state.checkpoints.append(checkpoint)
            let ofName = state.checkpoints.filter { $0.name == checkpoint.name }.sorted { $0.sequence > $1.sequence }
            state.checkpoints.removeAll { $0.name == checkpoint.name }
            state.checkpoints += ofName.prefix(Self.keptCheckpoints)
        }
    }
    public func checkpoint(name: String) async throws -> CheckpointRecord? {
        state.withLock { $0.checkpoints.filter { $0.name == name }.max { $0.sequence < $1.sequence } }
    }

    public func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] { [:] }
    public func statistics() async throws -> StoreStatistics {
        state.withLock { state in
            StoreStatistics(
                bytes: 0,
                rows: [
                    "jobs": state.jobs.count, "quality_reports": state.reports.count,
                    "checkpoints": state.checkpoints.count, "model_registry": state.models.count,
                ])
        }
    }
    public func close() async throws {}
}
