internal import TocsinCore

/// A table of which every day of event time has a partition, and times far off the clock share one ("other").
struct DayPartitions: Sendable {
    var table: String
    /// The column of event time.
    var time: String

    static let events = DayPartitions(table: "sensor_events", time: "time")
    static let windows = DayPartitions(table: "windows", time: "start")
    static let both = [events, windows]

    static let day: Int64 = 86_400_000_000_000
    // Days of years that a timestamp can hold whole: 1678 to 2261.
    private static let possible: ClosedRange<Int64> = -106_000...106_000

    /// The number of the day since 1970.
    static func number(of time: Int64) -> Int64 {
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: day)
        return remainder < 0 ? quotient - 1 : quotient
    }

    var other: String { "\(table)_other" }

    /// `sensor_events_20251001`
    func name(day: Int64) -> String {
        let date = Timestamp(nanoseconds: day * Self.day).description.prefix(10)
        return "\(table)_" + date.filter { $0 != "-" }
    }

    /// Days that have a partition, rising.
    func days(_ connection: PostgresConnection) throws -> [Int64] {
        try connection.query(Self.listing, [.text(table)]).map { Self.number(of: $0.int64(0)) }
    }

    static let listing = """
        SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''?(-?[0-9]+)''?\\)'))[1]::bigint AS first
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass($1) AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY 1
        """

    /// Whether rows of a day get a partition. One device whose clock runs wild must not make thousands of them.
    /// - Parameters:
    ///   - rows: of that day, in one write.
    ///   - arrival: the day on which they arrived.
    static func isWorthwhile(day: Int64, rows: Int, arrival: Int64) -> Bool {
        guard possible.contains(day) else { return false }
        return rows >= 500 || (arrival - 35...arrival + 2).contains(day)
    }

    /// Makes the partition of a day, unless another process has. Rows of that day that had to go to the other partition
    /// move into it.
    func make(day: Int64, _ connection: PostgresConnection) throws {
        let name = name(day: day)
        let (first, end) = (day * Self.day, (day + 1) * Self.day)
        try connection.execute("BEGIN")
        // One at a time in this schema; others in the same database do not wait.
        _ = try connection.query(
            "SELECT pg_advisory_xact_lock($1 # hashtext(current_schema())::bigint)",
            [.integer(PostgresSchema.lockKey(table))])
        if try connection.query("SELECT to_regclass($1) IS NULL", [.text(name)]).first?.bool(0) == true {
            try connection.execute(
                """
                CREATE TABLE \(name) (LIKE \(table) INCLUDING ALL);
                LOCK TABLE \(other) IN ACCESS EXCLUSIVE MODE;
                WITH moved AS (DELETE FROM \(other) WHERE \(time) >= \(first) AND \(time) < \(end) RETURNING *)
                INSERT INTO \(name) SELECT * FROM moved;
                ALTER TABLE \(table) ATTACH PARTITION \(name) FOR VALUES FROM (\(first)) TO (\(end));
                """)
        }
        try connection.execute("COMMIT")
    }

    /// As `days`, a second old at most.
    func knownDays(_ connection: PostgresConnection) throws -> [Int64] {
        if let known = connection.knownDays[table], known.until > .now { return known.days }
        let days = try days(connection)
        connection.knownDays[table] = (days, .now + .seconds(1))
        return days
    }
}
