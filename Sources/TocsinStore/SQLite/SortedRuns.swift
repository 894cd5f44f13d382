internal import GRDB

/// An index by sensor and time over a large table that is appended to in the order of arrival.
///
/// An ordinary index would dirty one page per sensor with every batch: measured with 10,000 sensors, six times the
/// bytes of the rows themselves. So, as in a log-structured merge tree, new rows stay unindexed (a short scan by id)
/// until there are enough of them; then they are entered as one *run*, sorted, in one sequential write. A search asks
/// every run whose times can matter, newest first. `row` in a run is the id of the row in the table.
struct SortedRuns {
    let table: String
    let runs: String
    let index: String
    let key: String
    let time: String

    static let events = SortedRuns(
        table: "sensor_events", runs: "sensor_event_runs", index: "sensor_event_index", key: "sensor_id", time: "time")

    /// The highest id that has ever been entered into a run that still exists.
    func lastIndexedID(_ database: Database) throws -> Int64 {
        try database.integer("SELECT max(last_id) FROM \(runs)") ?? 0
    }

    func lastID(_ database: Database) throws -> Int64 {
        try database.integer("SELECT max(id) FROM \(table)") ?? 0
    }

    /// Enters all rows above `id` into a new run.
    func seal(above id: Int64, _ database: Database) throws {
        let rows = try database.run(
            """
            INSERT INTO \(runs) (first_id, last_id, first_time, last_time)
            SELECT min(id), max(id), min(\(time)), max(\(time)) FROM \(table) WHERE id > ? HAVING count(*) > 0
            """, [.integer(id)])
        guard rows > 0 else { return }
        try database.run(
            """
            INSERT INTO \(index) (run, \(key), \(time), row)
            SELECT ?, \(key), \(time), id FROM \(table) WHERE id > ? ORDER BY \(key), \(time), id
            """, [.integer(database.lastInsertedRowID), .integer(id)])
    }

    /// Small runs that together have so many rows, oldest first: what `merge` is to make one run of. Of fifty million rows
    /// a search then asks two hundred runs instead of fifteen hundred.
    func mergeable(toRows wanted: Int64, _ database: Database) throws -> [[Int64]] {
        var groups: [[Int64]] = []
        var group: [Int64] = []
        var rows: Int64 = 0
        let small = try database.rows(
            "SELECT run, last_id - first_id + 1 FROM \(runs) WHERE last_id - first_id + 1 < ? ORDER BY first_id",
            [.integer(wanted)]
        ) { (run: $0.int64(0), rows: $0.int64(1)) }
        for (run, count) in small {
            group.append(run)
            rows += count
            guard rows >= wanted else { continue }
            groups.append(group)
            group = []
            rows = 0
        }
        return groups
    }

    /// Makes one run of several, without entries whose row is gone.
    func merge(_ group: [Int64], _ database: Database) throws {
        let members = "IN (SELECT value FROM json_each(?))"
        try database.inTransaction(.immediate) {
            try database.run(
                """
                INSERT INTO \(runs) (first_id, last_id, first_time, last_time)
                SELECT min(first_id), max(last_id), min(first_time), max(last_time) FROM \(runs) WHERE run \(members)
                HAVING count(*) = ?
                """, [.list(group), .integer(Int64(group.count))])
            guard database.changesCount > 0 else { return .rollback }
            try database.run(
                """
                INSERT INTO \(index) (run, \(key), \(time), row)
                SELECT ?, i.\(key), i.\(time), i.row FROM \(index) i WHERE i.run \(members) AND (i.\(time) > ?
                    OR EXISTS (SELECT 1 FROM \(table) t WHERE t.id = i.row))
                ORDER BY i.\(key), i.\(time), i.row
                """, [.integer(database.lastInsertedRowID), .list(group), .integer(try deletedUntil(database))])
            try database.run("DELETE FROM \(index) WHERE run \(members)", [.list(group)])
            try database.run("DELETE FROM \(runs) WHERE run \(members)", [.list(group)])
            return .commit
        }
    }

    // MARK: Deletion

    /// Rows up to this time may have been deleted while their entries are still there; the lowest number where none has.
    func deletedUntil(_ database: Database) throws -> Int64 {
        try database.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", [.text(deletedKey)]) ?? .min
    }

    /// Must be in the transaction that deletes them.
    func noteDeleted(until time: Int64, _ database: Database) throws {
        try database.run(
            """
            INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE
            SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))
            """, [.text(deletedKey), .text(String(time))])
    }

    private var deletedKey: String { "\(table)_deleted_until" }

    /// Runs whose rows are all gone.
    func emptyRuns(_ database: Database) throws -> [Int64] {
        try database.rows(
            """
            SELECT run FROM \(runs) r
            WHERE NOT EXISTS (SELECT 1 FROM \(table) t WHERE t.id BETWEEN r.first_id AND r.last_id)
            """
        ) { $0.int64(0) }
    }

