internal import TocsinCore

/// The rows that stand for this process's sensors and series. The server gives the numbers, so that many processes may
/// write at once; what it gave never changes, so what is known here stays true as long as the connection does.
///
/// Ids in a `SeriesTable` are dense, so every lookup on the hot path is one array access.
struct RowNumbers {
    /// By `SensorID.index`; 0 = not yet known.
    private(set) var sensors: [Int32] = []
    /// By `SeriesID.index`; 0 = not yet known.
    private(set) var series: [Int32] = []
    /// By `SeriesID.index`.
    private(set) var metricOfSeries: [UInt32] = []
    /// By `MetricID.index`: `"temperature":` with its JSON escapes, and a hash of the name.
    private(set) var metrics: [MetricText] = []
    /// Series stored before a unit was known.
    var unitless: [SeriesID] = []

    struct MetricText {
        var jsonKey: [UInt8] = []
        var hash: UInt64 = 0
    }

    /// A new connection may lead to a server that lost what the old one had said.
    mutating func forget() {
        for index in sensors.indices { sensors[index] = 0 }
        for index in series.indices { series[index] = 0 }
        unitless = []
    }

    func sensor(_ id: SensorID) -> Int32 {
        Int(id.index) < sensors.count ? sensors[Int(id.index)] : 0
    }

    // MARK: Resolving

    private struct Wanted {
        var sensors: [SensorID] = []
        var times: [Int64] = []
        var series: [SeriesID] = []
    }

    /// Gives every sensor and series of the outcomes a row. In transactions of its own: numbers outlive a write that
    /// fails, and other processes do not wait for this one's events.
    mutating func resolve(
        _ outcomes: [BatchOutcome], table: SeriesTable, _ connection: PostgresConnection
    ) throws {
        var wanted = Wanted()
        for outcome in outcomes {
            let batch = outcome.batch
            for event in 0..<batch.eventCount where outcome.fates[event].isWritten {
                note(batch.sensors[event], at: batch.times[event], &wanted)
                for reading in batch.readings(of: event) { note(batch.series[reading], &wanted) }
            }
            for row in 0..<outcome.windows.count {
                note(outcome.windows.sensors[row], at: outcome.windows.start[row], &wanted)
                note(outcome.windows.series[row], &wanted)
            }
        }
        guard !wanted.sensors.isEmpty || !wanted.series.isEmpty else { return }
        let (sensorIDs, seriesIDs) = (wanted.sensors, wanted.series)
        let names = table.withIndex { index in Names(sensorIDs, seriesIDs, index) }
        do {
            try resolveSensors(wanted, names, connection)
            try resolveSeries(wanted.series, names, connection)
        } catch {
            forget()
            throw error
        }
    }

    // -1 marks a name that is already on the list.
    private mutating func note(_ sensor: SensorID, at time: Timestamp, _ wanted: inout Wanted) {
        let index = Int(sensor.index)
        if index >= sensors.count {
            sensors.append(contentsOf: repeatElement(0, count: max(index + 1, sensors.count * 2) - sensors.count))
        }
        guard sensors[index] == 0 else { return }
        sensors[index] = -1
        wanted.sensors.append(sensor)
        wanted.times.append(time.nanoseconds)
    }

    private mutating func note(_ id: SeriesID, _ wanted: inout Wanted) {
        let index = Int(id.index)
        if index >= series.count {
            let missing = max(index + 1, series.count * 2) - series.count
            series.append(contentsOf: repeatElement(0, count: missing))
            metricOfSeries.append(contentsOf: repeatElement(0, count: missing))
        }
        guard series[index] == 0 else { return }
        series[index] = -1
        wanted.series.append(id)
    }

    private mutating func resolveSensors(
        _ wanted: Wanted, _ names: Names, _ connection: PostgresConnection
    ) throws {
        guard !wanted.sensors.isEmpty else { return }
        let rows = try Self.rows(
            ofSensors: names.sensors.map(\.name), zones: names.sensors.map(\.zone), times: wanted.times, connection)
        for (id, entry) in zip(wanted.sensors, names.sensors) { sensors[Int(id.index)] = rows[entry.name] ?? 0 }
    }

    /// The rows of sensors by name, made where they are new. Names that differ only in what PostgreSQL cannot hold are
    /// one sensor.
    static func rows(
        ofSensors names: [String], zones: [String?], times: [Int64], _ connection: PostgresConnection
    ) throws -> [String: Int32] {
        let storable = names.map(\.storable)
        var known: [String: Int32] = [:]
        func look(for names: [String]) throws {
            let rows = try connection.query(
                "SELECT id, name FROM sensors WHERE name = ANY($1::text[])", [.texts(names)])
            for (id, name) in rows.map({ ($0.int32(0), $0.text(1)) }) { known[name] = id }
        }
        try look(for: storable)
        // Only what is really new is inserted: every refused row would use up a number.
        var isListed = Set<String>()
        let new = storable.indices.filter { known[storable[$0]] == nil && isListed.insert(storable[$0]).inserted }
        if !new.isEmpty {
            // In the order of names, so that two processes do not wait for each other crosswise.
            try connection.run(
                """
                INSERT INTO sensors (name, zone, first_seen, last_seen)
                SELECT name, zone, time, time FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (name, zone, time)
                ORDER BY name ON CONFLICT (name) DO NOTHING
                """,
                [
                    .texts(new.map { storable[$0] }), .texts(new.map { zones[$0]?.storable }),
                    .integers(new.map { times[$0] }),
                ])
            try look(for: new.map { storable[$0] })
        }
        return Dictionary(zip(names, storable).compactMap { name, stored in known[stored].map { (name, $0) } }) {
            first, _ in
            first
        }
    }

