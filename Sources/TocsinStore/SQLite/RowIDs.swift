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

    // By `SensorID.index`.
    var firstSeen: [Int64] = []
    var lastSeen: [Int64] = []
    var isHeard: [Bool] = []
    /// Sensors heard and not written down yet, the one that waits longest first.
    var heard = WaitingList<SensorID>()
    /// Series stored before a unit was known.
    var unitless = WaitingList<SeriesID>()

    /// Drops what a failed transaction may have made untrue. When sensors were heard is kept: that is still true.
    mutating func forget() {
        for index in sensors.indices { sensors[index] = 0 }
        for index in series.indices { series[index] = 0 }
        unitless = WaitingList()
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
        try insertSensors(newSensors, names, database)
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

    private mutating func insertSensors(_ list: [NewSensor], _ names: Names, _ database: Database) throws {
        let insert = try SQLStatement(
            database,
            "INSERT INTO sensors (name, zone, first_seen, last_seen) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING")
        let find = try SQLStatement(database, "SELECT id FROM sensors WHERE name = ?")
        try insert.repeatedly {
            for (sensor, entry) in zip(list, names.sensors) {
                try insert.bind(1, entry.name)
                try insert.bind(2, entry.zone)
                insert.bind(3, sensor.time.nanoseconds)
                insert.bind(4, sensor.time.nanoseconds)
                if try insert.run() > 0 {
                    sensors[Int(sensor.id.index)] = database.lastInsertedRowID
                } else {
                    try find.bind(1, entry.name)
                    sensors[Int(sensor.id.index)] = try find.firstInteger() ?? 0
                }
            }
        }
    }

    private mutating func insertSeries(_ list: [SeriesID], _ names: Names, _ database: Database) throws {
        let insert = try SQLStatement(
            database,
            "INSERT INTO series (sensor_id, metric, unit) VALUES (?, ?, ?) ON CONFLICT (sensor_id, metric) DO NOTHING")
        let find = try SQLStatement(database, "SELECT id FROM series WHERE sensor_id = ? AND metric = ?")
        try insert.repeatedly {
            for (id, entry) in zip(list, names.series) {
                describe(entry.metric, entry.name)
                metricOfSeries[Int(id.index)] = entry.metric.index
                // The sensor of a series always comes with it, in an event or in a window.
                let sensor = sensors[Int(entry.sensor.index)]
                insert.bind(1, sensor)
                try insert.bind(2, entry.name)
                try insert.bind(3, entry.unit)
                if try insert.run() > 0 {
                    series[Int(id.index)] = database.lastInsertedRowID
                } else {
                    find.bind(1, sensor)
                    try find.bind(2, entry.name)
                    let row = try find.firstInteger() ?? 0
                    series[Int(id.index)] = row
                    if let unit = entry.unit { try Self.setUnit(unit, ofSeries: row, database) }
                }
                if entry.unit == nil { unitless.append(id) }
            }
        }
    }

    private mutating func describe(_ metric: MetricID, _ name: String) {
        let index = Int(metric.index)
        while metrics.count <= index { metrics.append(MetricText(jsonKey: [], hash: 0)) }
        guard metrics[index].jsonKey.isEmpty else { return }
        var json = JSONWriter()
        json.key(name)
        var hash = StableHash()
        hash.combine(name)
        metrics[index] = MetricText(jsonKey: json.bytes, hash: hash.value)
    }

    static func setUnit(_ unit: String, ofSeries row: Int64, _ database: Database) throws {
        try database.run(
            "UPDATE series SET unit = ? WHERE id = ? AND unit IS NOT ?", [.text(unit), .integer(row), .text(unit)])
    }

    /// The row of a sensor, made when new.
    static func row(ofSensor name: String, zone: String?, time: Timestamp, _ database: Database) throws -> Int64 {
        if let known = try database.integer("SELECT id FROM sensors WHERE name = ?", [.text(name)]) { return known }
        try database.run(
            "INSERT INTO sensors (name, zone, first_seen, last_seen) VALUES (?, ?, ?, ?)",
            [.text(name), .optional(zone), .integer(time.nanoseconds), .integer(time.nanoseconds)])
        return database.lastInsertedRowID
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
