internal import TocsinCore

/// Deletion of what is too old or too much: whole days are dropped, small tables lose their rows in slices.
struct PostgresRetention {
    let store: PostgresStore

    private static let rowsAtOnce: Int64 = 10_000
    /// From this age on a day is kept until all of it is too old: what is dropped whole costs nothing.
    private static let wholeDays = Span64.days(2)
    /// Larger partitions are not written anew to make them smaller.
    private static let rewrittenBytes: Int64 = 4 << 30

    func apply(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        var deleted: [String: Int] = [:]
        deleted["sensor_events"] = try await deleteDays(.events, policy.eventAge, now)
        deleted["windows"] = try await deleteDays(.windows, policy.windowAge, now)
        deleted["anomalies"] = try await deleteOld("anomalies", "time", policy.anomalyAge, now)
        // A cleared alarm goes with its anomalies; one that is still open stays whatever its age.
        deleted["alarms"] = try await deleteOld("alarms", "cleared", policy.anomalyAge, now)
        deleted["alarm_actions"] = try await deleteOld("alarm_actions", "at", policy.anomalyAge, now)
        deleted["dead_letters"] = try await deleteOld("dead_letters", "received", policy.deadLetterAge, now)
        deleted["jobs"] = try await deleteOld("jobs", "started", policy.jobAge, now, "AND finished IS NOT NULL")
        deleted["quality_reports"] = try await deleteOld("quality_reports", "created", policy.jobAge, now)
        deleted["windows", default: 0] += try await thinWindows(policy.thinnedWindowAge, now)
        if let bytes = policy.maxBytes {
            for table in DayPartitions.both {
                deleted[table.table, default: 0] += try await deleteOldest(table, until: bytes)
            }
        }
        return deleted.filter { $0.value > 0 }
    }

    private func limit(_ age: Span64?, _ now: Timestamp) -> Int64? {
        guard let age, age.nanoseconds >= 0 else { return nil }
        return now.advanced(by: Span64(nanoseconds: -age.nanoseconds)).nanoseconds
    }

    private func deleteOld(
        _ table: String, _ time: String, _ age: Span64?, _ now: Timestamp, _ condition: String = ""
    ) async throws -> Int {
        guard let limit = limit(age, now) else { return 0 }
        return try await deleteRows(table, time, before: limit, condition)
    }

    /// In slices: each is one short transaction, so that writers do not wait.
    private func deleteRows(
        _ table: String, _ time: String, before limit: Int64, _ condition: String = ""
    ) async throws -> Int {
        var total = 0
        while true {
            try Task.checkCancellation()
            let deleted = try await store.maintain { connection in
                try connection.run(
                    """
                    DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
                        SELECT ctid FROM \(table) WHERE \(time) < $1 \(condition) ORDER BY \(time) LIMIT $2))
                    """, [.integer(limit), .integer(Self.rowsAtOnce)])
            }
            total += deleted
            if deleted < Int(Self.rowsAtOnce) { return total }
        }
    }

    // MARK: Days

    private func deleteDays(_ table: DayPartitions, _ age: Span64?, _ now: Timestamp) async throws -> Int {
        guard let age, let limit = limit(age, now) else { return 0 }
        let border = DayPartitions.number(of: limit)
        let days = try await store.maintain { try table.days($0) }
        var total = try await deleteRows(table.other, table.time, before: limit)
        for day in days where day < border { total += try await drop(day, of: table) }
        if age < Self.wholeDays, days.contains(border) {
            total += try await deleteRows(table.name(day: border), table.time, before: limit)
        }
        return total
    }

    private func drop(_ day: Int64, of table: DayPartitions) async throws -> Int {
        try Task.checkCancellation()
        let rows = try await store.maintain { try table.drop(day: day, $0) }
        try await store.forgetPartitions()
        return rows
    }

    // MARK: Thinning