    func remove(_ run: Int64, _ database: Database) throws {
        try database.inTransaction(.immediate) {
            try database.run("DELETE FROM \(index) WHERE run = ?", [.integer(run)])
            try database.run("DELETE FROM \(runs) WHERE run = ?", [.integer(run)])
            return .commit
        }
    }

    // MARK: Search

    /// A row found: enough to order it before it is fetched.
    struct Hit {
        var time: Int64
        var id: Int64

        /// Newest first.
        static func precedes(_ left: Hit, _ right: Hit) -> Bool {
            left.time != right.time ? left.time > right.time : left.id > right.id
        }
    }

    /// The newest `limit` rows of some keys in a range of times. Cost: one search per key and run that can matter, and a
    /// scan of the rows not yet in a run.
    /// - Parameter condition: a further condition on the row `t`; its argument is `argument`.
    func newest(
        _ limit: Int, keys: [Int64], times: ClosedRange<Int64>, where condition: String = "", argument: SQLValue? = nil,
        _ database: Database
    ) throws -> [Hit] {
        let filter = condition.isEmpty ? "" : "AND \(condition)"
        let tail = (argument.map { [$0] } ?? []) + [.integer(Int64(limit))]
        let range: [SQLValue] = [.integer(times.lowerBound), .integer(times.upperBound)]
        var newest = Newest(limit: limit)
        // NOT INDEXED keeps the planner on the ids: it would read the whole index of times to save a small sort.
        try newest.take(
            database.rows(
                """
                SELECT t.\(time), t.id FROM \(table) t NOT INDEXED
                WHERE t.id > ? AND t.\(key) IN (SELECT value FROM json_each(?)) AND t.\(time) BETWEEN ? AND ? \(filter)
                ORDER BY t.\(time) DESC, t.id DESC LIMIT ?
                """, [.integer(try lastIndexedID(database)), .list(keys)] + range + tail
            ) { Hit(time: $0.int64(0), id: $0.int64(1)) })
        // An entry alone says all where no row has been deleted: a look at the row costs ten times as much.
        let deleted = condition.isEmpty ? try deletedUntil(database) : .max
        let search = """
            SELECT i.\(time), i.row FROM \(index) i
            WHERE i.run = ? AND i.\(key) = ? AND i.\(time) BETWEEN ? AND ?
                AND (i.\(time) > ? OR EXISTS (SELECT 1 FROM \(table) t WHERE t.id = i.row \(filter)))
            ORDER BY i.\(time) DESC, i.row DESC LIMIT ?
            """
        for (run, last) in try overlapping(times, database) {
            if let oldest = newest.oldest, oldest.time > last { break }
            for key in keys {
                let since = max(times.lowerBound, newest.oldest?.time ?? .min)
                try newest.take(
                    database.rows(
                        search,
                        [
                            .integer(run), .integer(key), .integer(since), .integer(times.upperBound),
                            .integer(deleted),
                        ] + tail
                    ) { Hit(time: $0.int64(0), id: $0.int64(1)) })
            }
        }
        return newest.finished()
    }

    /// Runs that can hold a time of the range, the one with the newest row first.
    private func overlapping(_ times: ClosedRange<Int64>, _ database: Database) throws -> [(run: Int64, last: Int64)] {
        try database.rows(
            "SELECT run, last_time FROM \(runs) WHERE last_time >= ? AND first_time <= ? ORDER BY last_time DESC",
            [.integer(times.lowerBound), .integer(times.upperBound)]
        ) { ($0.int64(0), $0.int64(1)) }
    }
}

/// The newest so many of the hits that came.
private struct Newest {
    let limit: Int
    private var hits: [SortedRuns.Hit] = []
    private var nextPruning: Int
    /// The last one that counts, once there are enough: nothing older is wanted.
    private(set) var oldest: SortedRuns.Hit?

    init(limit: Int) {
        self.limit = limit
        nextPruning = limit
    }

    mutating func take(_ more: [SortedRuns.Hit]) {
        hits += more
        if hits.count >= nextPruning { prune() }
    }

    /// In order.
    mutating func finished() -> [SortedRuns.Hit] {
        prune()
        return hits
    }

    private mutating func prune() {
        hits.sort(by: SortedRuns.Hit.precedes)
        if hits.count > limit { hits.removeLast(hits.count - limit) }
        oldest = hits.count == limit ? hits.last : nil
        // Sorting again is worth it when there is an eighth more.
        let (next, overflow) = limit.addingReportingOverflow(limit / 8 + 1)
        nextPruning = overflow ? .max : next
    }
}
