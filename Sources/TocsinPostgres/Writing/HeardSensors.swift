internal import TocsinCore

/// When sensors were heard, gathered here and written down every few seconds: a row per sensor and batch would cost as
/// much as the batch.
struct HeardSensors {
    // By `SensorID.index`.
    private var first: [Int64] = []
    private var last: [Int64] = []
    private var isListed: [Bool] = []
    private var waiting: [SensorID] = []
    // Arrival time of the batch with which it was last written down.
    private var flushed: Int64?

    private static let interval: Int64 = 5_000_000_000
    /// A second's worth of work for no transaction: a million sensors are written down in many.
    private static let flushedAtOnce = 20_000

    mutating func hear(_ outcome: BatchOutcome) {
        let batch = outcome.batch
        for event in 0..<batch.eventCount where outcome.fates[event].isWritten {
            hear(batch.sensors[event], at: batch.times[event].nanoseconds)
        }
    }

    private mutating func hear(_ sensor: SensorID, at time: Int64) {
        let index = Int(sensor.index)
        if index >= last.count {
            let missing = max(index + 1, last.count * 2) - last.count
            first.append(contentsOf: repeatElement(.max, count: missing))
            last.append(contentsOf: repeatElement(.min, count: missing))
            isListed.append(contentsOf: repeatElement(false, count: missing))
        }
        if time > last[index] { last[index] = time }
        if time < first[index] { first[index] = time }
        guard !isListed[index] else { return }
        isListed[index] = true
        waiting.append(sensor)
    }

    func isDue(_ received: Int64) -> Bool {
        guard !waiting.isEmpty else { return false }
        guard let flushed else { return true }
        let (waited, overflow) = received.subtractingReportingOverflow(flushed)
        // A clock that was set back counts as due.
        return overflow || waited < 0 || waited >= Self.interval
    }

    /// Writes down a part of what waits; what waits longest first.
    /// - Returns: whether more waits.
    mutating func flush(
        _ numbers: inout RowNumbers, table: SeriesTable, received: Int64?, _ connection: PostgresConnection
    ) throws -> Bool {
        let part = Array(waiting.prefix(Self.flushedAtOnce)).filter { numbers.sensor($0) > 0 }
        let unitless = numbers.unitless
        let (zones, units) = table.withIndex { index in
            (part.map { index.zone(of: $0) }, unitless.map { index.unit(of: $0) })
        }
        if !part.isEmpty {
            // In the order of ids, so that two processes do not wait for each other crosswise.
            let order = part.indices.sorted { numbers.sensor(part[$0]) < numbers.sensor(part[$1]) }
            try connection.run(
                """
                UPDATE sensors s SET first_seen = least(s.first_seen, n.first), last_seen = greatest(s.last_seen, n.last),
                    zone = coalesce(n.zone, s.zone)
                FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[]) AS n (id, first, last, zone)
                WHERE s.id = n.id
                """,
                [
                    .integers32(order.map { numbers.sensor(part[$0]) }),
                    .integers(order.map { first[Int(part[$0].index)] }),
                    .integers(order.map { last[Int(part[$0].index)] }), .texts(order.map { zones[$0]?.storable }),
                ])
        }
        try RowNumbers.setUnits(
            zip(unitless, units).compactMap { id, unit in
                unit.map { (numbers.series[Int(id.index)], $0.storable) }
            }.filter { $0.0 > 0 }, connection)
        numbers.unitless = zip(unitless, units).filter { $0.1 == nil }.map(\.0)
        for sensor in waiting.prefix(Self.flushedAtOnce) { isListed[Int(sensor.index)] = false }
        waiting.removeFirst(min(Self.flushedAtOnce, waiting.count))
        if waiting.isEmpty || flushed == nil { flushed = received ?? flushed }
        return !waiting.isEmpty
    }
}
