internal import TocsinCore

// Events and windows: straight into their partitions, or by way of staging tables.
extension PostgresWriter {
    static let staging = """
        CREATE TEMPORARY TABLE staged_events (
            ordinal integer NOT NULL, round integer NOT NULL, LIKE sensor_events) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE staged_windows (LIKE windows) ON COMMIT DELETE ROWS;
        """

    // The key names the conflict that a replay makes; any other conflict is our own mistake and must be heard. A replayed
    // event leaves its row as it is, unless more of its readings are accepted now than then.
    private static let insertEvents = """
        WITH written AS (
            INSERT INTO sensor_events (\(EventEncoder.columns))
            SELECT \(EventEncoder.columns) FROM staged_events WHERE round = $1
            ON CONFLICT (sensor_id, time, event_key) DO UPDATE SET readings = excluded.readings
            WHERE length(excluded.readings::text) > length(sensor_events.readings::text)
            RETURNING sensor_id, time, event_key
        )
        SELECT ordinal FROM staged_events s WHERE round = $1 AND NOT EXISTS (
            SELECT 1 FROM written w
            WHERE w.sensor_id = s.sensor_id AND w.time = s.time AND w.event_key = s.event_key)
        """

    private static let insertWindows = """
        INSERT INTO windows (\(WindowRows.columns)) SELECT \(WindowRows.columns) FROM staged_windows
        ON CONFLICT (series_id, start, size, slide) DO UPDATE SET score = excluded.score, \
        \(WindowRows.statistics.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
        WHERE excluded.count >= windows.count
        """

    func copy(_ events: EventRows, _ outcomes: [BatchOutcome], _ connection: PostgresConnection) throws {
        var encoder = EventEncoder(outcomes, numbers, storesPayloads: storesPayloads)
        try connection.copy(into: "sensor_events (\(EventEncoder.columns))", &buffer) { buffer, sendIfFull in
            for row in events.rows {
                buffer.append(EventEncoder.fields)
                encoder.append(row, to: &buffer)
                try sendIfFull(&buffer)
            }
        }
    }

    /// - Returns: for each outcome, the readings of events that are there as they are.
    func stage(
        _ events: EventRows, _ outcomes: [BatchOutcome], _ connection: PostgresConnection
    ) throws -> [HeldReadings] {
        var encoder = EventEncoder(outcomes, numbers, storesPayloads: storesPayloads)
        try connection.copy(
            into: "staged_events (ordinal, round, \(EventEncoder.columns))", &buffer
        ) { buffer, sendIfFull in
            for (ordinal, row) in events.rows.enumerated() {
                buffer.append(EventEncoder.fields + 2)
                buffer.append(field: Int32(truncatingIfNeeded: ordinal))
                buffer.append(field: row.round)
                encoder.append(row, to: &buffer)
                try sendIfFull(&buffer)
            }
        }
        // The planner knows nothing of a table that was just filled: comparing each row with each other must not be
        // its idea.
        try connection.execute("SET LOCAL enable_nestloop = off")
        var held = outcomes.map { _ in HeldReadings() }
        // Events with the same key one after the other, as if each came in a write of its own.
        for round in 0..<events.rounds {
            let known = try connection.query(Self.insertEvents, [.integer32(round)]).map { Int($0.int32(0)) }
            for ordinal in known where events.rows.indices.contains(ordinal) {
                let row = events.rows[ordinal]
                let outcome = outcomes[Int(row.outcome)]
                let readings = outcome.batch.readings(of: Int(row.event)).count { outcome.accepted[$0] }
                if outcome.fates[Int(row.event)] == .late {
                    held[Int(row.outcome)].late += readings
                } else {
                    held[Int(row.outcome)].stored += readings
                }
            }
        }
        return held
    }

    func copy(_ windows: WindowRows, _ outcomes: [BatchOutcome], _ connection: PostgresConnection) throws {
        try fill("windows", windows, outcomes, connection)
    }

    /// - Returns: whether some were there already.
    func stage(
        _ windows: WindowRows, _ outcomes: [BatchOutcome], _ connection: PostgresConnection
    ) throws -> Bool {
        try fill("staged_windows", windows, outcomes, connection)
        let known = try connection.query(
            """
            SELECT EXISTS (SELECT 1 FROM staged_windows s WHERE EXISTS (SELECT 1 FROM windows w
                WHERE w.series_id = s.series_id AND w.start = s.start AND w.size = s.size AND w.slide = s.slide))
            """
        ).first?.bool(0)
        try connection.run(Self.insertWindows)
        return known ?? false
    }

    private func fill(
        _ table: String, _ windows: WindowRows, _ outcomes: [BatchOutcome], _ connection: PostgresConnection
    ) throws {
        try connection.copy(into: "\(table) (\(WindowRows.columns))", &buffer) { buffer, sendIfFull in
            for row in windows.rows {
                buffer.append(WindowRows.fields)
                windows.append(row, of: outcomes, to: &buffer)
                try sendIfFull(&buffer)
            }
        }
    }
}
