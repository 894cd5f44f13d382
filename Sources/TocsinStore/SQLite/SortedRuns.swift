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

    /// Removes runs whose rows are all gone; returns how many.
    func removeEmptyRuns(_ database: Database) throws -> Int {
        let empty = try database.rows(
            """
            SELECT run FROM \(runs) r
            WHERE NOT EXISTS (SELECT 1 FROM \(table) t WHERE t.id BETWEEN r.first_id AND r.last_id)
            """
        ) { $0.int64(0) }
        for run in empty {
            try database.run("DELETE FROM \(index) WHERE run = ?", [.integer(run)])
            try database.run("DELETE FROM \(runs) WHERE run = ?", [.integer(run)])
        }
        return empty.count
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

    /// The newest `limit` rows of one key in a range of times. Cost: one search per run that can matter, and a scan of
    /// the rows not yet in a run.
    /// - Parameter condition: a further condition on the row `t`; its argument is `argument`.
    func newest(
        _ limit: Int, key value: Int64, times: ClosedRange<Int64>, where condition: String = "",
        argument: SQLValue? = nil, _ database: Database
    ) throws -> [Hit] {
        let filter = condition.isEmpty ? "" : "AND \(condition)"
        let arguments: [SQLValue] =
            [.integer(value), .integer(times.lowerBound), .integer(times.upperBound)] + (argument.map { [$0] } ?? [])
            + [.integer(Int64(limit))]
        let sealed = try lastIndexedID(database)
        // NOT INDEXED keeps the planner on the ids: it would read the whole index of times to save a small sort.
        var hits = try database.rows(
            """
            SELECT t.\(time), t.id FROM \(table) t NOT INDEXED
            WHERE t.id > ? AND t.\(key) = ? AND t.\(time) BETWEEN ? AND ? \(filter)
            ORDER BY t.\(time) DESC, t.id DESC LIMIT ?
            """, [.integer(sealed)] + arguments
        ) { Hit(time: $0.int64(0), id: $0.int64(1)) }
        for (run, last) in try overlapping(times, database) {
            if hits.count == limit, let oldest = hits.last, oldest.time > last { break }
            hits += try database.rows(
                """
                SELECT i.\(time), i.row FROM \(index) i CROSS JOIN \(table) t ON t.id = i.row
                WHERE i.run = ? AND i.\(key) = ? AND i.\(time) BETWEEN ? AND ? \(filter)
                ORDER BY i.\(time) DESC, i.row DESC LIMIT ?
                """, [.integer(run)] + arguments
            ) { Hit(time: $0.int64(0), id: $0.int64(1)) }
            hits.sort(by: Hit.precedes)
            if hits.count > limit { hits.removeLast(hits.count - limit) }
        }
        return hits
    }

    /// Runs that can hold a time of the range, the one with the newest row first.
    private func overlapping(_ times: ClosedRange<Int64>, _ database: Database) throws -> [(run: Int64, last: Int64)] {
        try database.rows(
            "SELECT run, last_time FROM \(runs) WHERE last_time >= ? AND first_time <= ? ORDER BY last_time DESC",
            [.integer(times.lowerBound), .integer(times.upperBound)]
        ) { ($0.int64(0), $0.int64(1)) }
    }
}