    private struct SeriesKey: Hashable {
        var sensor: Int32
        var metric: String
    }

    private mutating func resolveSeries(
        _ list: [SeriesID], _ names: Names, _ connection: PostgresConnection
    ) throws {
        guard !list.isEmpty else { return }
        var keys: [SeriesKey] = []
        for (id, entry) in zip(list, names.series) {
            describe(entry.metric, entry.name)
            metricOfSeries[Int(id.index)] = entry.metric.index
            // The sensor of a series always comes with it, in an event or in a window.
            keys.append(SeriesKey(sensor: sensor(entry.sensor), metric: entry.name.storable))
        }
        var known: [SeriesKey: (id: Int32, unit: String?)] = [:]
        func look() throws {
            let rows = try connection.query(
                """
                SELECT s.id, s.sensor_id, s.metric, s.unit
                FROM unnest($1::integer[], $2::text[]) AS n (sensor_id, metric) JOIN series s USING (sensor_id, metric)
                """, [.integers32(keys.map(\.sensor)), .texts(keys.map(\.metric))])
            for (id, sensor, metric, unit) in rows.map({ ($0.int32(0), $0.int32(1), $0.text(2), $0.optionalText(3)) }) {
                known[SeriesKey(sensor: sensor, metric: metric)] = (id, unit)
            }
        }
        try look()
        let new = keys.indices.filter { known[keys[$0]] == nil }
        if !new.isEmpty {
            try connection.run(
                """
                INSERT INTO series (sensor_id, metric, unit)
                SELECT DISTINCT ON (sensor_id, metric) sensor_id, metric, unit
                FROM unnest($1::integer[], $2::text[], $3::text[]) AS n (sensor_id, metric, unit)
                ORDER BY sensor_id, metric ON CONFLICT (sensor_id, metric) DO NOTHING
                """,
                [
                    .integers32(new.map { keys[$0].sensor }), .texts(new.map { keys[$0].metric }),
                    .texts(new.map { names.series[$0].unit?.storable }),
                ])
            try look()
        }
        var changed: [(id: Int32, unit: String)] = []
        for (index, id) in list.enumerated() {
            guard let row = known[keys[index]] else { continue }
            series[Int(id.index)] = row.id
            if let unit = names.series[index].unit {
                if row.unit != unit.storable { changed.append((row.id, unit)) }
            } else {
                unitless.append(id)
            }
        }
        try Self.setUnits(changed, connection)
    }

    static func setUnits(_ units: [(id: Int32, unit: String)], _ connection: PostgresConnection) throws {
        guard !units.isEmpty else { return }
        try connection.run(
            """
            UPDATE series s SET unit = n.unit FROM unnest($1::integer[], $2::text[]) AS n (id, unit)
            WHERE s.id = n.id AND s.unit IS DISTINCT FROM n.unit
            """, [.integers32(units.map(\.id)), .texts(units.map(\.unit))])
    }

    private mutating func describe(_ metric: MetricID, _ name: String) {
        let index = Int(metric.index)
        while metrics.count <= index { metrics.append(MetricText()) }
        guard metrics[index].jsonKey.isEmpty else { return }
        var json = JSONWriter()
        json.key(name.storable)
        var hash = StableHash()
        hash.combine(name)
        metrics[index] = MetricText(jsonKey: json.bytes, hash: hash.value)
    }
}

/// What the series table says of some sensors and series, copied out under its lock.
private struct Names {
    var sensors: [(name: String, zone: String?)] = []
    var series: [(sensor: SensorID, metric: MetricID, name: String, unit: String?)] = []

    init(_ sensors: [SensorID], _ series: [SeriesID], _ index: borrowing SeriesIndex) {
        self.sensors.reserveCapacity(sensors.count)
        for sensor in sensors { self.sensors.append((index.name(sensor), index.zone(of: sensor))) }
        self.series.reserveCapacity(series.count)
        for id in series {
            let metric = index.metric(of: id)
            self.series.append((index.sensor(of: id), metric, index.name(metric), index.unit(of: id)))
        }
    }
}

extension EventFate {
    var isWritten: Bool { self == .stored || self == .late }
}

extension String {
    /// As PostgreSQL can hold it: it has no place for U+0000.
    var storable: String { utf8.contains(0) ? replacing("\0", with: "\u{fffd}") : self }
}
