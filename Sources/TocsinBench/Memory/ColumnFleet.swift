internal import TocsinCore

/// Thermometers that send one reading a second each, as decoded columns: about 15 ns a reading, no state but the names in
/// the series table.
struct ColumnFleet {
    private let sensors: [SensorID]
    private let series: [SeriesID]
    private let start: Timestamp
    private var noise = Noise(seed: 3)
    private var next = 0
    private var tick: Int64 = 0

    /// Interns the names.
    /// - Throws: `TocsinError` when the table refuses so many.
    init(sensors count: Int, start: Timestamp, table: SeriesTable) throws(TocsinError) {
        self.start = start
        let made: ([SensorID], [SeriesID]) = table.withIndex { index in
            guard let metric = index.metric("temperature".utf8.span) else { return ([], []) }
            var sensors: [SensorID] = []
            var series: [SeriesID] = []
            for number in 0..<count {
                let name = Array("sensor_\(1_000_000 + number)".utf8)
                guard let sensor = index.sensor(name.span), let one = index.series(sensor, metric) else { break }
                sensors.append(sensor)
                series.append(one)
            }
            return (sensors, series)
        }
        (sensors, series) = made
        guard sensors.count == count else {
            throw TocsinError(
                .configuration, "only \(sensors.count) of \(count) sensors fit", place: "engine.maxSeries",
                remedy: "raise it: --set engine.maxSeries=\(count)")
        }
    }

    /// Time of the next reading.
    var time: Timestamp {
        let offset = Int64(next) * 1_000_000_000 / Int64(sensors.count)
        return Timestamp(nanoseconds: start.nanoseconds + tick * 1_000_000_000 + offset)
    }

    /// Whole seconds that all sensors have sent.
    var ticks: Int { Int(tick) }

    /// The next readings, oldest first; none later than the second at hand where `endsWithSecond`.
    mutating func batch(readings: Int, endsWithSecond: Bool) -> Batch {
        var batch = Batch(origin: Origin(source: SourceID(1), sourceName: "bench", position: 0, received: time))
        let count = endsWithSecond ? min(readings, sensors.count - next) : readings
        batch.sensors.reserveCapacity(count)
        batch.times.reserveCapacity(count)
        batch.eventKeys.reserveCapacity(count)
        batch.payloads.reserveCapacity(count)
        batch.labels.reserveCapacity(count)
        batch.firstReading.reserveCapacity(count + 1)
        batch.series.reserveCapacity(count)
        batch.values.reserveCapacity(count)
        let nothing = ByteRange(offset: 0, length: 0)
        for _ in 0..<count {
            let moment = time
            batch.series.append(series[next])
            // Each at its own level, and as many decimals as a thermometer has.
            batch.values.append(((20 + Double(next % 16) + noise.next()) * 100).rounded() / 100)
            batch.appendEvent(sensor: sensors[next], time: moment, key: 0, payload: nothing, label: .none)
            batch.origin.received = moment
            next += 1
            if next == sensors.count {
                next = 0
                tick += 1
            }
        }
        return batch
    }
}