    /// Days that are old as a whole are written anew once, and marked; in younger ones rows are deleted.
    private func thinWindows(_ age: Span64?, _ now: Timestamp) async throws -> Int {
        guard let age, let limit = limit(age, now), let rule = WindowThinning(store.windows) else { return 0 }
        let table = DayPartitions.windows
        let unwanted =
            "(size < \(rule.size) OR size = \(rule.size) AND slide = \(rule.slide) AND start % \(rule.step) <> 0)"
        let border = DayPartitions.number(of: limit)
        let mark = "thinned to windows of \(rule.size) ns every \(rule.step) ns"
        var total = try await deleteRows(table.other, table.time, before: limit, "AND \(unwanted)")
        for day in try await store.maintain({ try table.days($0) }) where day < border {
            try Task.checkCancellation()
            total += try await store.maintain { connection in
                let name = table.name(day: day)
                let known = try connection.query(
                    "SELECT obj_description(to_regclass($1), 'pg_class') = $2", [.text(name), .text(mark)]
                ).first?.bool(0)
                guard known != true else { return 0 }
                let gone = try table.rewrite(day: day, keeping: "NOT \(unwanted)", connection)
                try connection.execute("COMMENT ON TABLE \(name) IS '\(mark)'")
                return gone
            }
        }
        if age < Self.wholeDays, try await store.maintain({ try table.days($0) }).contains(border) {
            total += try await deleteRows(table.name(day: border), table.time, before: limit, "AND \(unwanted)")
        }
        return total
    }

    // MARK: Bytes

    private func deleteOldest(_ table: DayPartitions, until bytes: Int64) async throws -> Int {
        var total = 0
        while true {
            try Task.checkCancellation()
            let step = try await store.maintain { connection -> Int? in
                let used = try StoreSize.bytes(connection)
                guard used > bytes else { return nil }
                return try Self.shrink(table, by: used - bytes, of: bytes, connection)
            }
            guard let step else { return total }
            try await store.forgetPartitions()
            total += step
        }
    }

    /// - Returns: rows deleted; nil where nothing is left.
    private static func shrink(
        _ table: DayPartitions, by excess: Int64, of bound: Int64, _ connection: PostgresConnection
    ) throws -> Int? {
        let days = try table.days(connection)
        guard let oldest = days.first else {
            let rest = Int(try connection.query("SELECT count(*) FROM \(table.other)").first?.int64(0) ?? 0)
            guard rest > 0 else { return nil }
            try connection.execute("TRUNCATE \(table.other)")
            return rest
        }
        let size = try table.bytes(ofDay: oldest, connection)
        // A margin, so that the same need not be done again at once.
        let kept = size - excess - bound / 20
        // A partition without rows has pages all the same: below these, what is left is not worth its writing.
        guard kept > 256 << 10, kept > size / 50 else { return try table.drop(day: oldest, connection) }
        let isNeeded = bound + excess - size < bound / 2
        guard isNeeded, days.count == 1 || size <= rewrittenBytes else {
            return try table.drop(day: oldest, connection)
        }
        return try table.keepNewest(Double(kept) / Double(size), ofDay: oldest, connection)
    }
}

/// How much there is in the store.
enum StoreSize {
    private static let small = [
        "sensors", "series", "anomalies", "alarms", "alarm_actions", "feedback", "model_registry", "dead_letters",
        "jobs",
        "quality_reports", "checkpoints",
    ]

    /// Of all tables with their indexes.
    static func bytes(_ connection: PostgresConnection) throws -> Int64 {
        try connection.query(
            """
            SELECT sum(pg_total_relation_size(t.relation))::bigint FROM (
                SELECT relid AS relation FROM pg_partition_tree(to_regclass('sensor_events'))
                UNION ALL SELECT relid FROM pg_partition_tree(to_regclass('windows'))
                UNION ALL SELECT to_regclass(name) FROM unnest($1::text[]) AS n (name)) AS t
            """, [.texts(small)]
        ).first?.int64(0) ?? 0
    }

    static func statistics(_ connection: PostgresConnection) throws -> StoreStatistics {
        // Parents before partitions, as whoever drops a partition takes them: the other order can end in a deadlock.
        try connection.execute("LOCK TABLE sensor_events, windows IN ACCESS SHARE MODE")
        var rows: [String: Int] = [:]
        for table in small {
            rows[table] = Int(try connection.query("SELECT count(*) FROM \(table)").first?.int64(0) ?? 0)
        }
        for table in DayPartitions.both { rows[table.table] = try table.rows(connection) }
        return StoreStatistics(bytes: try bytes(connection), rows: rows)
    }
}
