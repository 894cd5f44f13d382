internal import TocsinCore

/// The names that stand in front of a transfer, with the numbers by which the state behind them speaks of them: those of
/// the process that wrote it.
struct TransferNames: Sendable {
    struct Sensor: Sendable {
        var number: UInt32
        var name: String
        var zone: String?
    }

    struct Metric: Sendable {
        var number: UInt32
        var name: String
    }

    struct Series: Sendable {
        var number: UInt32
        var sensor: UInt32
        var metric: UInt32
        var unit: String?
    }

    /// What the numbers are in another table.
    struct Interned: Sendable {
        var sensors: [UInt32: UInt32] = [:]
        var series: [UInt32: UInt32] = [:]
    }

    var sensors: [Sensor] = []
    var metrics: [Metric] = []
    var series: [Series] = []

    /// All series of the given sensors.
    init(of sensors: Set<UInt32>, in index: borrowing SeriesIndex) {
        var used: Set<UInt32> = []
        for number in sensors.sorted() where Int(number) < index.sensorCount {
            let sensor = SensorID(number)
            self.sensors.append(Sensor(number: number, name: index.name(sensor), zone: index.zone(of: sensor)))
            for series in index.series(of: sensor) {
                let metric = index.metric(of: series)
                if used.insert(metric.index).inserted {
                    metrics.append(Metric(number: metric.index, name: index.name(metric)))
                }
                self.series.append(
                    Series(
                        number: series.index, sensor: number, metric: metric.index, unit: index.unit(of: series)))
            }
        }
    }

    func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(sensors.count))
        for sensor in sensors {
            writer.write(sensor.number)
            writer.write(text: sensor.name)
            writer.write(optional: sensor.zone)
        }
        writer.write(varint: UInt64(metrics.count))
        for metric in metrics {
            writer.write(metric.number)
            writer.write(text: metric.name)
        }
        writer.write(varint: UInt64(series.count))
        for one in series {
            for number in [one.number, one.sensor, one.metric] { writer.write(number) }
            writer.write(optional: one.unit)
        }
    }

    /// nil for nonsense.
    init?(_ reader: inout StateReader) {
        guard let sensors = reader.readCount(of: 6) else { return nil }
        for _ in 0..<sensors {
            guard let number = reader.read(UInt32.self), let name = reader.readText(),
                let zone = reader.readOptionalText()
            else { return nil }
            self.sensors.append(Sensor(number: number, name: name, zone: zone))
        }
        guard let metrics = reader.readCount(of: 5) else { return nil }
        for _ in 0..<metrics {
            guard let number = reader.read(UInt32.self), let name = reader.readText() else { return nil }
            self.metrics.append(Metric(number: number, name: name))
        }
        guard let series = reader.readCount(of: 13) else { return nil }
        for _ in 0..<series {
            guard let number = reader.read(UInt32.self), let sensor = reader.read(UInt32.self),
                let metric = reader.read(UInt32.self), let unit = reader.readOptionalText()
            else { return nil }
            self.series.append(Series(number: number, sensor: sensor, metric: metric, unit: unit))
        }
    }

    /// Interns all names.
    /// - Throws: where the table has no room for them, or a series has no name; then it may hold some of them.
    func intern(into index: inout SeriesIndex) throws(TocsinError) -> Interned {
        var interned = Interned()
        var metricNumbers: [UInt32: MetricID] = [:]
        for sensor in sensors {
            guard let id = index.sensor(sensor.name.utf8.span) else { throw Self.full }
            interned.sensors[sensor.number] = id.index
            if let zone = sensor.zone { index.setZone(zone, of: id) }
        }
        for metric in metrics {
            guard let id = index.metric(metric.name.utf8.span) else { throw Self.full }
            metricNumbers[metric.number] = id
        }
        for one in series {
            guard let sensor = interned.sensors[one.sensor], let metric = metricNumbers[one.metric] else {
                throw TocsinError(.format, "The transfer speaks of a series without a name.")
            }
            guard let id = index.series(SensorID(sensor), metric) else { throw Self.full }
            interned.series[one.number] = id.index
            if let unit = one.unit { index.setUnit(unit, of: id) }
        }
        return interned
    }

    private static let full = TocsinError(
        .configuration, "The sensors of another process have no room here: the number of series is limited.",
        place: "engine.maxSeries", remedy: "Allow more series, or let more processes share the sensors.")
}

extension StateWriter {
    fileprivate mutating func write(optional text: String?) {
        write(text != nil)
        if let text { write(text: text) }
    }
}

extension StateReader {
    /// nil for nonsense, `.some(nil)` for none.
    fileprivate mutating func readOptionalText() -> String?? {
        guard let isThere = readFlag() else { return nil }
        guard isThere else { return .some(nil) }
        return readText().map { .some($0) }
    }
}
