internal import TocsinCore

/// Listings of events. Must be called within one read transaction.
enum EventQueries {
    private static let columns = """
        t.sensor_id, (SELECT s.name FROM sensors s WHERE s.id = t.sensor_id), t.time, t.received, t.source, t.late, \
        t.readings, t.payload, t.event_key
        """
    /// A metric that so few sensors have is looked for at each of them.
    private static let askedSensors: Int64 = 64

    static func events(_ query: RecordQuery, _ connection: PostgresConnection) throws -> [StoredEvent] {
        guard let selection = try Selection(query, connection) else { return [] }
        var rows = NewestRows(
            table: .events, time: "time", source: "FROM sensor_events t WHERE t.time BETWEEN $1 AND $2", values: [],
            columns: columns, order: "t.time DESC, t.sensor_id DESC, t.event_key DESC")
        if let metric = selection.metric {
            rows.values.append(.text(metric))
            rows.source += " AND (t.readings -> $3::text) IS NOT NULL"
        }
        if let sensor = selection.sensor {
            if let metric = selection.metric, try sensors(of: metric, at: sensor, connection).isEmpty { return [] }
            rows.values.append(.integer32(sensor))
            rows.source += " AND t.sensor_id = $\(rows.values.count + 2)"
        } else if let metric = selection.metric {
            let sensors = try sensors(of: metric, at: nil, connection)
            if sensors.isEmpty { return [] }
            if Int64(sensors.count) < askedSensors { rows = few(sensors, rows) }
        }
        var found = try rows.list(selection, connection) { row in
            (
                sensor: row.int32(0),
                event: StoredEvent(
                    sensor: row.text(1), time: row.timestamp(2), received: row.timestamp(3), source: row.text(4),
                    isLate: row.bool(5),
                    readings: FlatObject.numbers(row.bytes(6)).map { ($0.name, $0.value, nil) }, payload: row.bytes(7),
                    key: UInt64(bitPattern: row.int64(8)))
            )
        }
        try addUnits(&found, connection)
        return found.map(\.event)
    }

    /// The newest of each sensor, then the newest of those.
    private static func few(_ sensors: [Int32], _ rows: NewestRows) -> NewestRows {
        var rows = rows
        rows.values.append(.integers32(sensors))
        rows.owners = NewestRows.Owners(count: sensors.count, column: "sensor_id")
        rows.source = """
            FROM unnest($4::integer[]) AS n (sensor) CROSS JOIN LATERAL (
                SELECT * FROM sensor_events e WHERE e.sensor_id = n.sensor AND e.time BETWEEN $1 AND $2
                    AND (e.readings -> $3::text) IS NOT NULL
                ORDER BY e.time DESC, e.event_key DESC LIMIT $5) AS t
            """
        return rows
    }

    private static func sensors(
        of metric: String, at sensor: Int32?, _ connection: PostgresConnection
    ) throws -> [Int32] {
        try connection.query(
            "SELECT sensor_id FROM series WHERE metric = $1 \(sensor == nil ? "" : "AND sensor_id = $3") LIMIT $2",
            [.text(metric), .integer(askedSensors)] + (sensor.map { [.integer32($0)] } ?? [])
        ).map { $0.int32(0) }
    }

    private static func addUnits(
        _ found: inout [(sensor: Int32, event: StoredEvent)], _ connection: PostgresConnection
    ) throws {
        guard !found.isEmpty else { return }
        var units: [Int32: [String: String]] = [:]
        let rows = try connection.query(
            "SELECT sensor_id, metric, unit FROM series WHERE sensor_id = ANY($1::integer[]) AND unit IS NOT NULL",
            [.integers32(Array(Set(found.map(\.sensor))))]
        ).map { ($0.int32(0), $0.text(1), $0.text(2)) }
        for (sensor, metric, unit) in rows { units[sensor, default: [:]][metric] = unit }
        for place in found.indices {
            guard let known = units[found[place].sensor] else { continue }
            for reading in found[place].event.readings.indices {
                found[place].event.readings[reading].unit = known[found[place].event.readings[reading].metric]
            }
        }
    }
}
