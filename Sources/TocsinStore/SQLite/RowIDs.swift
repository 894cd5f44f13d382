internal import GRDB
internal import TocsinCore

/// The rows that stand for this process's sensors and series, and when each sensor was heard.
///
/// Ids in a `SeriesTable` are dense, so every lookup on the hot path is one array access.
struct RowIDs {
    /// By `SensorID.index`; 0 = not yet known to the database.
    private(set) var sensors: [Int64] = []
    /// By `SeriesID.index`; 0 = not yet known to the database.
    private(set) var series: [Int64] = []
    /// By `SeriesID.index`.
    private(set) var metricOfSeries: [UInt32] = []
    /// By `MetricID.index`: `"temperature":` with its JSON escapes, and a hash of the name.
    private(set) var metrics: [MetricText] = []

    struct MetricText {
        var jsonKey: [UInt8]
        var hash: UInt64
    }

    // Heard since the last flush, by `SensorID.index`.
    private var firstSeen: [Int64] = []
    private var lastSeen: [Int64] = []
    private var isHeard: [Bool] = []
    private var heard: [Int] = []
    // Series stored before a unit was known.
    private var unitless: [SeriesID] = []

    /// Drops what a failed transaction may have made untrue. When sensors were heard is kept: that is still true.
    mutating func forget() {
        for index in sensors.indices { sensors[index] = 0 }
        for index in series.indices { series[index] = 0 }
        unitless = []
    }

    // MARK: Resolving

    /// Gives every sensor and series of the outcomes a row, taking the table's lock once.
    mutating func resolve(_ outcomes: [BatchOutcome], table: SeriesTable, _ database: Database) throws {
        var newSensors: [NewSensor] = []
        var newSeries: [SeriesID] = []
        for outcome in outcomes {
            let batch = outcome.batch
            for event in 0..<batch.eventCount where outcome.fates[event].isWritten {
                note(batch.sensors[event], at: batch.times[event], &newSensors)
                for reading in batch.readings(of: event) { note(batch.series[reading], &newSeries) }
            }
            for row in 0..<outcome.windows.count {
                note(outcome.windows.sensors[row], at: outcome.windows.start[row], &newSensors)
                note(outcome.windows.series[row], &newSeries)
            }
        }
        guard !newSensors.isEmpty || !newSeries.isEmpty else { return }
        let (sensorRequests, seriesRequests) = (newSensors.map(\.id), newSeries)
        let names = table.withIndex { index in Names(sensorRequests, seriesRequests, index) }
        for (sensor, entry) in zip(newSensors, names.sensors) {
            sensors[Int(sensor.id.index)] = try Self.row(
                ofSensor: entry.name, zone: entry.zone, time: sensor.time, database)
        }
        try insertSeries(newSeries, names, database)
    }

    private struct NewSensor {
        var id: SensorID
        var time: Timestamp
    }

    // -1 marks a name that is already on the list.
    private mutating func note(_ sensor: SensorID, at time: Timestamp, _ list: inout [NewSensor]) {
        let index = Int(sensor.index)
        if index >= sensors.count { growSensors(index + 1) }
        guard sensors[index] == 0 else { return }
        sensors[index] = -1
        list.append(NewSensor(id: sensor, time: time))
    }

    private mutating func note(_ series: SeriesID, _ list: inout [SeriesID]) {
        let index = Int(series.index)
        if index >= self.series.count { growSeries(index + 1) }
        guard self.series[index] == 0 else { return }
        self.series[index] = -1
        list.append(series)
    }

    private mutating func growSensors(_ count: Int) {
        let missing = max(count, sensors.count * 2) - sensors.count
        sensors.append(contentsOf: repeatElement(0, count: missing))
        firstSeen.append(contentsOf: repeatElement(.max, count: missing))
        lastSeen.append(contentsOf: repeatElement(.min, count: missing))
        isHeard.append(contentsOf: repeatElement(false, count: missing))
    }

