package import TocsinCore

/// Events of many sensors in the order of time, as a fleet sends them: each sensor once a second with one metric, one
/// event in 100 up to two seconds old. One sensor in 200 has a metric that is rare, and one in 100 falls silent after a
/// fifth of the events. The same arguments give the same events.
package struct EventFleet: Sendable {
    package struct Sensor: Sendable {
        package var name: String
        package var metric: String
        package var isSilent: Bool
        var id: SensorID
        var series: SeriesID
    }

    /// Event time of the first.
    package static let start = Timestamp(nanoseconds: 1_767_225_600_000_000_000)
    package static let metrics = ["temperature", "pressure", "humidity"]
    package static let rareMetric = "vibration"

    package let table: SeriesTable
    package let sensors: [Sensor]
    private let total: Int
    private var made = 0

    private static let units = ["celsius", "bar", "percent"]
    private static let second: Int64 = 1_000_000_000
    /// Between two sensors within their second; all of 10,000 fit.
    private static let spacing: Int64 = 90_000
    private static let delay = Span64.milliseconds(50)
    private static let rest = Array(
        #"","timestamp":"2026-01-01T00:00:00.000Z","value":25.51,"meta":{"unit":"celsius","zone":"42"}}"#.utf8)
    private static let open = Array(#"{"sensor_id":""#.utf8)

    /// - Parameter total: events in all; silent sensors end at a fifth of them.
    package init(sensors count: Int, total: Int) {
        let table = SeriesTable(maxSeries: max(count, 1), seed: 1)
        sensors = (0..<count).compactMap { number in
            let name = "sensor_" + String(1_000_000 + number).dropFirst()
            let isRare = number % 200 == 7
            let metric = isRare ? Self.rareMetric : Self.metrics[number % Self.metrics.count]
            return table.withIndex { index -> Sensor? in
                guard let id = index.sensor(name.utf8.span), let known = index.metric(metric.utf8.span),
                    let series = index.series(id, known)
                else { return nil }
                index.setUnit(isRare ? "mm/s" : Self.units[number % Self.units.count], of: series)
                return Sensor(
                    name: name, metric: metric, isSilent: number % 100 == 33 || number % 2000 == 7, id: id,
                    series: series)
            }
        }
        self.table = table
        self.total = total
    }

    /// Event time behind the newest event so far.
    package var end: Timestamp {
        Self.start.advanced(by: .seconds(Int64(made / max(1, sensors.count)) + 1))
    }

    /// Goes on behind the first `count` events without making them.
    package mutating func skip(_ count: Int) { made += count }

    /// One event of each sensor, before all others.
    package func first() -> BatchOutcome {
        var batch = batch(of: sensors.count)
        for (number, sensor) in sensors.enumerated() {
            // A nanosecond beside the event that follows: another event.
            append(sensor, Int64(number) * Self.spacing + 1, value: 20, to: &batch)
        }
        return Self.outcome(batch)
    }

    /// The next `count` events in batches, less those of sensors that are silent by now.
    /// - Parameter eventsPerAnomaly: one anomaly for so many events; nil = none.
    package mutating func next(_ count: Int, batch size: Int, eventsPerAnomaly: Int? = nil) -> [BatchOutcome] {
        var left = count
        var outcomes: [BatchOutcome] = []
        while left > 0 {
            outcomes.append(next(min(left, max(1, size)), eventsPerAnomaly: eventsPerAnomaly))
            left -= size
        }
        return outcomes
    }

    private mutating func next(_ count: Int, eventsPerAnomaly: Int?) -> BatchOutcome {
        var batch = batch(of: count)
        var anomalies: [Anomaly] = []
        for _ in 0..<count {
            let event = made
            made += 1
            let number = event % sensors.count
            guard !sensors[number].isSilent || event <= total / 5 else { continue }
            let random = Self.scrambled(UInt64(event))
            let back = random % 97 == 0 ? Int64(random % 3) * Self.second : 0
            let offset = Int64(event / sensors.count) * Self.second + Int64(number) * Self.spacing - back
            let value = Double(random % 10_000) / 100
            append(sensors[number], offset, value: value, to: &batch)
            if let eventsPerAnomaly, event % eventsPerAnomaly == 0 {
                anomalies.append(anomaly(event, sensors[Int(random % UInt64(sensors.count))], offset, value))
            }
        }
        return Self.outcome(batch, anomalies)
    }

    private func batch(of count: Int) -> Batch {
        let received = end.advanced(by: Self.delay)
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: "bench", position: Int64(made), received: received))
        batch.bytes.reserveCapacity(count * 130)
        return batch
    }

    private func append(_ sensor: Sensor, _ offset: Int64, value: Double, to batch: inout Batch) {
        let first = batch.bytes.count
        batch.bytes += Self.open
        batch.bytes += sensor.name.utf8
        batch.bytes += Self.rest
        batch.series.append(sensor.series)
        batch.values.append(value)
        batch.appendEvent(
            sensor: sensor.id, time: Self.start.advanced(by: .nanoseconds(offset)), key: 0,
            payload: ByteRange(offset: first, length: batch.bytes.count - first), label: .none)
    }

    private func anomaly(_ event: Int, _ sensor: Sensor, _ offset: Int64, _ value: Double) -> Anomaly {
        var hash = StableHash()
        hash.combine(UInt64(event))
        let time = Self.start.advanced(by: .nanoseconds(offset))
        return Anomaly(
            id: hash.hex, alarmID: nil, sensor: sensor.name, metric: sensor.metric, kind: .spike, detector: .bank,
            model: "bank 1", start: time, time: time, value: value, expectedLow: 20, expectedHigh: 30, score: 0.99,
            pValue: 1e-9, contributions: [Contribution(name: sensor.metric, share: 1)],
            sentence: "\(sensor.name): \(sensor.metric) was \(value) where 20 to 30 was expected.")
    }

    private static func outcome(_ batch: Batch, _ anomalies: [Anomaly] = []) -> BatchOutcome {
        BatchOutcome(
            batch: batch, fates: Array(repeating: .stored, count: batch.eventCount),
            accepted: Array(repeating: true, count: batch.readingCount), anomalies: anomalies)
    }

    /// SplitMix64's mixing of a counter: any event can be made without those before it.
    private static func scrambled(_ number: UInt64) -> UInt64 {
        var mixed = number &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
