internal import TocsinCore

/// The events of one write, in the order in which they are written: by day, sensor, time and key, so that neighbours meet
/// the same pages of the index, and the newest events of a sensor stand together on disk.
struct EventRows {
    struct Row {
        var sensor: Int32
        var outcome: Int32
        var event: Int32
        /// How many events of this write with the same key stand before it.
        var round: Int32
        var time: Int64
        var key: Int64
    }

    private(set) var rows: [Row] = []
    private(set) var rounds: Int32 = 0

    init(_ outcomes: [BatchOutcome], _ numbers: RowNumbers) {
        rows.reserveCapacity(outcomes.reduce(0) { $0 + $1.batch.eventCount })
        for (number, outcome) in outcomes.enumerated() {
            let batch = outcome.batch
            for event in 0..<batch.eventCount where outcome.fates[event].isWritten {
                rows.append(
                    Row(
                        sensor: numbers.sensor(batch.sensors[event]), outcome: Int32(truncatingIfNeeded: number),
                        event: Int32(truncatingIfNeeded: event), round: 0, time: batch.times[event].nanoseconds,
                        key: Int64(bitPattern: Self.key(event, of: batch, numbers))))
            }
        }
        // The library's sort is stable: of one key the first to come stays the first.
        rows.sort { ($0.sensor, $0.time, $0.key) < ($1.sensor, $1.time, $1.key) }
        guard !rows.isEmpty else { return }
        rounds = 1
        for index in rows.indices.dropFirst() {
            let before = rows[index - 1]
            guard (before.sensor, before.time, before.key) == (rows[index].sensor, rows[index].time, rows[index].key)
            else { continue }
            rows[index].round = before.round + 1
            rounds = max(rounds, before.round + 2)
        }
    }

    /// The key that tells events of one sensor and time apart.
    ///
    /// Without a device's own id the key is the content: two narrow messages with different metrics are two events,
    /// and the same message sent again is the same one. Refused readings count, so that a changed rule for what is
    /// accepted does not make a second event of the first.
    private static func key(_ event: Int, of batch: Batch, _ numbers: RowNumbers) -> UInt64 {
        let deviceKey = batch.eventKeys[event]
        guard deviceKey == 0 else { return deviceKey }
        var hash = StableHash()
        for reading in batch.readings(of: event) {
            hash.combine(numbers.metrics[Int(numbers.metricOfSeries[Int(batch.series[reading].index)])].hash)
            hash.combine(batch.values[reading].bitPattern)
        }
        return hash.value
    }

    /// Rows by day.
    var days: [Int64: Int] {
        var days: [Int64: Int] = [:]
        var last: (day: Int64, rows: Int)?
        for row in rows {
            let day = DayPartitions.number(of: row.time)
            if let known = last, known.day == day {
                last = (day, known.rows + 1)
            } else {
                if let last { days[last.day, default: 0] += last.rows }
                last = (day, 1)
            }
        }
        if let last { days[last.day, default: 0] += last.rows }
        return days
    }
}

/// Puts events into PostgreSQL's binary form.
struct EventEncoder {
    let outcomes: [BatchOutcome]
    let numbers: RowNumbers
    let storesPayloads: Bool
    private var text = ReadingsText()
    // The name of the source last used: most events of a write have the same.
    private var sourceName = ""
    private var source: [UInt8] = []

    init(_ outcomes: [BatchOutcome], _ numbers: RowNumbers, storesPayloads: Bool) {
        self.outcomes = outcomes
        self.numbers = numbers
        self.storesPayloads = storesPayloads
    }

    static let columns = "time, sensor_id, event_key, received, late, source, readings, payload"
    static let fields: Int16 = 8

    /// The fields of `columns`.
    mutating func append(_ row: EventRows.Row, to buffer: inout BinaryWriter) {
        let number = Int(row.outcome)
        let event = Int(row.event)
        let origin = outcomes[number].batch.origin(of: event)
        if origin.sourceName != sourceName || source.isEmpty {
            sourceName = origin.sourceName
            source = Array(origin.sourceName.storable.utf8)
        }
        text.open()
        for reading in outcomes[number].batch.readings(of: event) where outcomes[number].accepted[reading] {
            let metric = numbers.metricOfSeries[Int(outcomes[number].batch.series[reading].index)]
            text.append(key: numbers.metrics[Int(metric)].jsonKey, outcomes[number].batch.values[reading])
        }
        text.close()
        buffer.append(field: row.time)
        buffer.append(field: row.sensor)
        buffer.append(field: row.key)
        buffer.append(field: origin.received.nanoseconds)
        buffer.append(field: outcomes[number].fates[event] == .late)
        buffer.append(field: source)
        buffer.append(field: text.bytes)
        outcomes[number].batch.bytes.withUnsafeBytes { bytes in
            let range = storesPayloads ? outcomes[number].batch.payloads[event].range.clamped(to: bytes.indices) : 0..<0
            buffer.append(field: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }
}
