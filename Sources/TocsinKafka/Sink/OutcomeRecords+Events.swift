internal import TocsinCore

extension OutcomeRecords {
    /// Events that went to the store, each one message: `{"event_id", "sensor_id", "timestamp", "received", "source",
    /// "position", "zone", "is_late", "is_anomaly", "readings": {…}, "units": {…}}`; about 1 µs each.
    static func processed(_ outcome: BatchOutcome, _ table: SeriesTable) -> [OutputMessage] {
        let batch = outcome.batch
        let texts = EventTexts(batch, table)
        // Anomalies are rare: most batches have none.
        var flagged: Set<String> = []
        for anomaly in outcome.anomalies where anomaly.note == nil {
            flagged.insert("\(anomaly.sensor) \(anomaly.time.nanoseconds)")
        }
        var messages: [OutputMessage] = []
        messages.reserveCapacity(batch.eventCount)
        var json = EventWriter()
        var (origin, place) = (batch.origin, EventWriter.place(batch.origin))
        for event in 0..<min(batch.eventCount, outcome.fates.count) {
            let fate = outcome.fates[event]
            guard fate == .stored || fate == .late else { continue }
            let sensor = texts.sensor(batch.sensors[event])
            let time = batch.times[event]
            let id = eventID(sensor.name, time, key(of: event, batch, texts))
            if !batch.originOfEvent.isEmpty {
                let own = batch.origin(of: event)
                if own.received != origin.received || own.sourceName != origin.sourceName {
                    place = EventWriter.place(own)
                }
                origin = own
            }
            let isAnomaly = !flagged.isEmpty && flagged.contains("\(sensor.name) \(time.nanoseconds)")
            json.begin(id: id, sensor: sensor.json, time: time)
            json.add(place)
            json.add(batch.place(of: batch.payloads[event], in: origin))
            json.add(sensor.zone)
            json.add(EventWriter.flags[(fate == .late ? 2 : 0) + (isAnomaly ? 1 : 0)])
            json.addReadings(of: event, outcome, texts)
            messages.append(
                OutputMessage(
                    key: sensor.key, value: json.bytes, time: time, trace: TraceContext(event: id, message: id)))
        }
        return messages
    }

    /// What tells events of one sensor and time apart, as the stores tell them apart: the device's own id, or else the
    /// content, refused readings included.
    private static func key(of event: Int, _ batch: Batch, _ texts: EventTexts) -> UInt64 {
        let own = batch.eventKeys[event]
        guard own == 0 else { return own }
        var hash = StableHash()
        for reading in batch.readings(of: event) {
            hash.combine(texts.series(batch.series[reading]).hash)
            hash.combine(batch.values[reading].bitPattern)
        }
        return hash.value
    }

    /// The same whenever the event comes.
    static func eventID(_ sensor: String, _ time: Timestamp, _ key: UInt64) -> String {
        var hash = StableHash()
        hash.combine(sensor)
        hash.combine(UInt64(bitPattern: time.nanoseconds))
        hash.combine(key)
        return TraceContext.hex(hash.value)
    }
}

/// The JSON of one event after the other, from parts that are made once a batch.
private struct EventWriter {
    private(set) var bytes: [UInt8] = []
    private var number = JSONWriter()

