internal import TocsinCore

// Taking days out, and how large they are.
extension DayPartitions {
    /// Takes a day out with all its rows.
    /// - Returns: how many there were: exactly, or as the server estimates where they are many.
    func drop(day: Int64, _ connection: PostgresConnection) throws -> Int {
        let name = name(day: day)
        let rows = try Self.rows(of: name, connection)
        try connection.execute("BEGIN; ALTER TABLE \(table) DETACH PARTITION \(name); DROP TABLE \(name); COMMIT")
        return rows
    }

    /// Puts a partition in the place of a day's that holds only the newest part of its rows: deleting the others would not
    /// give their space back. Whoever writes to that day waits meanwhile.
    /// - Returns: rows that are gone.
    func keepNewest(_ share: Double, ofDay day: Int64, _ connection: PostgresConnection) throws -> Int {
        let name = name(day: day)
        let all = Int(try connection.query("SELECT count(*) FROM \(name)").first?.int64(0) ?? 0)
        let unwanted = Int64(Double(all) * (1 - min(1, max(0, share))))
        let cut = try connection.query(
            "SELECT \(time) FROM \(name) ORDER BY \(time) LIMIT 1 OFFSET $1", [.integer(unwanted)]
        ).first?.int64(0)
        guard let cut else { return try drop(day: day, connection) }
        return try rewrite(day: day, keeping: "\(time) >= \(cut)", connection)
    }

    /// Puts a partition in the place of a day's that holds only the rows of a condition.
    /// - Returns: rows that are gone.
    func rewrite(day: Int64, keeping condition: String, _ connection: PostgresConnection) throws -> Int {
        let name = name(day: day)
        let fresh = "\(name)_kept"
        let (first, end) = (day * Self.day, (day + 1) * Self.day)
        try connection.execute("BEGIN; LOCK TABLE \(name) IN ACCESS EXCLUSIVE MODE")
        let all = Int(try connection.query("SELECT count(*) FROM \(name)").first?.int64(0) ?? 0)
        try connection.execute("CREATE TABLE \(fresh) (LIKE \(table) INCLUDING ALL)")
        let kept = try connection.run("INSERT INTO \(fresh) SELECT * FROM \(name) WHERE \(condition)")
        try connection.execute(
            """
            ALTER TABLE \(table) DETACH PARTITION \(name);
            DROP TABLE \(name);
            ALTER TABLE \(fresh) RENAME TO \(name);
            ALTER TABLE \(table) ATTACH PARTITION \(name) FOR VALUES FROM (\(first)) TO (\(end));
            COMMIT
            """)
        return all - kept
    }

    /// Rows and indexes of a day.
    func bytes(ofDay day: Int64, _ connection: PostgresConnection) throws -> Int64 {
        try connection.query("SELECT pg_total_relation_size(to_regclass($1))", [.text(name(day: day))]).first?.int64(0)
            ?? 0
    }

    /// Rows of all partitions.
    func rows(_ connection: PostgresConnection) throws -> Int {
        let names = try connection.query(
            "SELECT relid::regclass::text FROM pg_partition_tree(to_regclass($1)) WHERE isleaf", [.text(table)]
        ).map { $0.text(0) }
        return try names.reduce(0) { try $0 + Self.rows(of: $1, connection) }
    }

    /// Counted where that is quick; otherwise the server's last count, in proportion to how much has come since.
    private static func rows(of partition: String, _ connection: PostgresConnection) throws -> Int {
        let row = try connection.query(
            """
            SELECT reltuples::float8, relpages, pg_relation_size(oid) FROM pg_class WHERE oid = to_regclass($1)
            """, [.text(partition)]
        ).first
        guard let row else { return 0 }
        let (counted, pages, bytes) = (row.double(0), Double(row.int32(1)), row.int64(2))
        let isCounted = counted > 0 && pages > 0
        if bytes <= (isCounted ? smallBytes : mediumBytes) {
            return Int(try connection.query("SELECT count(*) FROM \(partition)").first?.int64(0) ?? 0)
        }
        let byPage = isCounted ? counted / pages : typicalRowsByPage
        return Int(clamping: Int64((byPage * Double(bytes) / pageBytes).rounded()))
    }

    private static let smallBytes: Int64 = 1 << 20
    private static let mediumBytes: Int64 = 32 << 20
    private static let pageBytes = 8192.0
    private static let typicalRowsByPage = 30.0
}
