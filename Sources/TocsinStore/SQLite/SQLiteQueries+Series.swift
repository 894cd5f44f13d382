internal import GRDB
internal import TocsinCore

// Events; windows have a search of their own (`WindowSearch`).
extension SQLiteQueries {
    // MARK: Events

    /// The hits are found in the indexes alone wherever these say enough; then the rows of the page are read.
    static func events(_ query: RecordQuery, _ database: Database) throws -> [StoredEvent] {
        guard let selection = try Selection(query, database) else { return [] }
        guard let filter = try EventFilter(selection, database) else { return [] }
        let hits =
            if let sensors = filter.sensors {
                try selection.cut(
                    SortedRuns.events.newest(
                        selection.reach, keys: sensors, times: selection.times, where: filter.condition,
                        argument: filter.condition.isEmpty ? nil : selection.metric.map(SQLValue.text), database)
                ).map(\.id)
            } else {
                try walk(selection, database)
            }
        var units = Units()
        return try hits.flatMap { try event($0, &units, database) }
    }

    /// From the newest event on, in the index of times.
    private static func walk(_ selection: Selection, _ database: Database) throws -> [Int64] {
        try database.rows(
            """
            SELECT t.id FROM sensor_events t
            WHERE t.time BETWEEN ?1 AND ?2 \(selection.metric == nil ? "" : EventFilter.hasMetricOnWalk)
            ORDER BY t.time DESC, t.sensor_id DESC, t.event_key DESC LIMIT ?4 OFFSET ?5
            """,
            [
                .integer(selection.times.lowerBound), .integer(selection.times.upperBound),
                .optional(selection.metric),
            ] + selection.page
        ) { $0.int64(0) }
    }

    private static func event(_ id: Int64, _ units: inout Units, _ database: Database) throws -> [StoredEvent] {
        try database.rows(
            """
            SELECT t.sensor_id, s.name, t.time, t.received, t.source, t.late, t.readings, t.payload, t.event_key
            FROM sensor_events t LEFT JOIN sensors s ON s.id = t.sensor_id WHERE t.id = ?
            """, [.integer(id)]
        ) { row in
            let sensor = row.int64(0)
            let readings = try numbers(ofObject: row.text(6), database).map { name, value in
                (metric: name, value: value, unit: try units.unit(of: name, sensor: sensor, database))
            }
            return StoredEvent(
                sensor: row.text(1), time: row.timestamp(2), received: row.timestamp(3), source: row.text(4),
                isLate: row.int64(5) != 0, readings: readings, payload: row.bytes(7),
                key: UInt64(bitPattern: row.int64(8)))
        }
    }

    /// How a metric and a sensor narrow the events down.
    private struct EventFilter {
        /// Sensors to ask for in the index by sensor; nil = walk the index of times from the newest event on.
        var sensors: [Int64]?
        /// What else must hold of an event; empty where the sensor says enough.
        var condition = ""

        /// So many sensors are asked for a metric, if they are fewer than one in so many.
        private static let askedSensors = 1024
        private static let askedShare: Int64 = 16
        private static let hasMetric = "EXISTS (SELECT 1 FROM json_each(t.readings) j WHERE j.key = ?)"

        /// The row is read only of sensors that have other metrics too: one of a single series has no event without it.
        static let hasMetricOnWalk = """
            AND EXISTS (SELECT 1 FROM series q WHERE q.sensor_id = t.sensor_id AND q.metric = ?3)
            AND (NOT EXISTS (SELECT 1 FROM series q WHERE q.sensor_id = t.sensor_id AND q.metric <> ?3)
                OR EXISTS (SELECT 1 FROM json_each(t.readings) j WHERE j.key = ?3))
            """

        /// nil where nothing can match.
        init?(_ selection: Selection, _ database: Database) throws {
            sensors = selection.sensor.map { [$0] }
            guard let metric = selection.metric else { return }
            let owners = try database.rows(
                """
                SELECT q.sensor_id, (SELECT count(*) FROM series o WHERE o.sensor_id = q.sensor_id)
                FROM series q WHERE q.metric = ? \(selection.sensor == nil ? "" : "AND q.sensor_id = ?") LIMIT ?
                """,
                [.text(metric)] + (selection.sensor.map { [.integer($0)] } ?? [])
                    + [.integer(Int64(Self.askedSensors) + 1)]
            ) { (sensor: $0.int64(0), series: $0.int64(1)) }
            if owners.isEmpty { return nil }
            if sensors == nil {
                let all = try database.integer("SELECT max(id) FROM sensors") ?? 0
                guard owners.count <= Self.askedSensors, Int64(owners.count) * Self.askedShare < all else {
                    return
                }
                sensors = owners.map(\.sensor)
            }
            if !owners.allSatisfy({ $0.series == 1 }) { condition = Self.hasMetric }
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
