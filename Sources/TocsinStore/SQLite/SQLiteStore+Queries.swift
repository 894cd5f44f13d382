#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import GRDB
public import TocsinCore

extension SQLiteStore {
    public func openAlarms() async throws -> [Alarm] {
        try await query { try SQLiteQueries.openAlarms($0) }
    }

    public func events(_ query: RecordQuery) async throws -> [StoredEvent] {
        try await self.query { try SQLiteQueries.events(query, $0) }
    }

    public func anomalies(_ query: RecordQuery) async throws -> [Anomaly] {
        try await self.query { try SQLiteQueries.anomalies(query, $0) }
    }

    public func alarms(_ query: RecordQuery, state: Alarm.State?) async throws -> [Alarm] {
        try await self.query { try SQLiteQueries.alarms(query, state: state, $0) }
    }

    public func alarm(id: String) async throws -> Alarm? {
        try await query { try SQLiteQueries.alarm(id: id, $0) }
    }

    public func feedback(since: Timestamp) async throws -> [Feedback] {
        try await query { try SQLiteQueries.feedback(since: since, $0) }
    }

    public func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int
    ) async throws -> [AlarmAction] {
        try await query {
            try SQLiteQueries.alarmActions(alarmID: alarmID, since: since, limit: limit, offset: offset, $0)
        }
    }

    public func windows(_ query: RecordQuery) async throws -> [StoredWindow] {
        try await self.query { try WindowSearch.windows(query, $0) }
    }

    public func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter] {
        try await query { try SQLiteQueries.deadLetters(reason: reason, limit: limit, offset: offset, $0) }
    }

    public func deadLetter(id: Int64) async throws -> DeadLetter? {
        try await query { try SQLiteQueries.deadLetter(id: id, $0) }
    }

    public func deadLetterCounts() async throws -> [DeadLetterReason: Int] {
        try await query { try SQLiteQueries.deadLetterCounts($0) }
    }

    public func models(name: String?) async throws -> [ModelRecord] {
        try await query { try SQLiteQueries.models(name: name, $0) }
    }

    public func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        try await SQLiteRetention(store: self).apply(policy, now: now)
    }

    public func statistics() async throws -> StoreStatistics {
        try await query { [path] database in
            var rows: [String: Int] = [:]
            for table in [
                "sensors", "series", "anomalies", "alarms", "model_registry", "dead_letters", "jobs", "quality_reports",
                "checkpoints",
            ] {
                rows[table] = Int(try database.integer("SELECT count(*) FROM \(table)") ?? 0)
            }
            // Counting millions of rows takes seconds; their ids are given out one after the other.
            let last = try database.integer("SELECT max(id) FROM sensor_events")
            let first = try database.integer("SELECT min(id) FROM sensor_events")
            if let first, let last { rows["sensor_events"] = Int(last - first + 1) } else { rows["sensor_events"] = 0 }
            rows["windows"] = Int(try database.integer("SELECT sum(rows) FROM window_chunks") ?? 0)
            return StoreStatistics(bytes: Self.size(of: path) + Self.size(of: path + "-wal"), rows: rows)
        }
    }

    private static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// The first column of a query's rows as text: for tests.
    package func text(_ sql: String) async throws -> [String] {
        try await query { database in try database.rows(sql) { $0.text(0) } }
    }
}