    private static let id = Array(#"{"event_id":""#.utf8)
    private static let sensor = Array(#"","sensor_id":"#.utf8)
    private static let timestamp = Array(#","timestamp":""#.utf8)
    private static let units = Array(#"},"units":{"#.utf8)
    private static let end = Array("}}".utf8)
    /// `is_late` twice, `is_anomaly` once.
    static let flags = ["false", "true"].flatMap { late in
        ["false", "true"].map { Array(#","is_late":\#(late),"is_anomaly":\#($0),"readings":{"#.utf8) }
    }

    static func place(_ origin: Origin) -> [UInt8] {
        Array(#"","received":"\#(origin.received.iso8601)","source":"#.utf8) + EventTexts.json(origin.sourceName)
            + Array(#","position":"#.utf8)
    }

    mutating func begin(id: String, sensor: [UInt8], time: Timestamp) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: Self.id)
        bytes.append(contentsOf: id.utf8)
        bytes.append(contentsOf: Self.sensor)
        bytes.append(contentsOf: sensor)
        bytes.append(contentsOf: Self.timestamp)
        time.appendISO8601(to: &bytes)
    }

    mutating func add(_ part: [UInt8]) { bytes.append(contentsOf: part) }

    /// As the program writes numbers everywhere.
    mutating func add(_ value: Double) {
        number.removeAll()
        number.value(value)
        bytes.append(contentsOf: number.bytes)
    }

    mutating func add(_ value: Int64) { bytes.append(contentsOf: value.description.utf8) }

    mutating func addReadings(of event: Int, _ outcome: BatchOutcome, _ texts: EventTexts) {
        let batch = outcome.batch
        var isFirst = true
        var hasUnits = false
        let readings = batch.readings(of: event)
        for reading in readings where reading < outcome.accepted.count && outcome.accepted[reading] {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            let text = texts.series(batch.series[reading])
            hasUnits = hasUnits || !text.unit.isEmpty
            bytes.append(contentsOf: text.key)
            add(batch.values[reading])
        }
        bytes.append(contentsOf: Self.units)
        isFirst = true
        if hasUnits {
            for reading in readings where reading < outcome.accepted.count && outcome.accepted[reading] {
                let text = texts.series(batch.series[reading])
                guard !text.unit.isEmpty else { continue }
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                bytes.append(contentsOf: text.key)
                bytes.append(contentsOf: text.unit)
            }
        }
        bytes.append(contentsOf: Self.end)
    }
}

/// The names that a batch needs, looked up under one lock and quoted once.
private struct EventTexts {
    struct Sensor {
        var name: String
        var key: [UInt8]
        var json: [UInt8]
        /// `,"zone":"hall"`.
        var zone: [UInt8]
    }

    struct Series {
        /// `"temperature":`.
        var key: [UInt8]
        /// `"C"`; empty = none.
        var unit: [UInt8]
        /// Of the metric's name.
        var hash: UInt64
    }

    private var sensors: [SensorID: Sensor] = [:]
    private var series: [SeriesID: Series] = [:]
    private static let zone = Array(#","zone":"#.utf8)

    init(_ batch: Batch, _ table: SeriesTable) {
        (sensors, series) = table.withIndex { index in
            var sensors: [SensorID: Sensor] = [:]
            var series: [SeriesID: Series] = [:]
            sensors.reserveCapacity(batch.eventCount)
            series.reserveCapacity(batch.series.count)
            var metrics: [MetricID: (key: [UInt8], hash: UInt64)] = [:]
            for sensor in batch.sensors where sensors[sensor] == nil {
                let name = index.name(sensor)
                let zone = index.zone(of: sensor).map(Self.json) ?? Array("null".utf8)
                sensors[sensor] = Sensor(
                    name: name, key: Array(name.utf8), json: Self.json(name), zone: Self.zone + zone)
            }
            for id in batch.series where series[id] == nil {
                let metric = index.metric(of: id)
                let text = metrics[metric] ?? Self.metric(index.name(metric))
                metrics[metric] = text
                series[id] = Series(
                    key: text.key, unit: index.unit(of: id).map(Self.json) ?? [], hash: text.hash)
            }
            return (sensors, series)
        }
    }

    func sensor(_ id: SensorID) -> Sensor { sensors[id] ?? Sensor(name: "", key: [], json: [34, 34], zone: []) }
    func series(_ id: SeriesID) -> Series { series[id] ?? Series(key: [34, 34, 58], unit: [], hash: 0) }

    private static func metric(_ name: String) -> (key: [UInt8], hash: UInt64) {
        var hash = StableHash()
        hash.combine(name)
        return (json(name) + [UInt8(ascii: ":")], hash.value)
    }

    static func json(_ text: String) -> [UInt8] {
        var json = JSONWriter()
        json.value(text)
        return json.bytes
    }
}
