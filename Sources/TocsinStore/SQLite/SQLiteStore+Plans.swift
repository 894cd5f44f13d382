internal import GRDB
package import TocsinCore

extension SQLiteStore {
    /// A listing whose statements can be explained.
    package enum Listing: Sendable {
        case events(RecordQuery)
        case windows(RecordQuery)
        case anomalies(RecordQuery)
        case alarms(RecordQuery, state: Alarm.State?)
        case openAlarms
        case deadLetters(DeadLetterReason?)
        case deadLetterCounts
    }

    /// Runs a listing and returns SQLite's plan of every statement it made, one line per step: for tests that a listing
    /// searches and does not scan.
    package func plans(of listing: Listing) async throws -> [(sql: String, steps: [String])] {
        try await query { database in
            var statements: [String] = []
            database.trace { event in
                if case .statement(let statement) = event { statements.append(statement.sql) }
            }
            switch listing {
            case .events(let query): _ = try SQLiteQueries.events(query, database)
            case .windows(let query): _ = try WindowSearch.windows(query, database)
            case .anomalies(let query): _ = try SQLiteQueries.anomalies(query, database)
            case .alarms(let query, let state): _ = try SQLiteQueries.alarms(query, state: state, database)
            case .openAlarms: _ = try SQLiteQueries.openAlarms(database)
            case .deadLetters(let reason):
                _ = try SQLiteQueries.deadLetters(reason: reason, limit: 10, offset: 0, database)
            case .deadLetterCounts: _ = try SQLiteQueries.deadLetterCounts(database)
            }
            database.trace(nil)
            return try Set(statements).sorted().map { sql in
                (sql, try database.rows("EXPLAIN QUERY PLAN \(sql)") { $0.text(3) })
            }
        }
    }
}
