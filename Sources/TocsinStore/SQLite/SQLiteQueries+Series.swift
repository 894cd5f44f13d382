internal import GRDB
internal import TocsinCore

// Events and windows: the two tables that grow to millions of rows.
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

    private static func series(
        metric: String?, sensor: Int64?, limit: Int64 = -1, _ database: Database
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

    // MARK: Windows

    static func windows(_ query: RecordQuery, _ database: Database) throws -> [StoredWindow] {
        guard let selection = try Selection(query, database) else { return [] }
        if let sensor = selection.sensor {
            var hits: [SortedRuns.Hit] = []
            for series in try series(metric: selection.metric, sensor: sensor, database) {
                hits += try SortedRuns.windows.newest(selection.reach, key: series, times: selection.times, database)
            }
            hits.sort(by: SortedRuns.Hit.precedes)
            return try selection.cut(hits).flatMap { try windows("WHERE t.id = ?", [.integer($0.id)], database) }
        }
        var arguments: [SQLValue] = [.integer(selection.times.lowerBound), .integer(selection.times.upperBound)]
        var condition = ""
        if let metric = selection.metric {
            guard try exists(metric: metric, sensor: nil, database) else { return [] }
            condition = "AND q.metric = ?"
            arguments.append(.text(metric))
        }
        return try windows(
            """
            WHERE t.start BETWEEN ? AND ? \(condition)
            ORDER BY t.start DESC, t.series_id DESC, t.size DESC, t.slide DESC LIMIT ? OFFSET ?
            """, arguments + selection.page, database)
    }

    private static func windows(
        _ clauses: String, _ arguments: [SQLValue], _ database: Database
    ) throws -> [StoredWindow] {
        try database.rows(
            """
            SELECT s.name, q.metric, t.start, t.size, t.score, t.statistics
            FROM windows t CROSS JOIN series q ON q.id = t.series_id CROSS JOIN sensors s ON s.id = q.sensor_id
            \(clauses)
            """, arguments
        ) { row in
            let start = row.timestamp(2)
            return StoredWindow(
                sensor: row.text(0), metric: row.text(1), start: start,
                end: start.advanced(by: .nanoseconds(row.int64(3))), statistics: row.doubles(5), score: row.double(4))
        }
    }
}

extension SQLStatement {
    /// Little-endian doubles; statistics that an older version did not have yet are not-a-number.
    func doubles(_ column: Int32) -> [Double] {
        let bytes = bytes(column)
        var values = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { index in
                Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)))
            }
        }
        while values.count < WindowStatistic.columns { values.append(.nan) }
        return values
    }
}
