internal import GRDB
internal import TocsinCore

// Events; windows have a search of their own (`WindowSearch`).
extension SQLiteQueries {
    // MARK: Events

    static func events(_ query: RecordQuery, _ database: Database) throws -> [StoredEvent] {
        guard let selection = try Selection(query, database) else { return [] }
        if let metric = selection.metric, try !exists(metric: metric, sensor: selection.sensor, database) { return [] }
        let condition =
            selection.metric == nil ? "" : "EXISTS (SELECT 1 FROM json_each(t.readings) j WHERE j.key = ?)"
        let argument = selection.metric.map(SQLValue.text)
        var units = Units()
        if let sensor = selection.sensor {
            let hits = try SortedRuns.events.newest(
                selection.reach, key: sensor, times: selection.times, where: condition, argument: argument, database)
            return try selection.cut(hits).flatMap { hit in
                try events("WHERE t.id = ?", [.integer(hit.id)], &units, database)
            }
        }
        return try events(
            """
            WHERE t.time BETWEEN ? AND ? \(condition.isEmpty ? "" : "AND \(condition)")
            ORDER BY t.time DESC, t.sensor_id DESC, t.event_key DESC LIMIT ? OFFSET ?
            """,
            [.integer(selection.times.lowerBound), .integer(selection.times.upperBound)]
                + (argument.map { [$0] } ?? []) + selection.page, &units, database)
    }

    private static func events(
        _ clauses: String, _ arguments: [SQLValue], _ units: inout Units, _ database: Database
    ) throws -> [StoredEvent] {
        // LEFT and in this order, so that the planner cannot start from the sensors.
        try database.rows(
            """
            SELECT t.sensor_id, s.name, t.time, t.received, t.source, t.late, t.readings, t.payload
            FROM sensor_events t LEFT JOIN sensors s ON s.id = t.sensor_id \(clauses)
            """, arguments
        ) { row in
            let sensor = row.int64(0)
            let readings = try numbers(ofObject: row.text(6), database).map { name, value in
                (metric: name, value: value, unit: try units.unit(of: name, sensor: sensor, database))
            }
            return StoredEvent(
                sensor: row.text(1), time: row.timestamp(2), received: row.timestamp(3), source: row.text(4),
                isLate: row.int64(5) != 0, readings: readings, payload: row.bytes(7))
        }
    }

    /// Units by sensor and metric, read once per sensor.
    private struct Units {
        private var bySensor: [Int64: [String: String]] = [:]

        mutating func unit(of metric: String, sensor: Int64, _ database: Database) throws -> String? {
            if let known = bySensor[sensor] { return known[metric] }
            var units: [String: String] = [:]
            let rows = try database.rows(
                "SELECT metric, unit FROM series WHERE sensor_id = ? AND unit IS NOT NULL", [.integer(sensor)]
            ) { ($0.text(0), $0.text(1)) }
            for (metric, unit) in rows { units[metric] = unit }
            bySensor[sensor] = units
            return units[metric]
        }
    }

    private static func exists(metric: String, sensor: Int64?, _ database: Database) throws -> Bool {
        try !series(metric: metric, sensor: sensor, limit: 1, database).isEmpty
    }

    /// The series of a metric, of a sensor, or of both; at most `limit`, all where it is negative.
    static func series(
        metric: String?, sensor: Int64?, limit: Int64, _ database: Database
    ) throws -> [Int64] {
        var conditions: [String] = []
        var arguments: [SQLValue] = []
        if let sensor {
            conditions.append("sensor_id = ?")
            arguments.append(.integer(sensor))
        }
        if let metric {
            conditions.append("metric = ?")
            arguments.append(.text(metric))
        }
        return try database.rows(
            "SELECT id FROM series WHERE \(conditions.joined(separator: " AND ")) LIMIT ?",
            arguments + [.integer(limit)]
        ) { $0.int64(0) }
    }
}
