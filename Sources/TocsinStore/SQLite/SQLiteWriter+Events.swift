internal import GRDB
internal import TocsinCore

extension SQLiteWriter {
    // The key names the conflict that a replay makes; any other conflict is our own mistake and must be heard.
    private static let insertEvent = """
        INSERT INTO sensor_events (id, sensor_id, time, event_key, received, source, late, readings, payload)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (time, sensor_id, event_key) DO UPDATE SET readings = excluded.readings
        WHERE length(excluded.readings) > length(sensor_events.readings)
        """

    /// Writes the events whose fate is stored or late. A replayed event leaves its row as it is, unless more of its
    /// readings are accepted now than then.
    /// - Returns: the readings of events that were there as they are.
    mutating func writeEvents(_ outcome: BatchOutcome, _ database: Database) throws -> HeldReadings {
        var held = HeldReadings()
        let batch = outcome.batch
        let statement = try SQLStatement(database, Self.insertEvent)
        try Self.bind(batch.origin, to: statement)
        let isMixed = !batch.originOfEvent.isEmpty
        var text = ReadingsText()
        swap(&text, &json)
        defer { swap(&text, &json) }
        try statement.repeatedly {
            try batch.bytes.withUnsafeBytes { bytes in
                for event in 0..<batch.eventCount where outcome.fates[event].isWritten {
                    let key = describe(event, of: batch, outcome.accepted, &text)
                    if isMixed { try Self.bind(batch.origin(of: event), to: statement) }
                    statement.bind(1, events.nextID)
                    statement.bind(2, rowIDs.sensors[Int(batch.sensors[event].index)])
                    statement.bind(3, batch.times[event].nanoseconds)
                    statement.bind(4, Int64(bitPattern: key))
                    statement.bind(7, outcome.fates[event] == .late ? Int64(1) : 0)
                    let payload =
                        settings.storesPayloads ? batch.payloads[event].range.clamped(to: bytes.indices) : 0..<0
                    try statement.bindBorrowed(9, bytes: UnsafeRawBufferPointer(rebasing: bytes[payload]))
                    let changed = try text.bytes.withUnsafeBufferPointer { readings in
                        try statement.bindBorrowed(8, text: readings)
                        return try statement.run()
                    }
                    if changed == 0 {
                        count(event, of: outcome, in: &held)
                    } else if statement.lastInsertedID == events.nextID {
                        events.useNextID()
                    }
                }
            }
        }
        return held
    }

    private static func bind(_ origin: Origin, to statement: SQLStatement) throws {
        statement.bind(5, origin.received.nanoseconds)
        try statement.bind(6, origin.sourceName)
    }

    private func count(_ event: Int, of outcome: BatchOutcome, in held: inout HeldReadings) {
        for reading in outcome.batch.readings(of: event) where outcome.accepted[reading] {
            if outcome.fates[event] == .late { held.late += 1 } else { held.stored += 1 }
        }
    }

    /// Fills `text` with the accepted readings; returns the key that tells events of one sensor and time apart.
    ///
    /// Without a device's own id the key is the content: two narrow messages with different metrics are two events,
    /// and the same message sent again is the same one. Refused readings count, so that a changed rule for what is
    /// accepted does not make a second event of the first.
    private func describe(
        _ event: Int, of batch: Batch, _ accepted: [Bool], _ text: inout ReadingsText
    ) -> UInt64 {
        text.open()
        var hash = StableHash()
        for reading in batch.readings(of: event) {
            let metric = Int(rowIDs.metricOfSeries[Int(batch.series[reading].index)])
            let value = batch.values[reading]
            hash.combine(rowIDs.metrics[metric].hash)
            hash.combine(value.bitPattern)
            if accepted[reading] { text.append(key: rowIDs.metrics[metric].jsonKey, value) }
        }
        text.close()
        let deviceKey = batch.eventKeys[event]
        return deviceKey == 0 ? hash.value : deviceKey
    }
}
