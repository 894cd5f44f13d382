internal import TocsinCore

/// The tables of the database and how older databases become today's. `COMMENT ON` describes every column.
enum PostgresSchema {
    struct Step: Sendable {
        /// For people: what the step brings.
        var title: String
        var sql: String
    }

    /// Numbered from 1, applied in order and once each. A published step is never edited: a change is a new step.
    static let steps = [
        Step(
            title: "sensors, series, events and windows by day, anomalies, alarms, models, dead letters, jobs",
            sql: [firstTables, firstIndexes, firstViews, firstComments].joined(separator: "\n")),
        Step(title: "acknowledgement, shelving and the other things that people do with alarms", sql: care),
    ]

    static var version: Int { steps.count }

    /// Which steps the database has, each with the time of its application.
    static func applied(_ connection: PostgresConnection) throws -> [Int: Timestamp] {
        guard try connection.query("SELECT to_regclass('tocsin_migrations') IS NOT NULL").first?.bool(0) == true else {
            return [:]
        }
        let rows = try connection.query(
            "SELECT version, (extract(epoch FROM applied) * 1000000000)::bigint FROM tocsin_migrations"
        ).map { (Int($0.int32(0)), $0.timestamp(1)) }
        return Dictionary(rows) { first, _ in first }
    }

    /// Refuses a schema that a newer program made, before anything in it is changed.
    /// - Parameter isReadOnly: refuses an older schema too, because it cannot be brought up to date.
    /// - Returns: whether the schema is today's.
    static func inspect(_ connection: PostgresConnection, isReadOnly: Bool) throws -> Bool {
        let present = try applied(connection).keys.max() ?? 0
        guard present <= version else {
            throw TocsinError(
                .store,
                "the database was made by a newer version of the program: its schema is number \(present), and this "
                    + "program knows schemas up to \(version)", place: connection.place,
                remedy: "Install the newer version, or give another database or schema; nothing in this one was "
                    + "changed.")
        }
        guard !isReadOnly || present == version else {
            throw TocsinError(
                .store,
                present == 0
                    ? "there are no tables of this program in the database"
                    : "the database was made by an older version of the program and is open for reading only",
                place: connection.place, remedy: "Start the program on it once; that brings it up to date.")
        }
        return present == version
    }

    /// Brings the database to today's version. Processes that start at once queue up here, and only the first has
    /// something to do. Each step is one transaction, so that a crash leaves a whole version.
    static func migrate(_ connection: PostgresConnection, schema: String) throws {
        if try inspect(connection, isReadOnly: false) { return }
        let key = lockKey(schema)
        // Let go by the server when the connection ends, however it ends.
        // It outlives this transaction, in which whoever comes second waits for as long as a statement may take.
        try connection.execute("BEGIN; SET LOCAL lock_timeout = 0")
        _ = try connection.query("SELECT pg_advisory_lock($1)", [.integer(key)])
        try connection.execute("COMMIT")
        defer { _ = try? connection.query("SELECT pg_advisory_unlock($1)", [.integer(key)]) }
        if try connection.query("SELECT to_regnamespace($1) IS NULL", [.text(PostgresConnection.quoted(schema))]).first?
            .bool(0) == true
        {
            try connection.execute("CREATE SCHEMA \(PostgresConnection.quoted(schema))")
        }
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS tocsin_migrations (
                version integer PRIMARY KEY, title text NOT NULL, applied timestamptz NOT NULL DEFAULT now());
            COMMENT ON TABLE tocsin_migrations IS 'Which steps of the schema have been applied, and when.';
            """)
        // Asked again: another process may have come first.
        _ = try inspect(connection, isReadOnly: false)
        let done = try applied(connection)
        for (index, step) in steps.enumerated() where done[index + 1] == nil {
            try connection.execute("BEGIN; \(step.sql)")
            try connection.run(
                "INSERT INTO tocsin_migrations (version, title) VALUES ($1, $2)",
                [.integer32(Int32(index + 1)), .text(step.title)])
            try connection.execute("COMMIT")
        }
    }

    static func lockKey(_ name: String) -> Int64 {
        var hash = StableHash()
        hash.combine("tocsin migrations")
        hash.combine(name)
        return Int64(bitPattern: hash.value)
    }
}
