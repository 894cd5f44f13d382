package import TocsinCore

extension PostgresStore {
    /// A listing whose statements can be explained.
    package enum Listing: Sendable {
        case events(RecordQuery)
        case windows(RecordQuery)
        case anomalies(RecordQuery)
        case alarms(RecordQuery, state: Alarm.State?)
        case openAlarms
        case deadLetters(DeadLetterReason?)
        case jobs(String?)
    }

    /// Runs a listing and returns the server's plan of every statement it made, one line per step: for tests that a
    /// listing searches and does not scan.
    package func plans(of listing: Listing) async throws -> [(sql: String, steps: [String])] {
        try await query { connection in
            connection.recorded = []
            switch listing {
            case .events(let query): _ = try EventQueries.events(query, connection)
            case .windows(let query): _ = try WindowQueries.windows(query, connection)
            case .anomalies(let query): _ = try RecordQueries.anomalies(query, connection)
            case .alarms(let query, let state): _ = try RecordQueries.alarms(query, state: state, connection)
            case .openAlarms: _ = try RecordQueries.openAlarms(connection)
            case .deadLetters(let reason):
                _ = try RecordQueries.deadLetters(reason: reason, limit: 10, offset: 0, connection)
            case .jobs(let name): _ = try JobTables.jobs(name: name, limit: 10, connection)
            }
            let statements = connection.recorded ?? []
            connection.recorded = nil
            return try statements.map { sql, values in
                (sql, try connection.query("EXPLAIN (COSTS off) \(sql)", values).map { $0.text(0) })
            }
        }
    }

    /// Runs statements on the writing connection: for tests.
    package func execute(_ sql: String) async throws { try await change { try $0.execute(sql) } }

    /// The first column of a query's rows as text: for tests.
    package func text(_ sql: String) async throws -> [String] {
        try await change { connection in
            try connection.query("SELECT c::text FROM (\(sql)) AS q (c)").map { $0.text(0) }
        }
    }
}