    private mutating func growSeries(_ count: Int) {
        let missing = max(count, series.count * 2) - series.count
        series.append(contentsOf: repeatElement(0, count: missing))
        metricOfSeries.append(contentsOf: repeatElement(0, count: missing))
    }

    private mutating func insertSeries(_ list: [SeriesID], _ names: Names, _ database: Database) throws {
        for (id, entry) in zip(list, names.series) {
            let index = Int(id.index)
            metricOfSeries[index] = entry.metric.index
            let metric = Int(entry.metric.index)
            while metrics.count <= metric { metrics.append(MetricText(jsonKey: [], hash: 0)) }
            if metrics[metric].jsonKey.isEmpty {
                var json = JSONWriter()
                json.key(entry.name)
                var hash = StableHash()
                hash.combine(entry.name)
                metrics[metric] = MetricText(jsonKey: json.bytes, hash: hash.value)
            }
            // The sensor of a series always comes with it, in an event or in a window.
            let sensor = sensors[Int(entry.sensor.index)]
            try database.run(
                """
                INSERT INTO series (sensor_id, metric, unit) VALUES (?, ?, ?)
                ON CONFLICT (sensor_id, metric) DO UPDATE SET unit = coalesce(excluded.unit, unit)
                """, [.integer(sensor), .text(entry.name), .optional(entry.unit)])
            series[index] =
                try database.integer(
                    "SELECT id FROM series WHERE sensor_id = ? AND metric = ?", [.integer(sensor), .text(entry.name)])
                ?? 0
            if entry.unit == nil { unitless.append(id) }
        }
    }

    /// The row of a sensor, made when new.
    static func row(ofSensor name: String, zone: String?, time: Timestamp, _ database: Database) throws -> Int64 {
        if let known = try database.integer("SELECT id FROM sensors WHERE name = ?", [.text(name)]) { return known }
        try database.run(
            "INSERT INTO sensors (name, zone, first_seen, last_seen) VALUES (?, ?, ?, ?)",
            [.text(name), .optional(zone), .integer(time.nanoseconds), .integer(time.nanoseconds)])
        return database.lastInsertedRowID
    }

    // MARK: First and last seen

    mutating func hear(_ sensor: SensorID, at time: Timestamp) {
        let index = Int(sensor.index)
        let nanoseconds = time.nanoseconds
        if nanoseconds > lastSeen[index] { lastSeen[index] = nanoseconds }
        if nanoseconds < firstSeen[index] { firstSeen[index] = nanoseconds }
        guard !isHeard[index] else { return }
        isHeard[index] = true
        heard.append(index)
    }

    /// Writes down when sensors were heard, and the zones and units that became known since they were first stored.
    mutating func flush(table: SeriesTable, _ database: Database) throws {
        let (sensorRequests, seriesRequests) = (heard.map { SensorID(UInt32($0)) }, unitless)
        let names = table.withIndex { index in Names(sensorRequests, seriesRequests, index) }
        for (index, entry) in zip(heard, names.sensors) where sensors[index] > 0 {
            try database.run(
                """
                UPDATE sensors SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?),
                    zone = coalesce(?, zone) WHERE id = ?
                """,
                [
                    .integer(firstSeen[index]), .integer(lastSeen[index]), .optional(entry.zone),
                    .integer(sensors[index]),
                ])
        }
        for index in heard { isHeard[index] = false }
        heard.removeAll(keepingCapacity: true)
        var stillUnitless: [SeriesID] = []
        for (id, entry) in zip(unitless, names.series) {
            if let unit = entry.unit, series[Int(id.index)] > 0 {
                try database.run(
                    "UPDATE series SET unit = ? WHERE id = ?", [.text(unit), .integer(series[Int(id.index)])])
            } else {
                stillUnitless.append(id)
            }
        }
        unitless = stillUnitless
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
