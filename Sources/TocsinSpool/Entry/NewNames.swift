public import TocsinCore

/// Names interned since the last record, in the order of their ids, which start at the `first…` numbers.
public struct NewNames: Hashable, Sendable {
    public struct Series: Hashable, Sendable {
        public var sensor: SensorID
        public var metric: MetricID
        public init(sensor: SensorID, metric: MetricID) {
            self.sensor = sensor
            self.metric = metric
        }
    }

    /// A unit that became known, also of a series from before.
    public struct Unit: Hashable, Sendable {
        public var series: SeriesID
        public var unit: String
        public init(series: SeriesID, unit: String) {
            self.series = series
            self.unit = unit
        }
    }

    /// A zone that became known, also of a sensor from before.
    public struct Zone: Hashable, Sendable {
        public var sensor: SensorID
        public var zone: String
        public init(sensor: SensorID, zone: String) {
            self.sensor = sensor
            self.zone = zone
        }
    }

    public var firstSensor: UInt32
    public var firstMetric: UInt32
    public var firstSeries: UInt32
    public var sensors: [String] = []
    public var metrics: [String] = []
    public var series: [Series] = []
    public var units: [Unit] = []
    public var zones: [Zone] = []

    public init(firstSensor: UInt32 = 0, firstMetric: UInt32 = 0, firstSeries: UInt32 = 0) {
        self.firstSensor = firstSensor
        self.firstMetric = firstMetric
        self.firstSeries = firstSeries
    }

    public var isEmpty: Bool {
        sensors.isEmpty && metrics.isEmpty && series.isEmpty && units.isEmpty && zones.isEmpty
    }
}

extension NewNames {
    func encode(into writer: inout StateWriter) {
        for first in [firstSensor, firstMetric, firstSeries] { writer.write(first) }
        for texts in [sensors, metrics] {
            writer.write(varint: UInt64(texts.count))
            for text in texts { writer.write(text: text) }
        }
        writer.write(varint: UInt64(series.count))
        for one in series {
            writer.write(varint: UInt64(one.sensor.index))
            writer.write(varint: UInt64(one.metric.index))
        }
        writer.write(varint: UInt64(units.count))
        for one in units {
            writer.write(varint: UInt64(one.series.index))
            writer.write(text: one.unit)
        }
        writer.write(varint: UInt64(zones.count))
        for one in zones {
            writer.write(varint: UInt64(one.sensor.index))
            writer.write(text: one.zone)
        }
    }

    /// nil where the bytes are not sound, where ids would have a gap, or an id is beyond what is then known; `known`
    /// grows by the names.
    init?(_ reader: inout StateReader, known: inout KnownNames) {
        guard let firstSensor = reader.read(UInt32.self), let firstMetric = reader.read(UInt32.self),
            let firstSeries = reader.read(UInt32.self),
            let sensors = reader.readList({ $0.readText() }), let metrics = reader.readList({ $0.readText() }),
            let sensorCount = Self.grown(known.sensors, firstSensor, sensors.count),
            let metricCount = Self.grown(known.metrics, firstMetric, metrics.count)
        else { return nil }
        self.init(firstSensor: firstSensor, firstMetric: firstMetric, firstSeries: firstSeries)
        self.sensors = sensors
        self.metrics = metrics
        guard
            let series = reader.readList({ reader -> Series? in
                guard let sensor = reader.readIndex(below: sensorCount),
                    let metric = reader.readIndex(below: metricCount)
                else { return nil }
                return Series(sensor: SensorID(sensor), metric: MetricID(metric))
            }),
            let seriesCount = Self.grown(known.series, firstSeries, series.count),
            let units = reader.readList({ reader -> Unit? in
                guard let index = reader.readIndex(below: seriesCount), let unit = reader.readText()
                else { return nil }
                return Unit(series: SeriesID(index), unit: unit)
            }),
            let zones = reader.readList({ reader -> Zone? in
                guard let index = reader.readIndex(below: sensorCount), let zone = reader.readText()
                else { return nil }
                return Zone(sensor: SensorID(index), zone: zone)
            })
        else { return nil }
        self.series = series
        self.units = units
        self.zones = zones
        known = KnownNames(sensors: sensorCount, metrics: metricCount, series: seriesCount)
    }

    /// The count after `more` names from id `first` on; nil where there would be a gap.
    private static func grown(_ known: Int, _ first: UInt32, _ more: Int) -> Int? {
        guard Int(first) <= known else { return nil }
        let end = Int(first) + more
        return end <= Int(UInt32.max) ? max(known, end) : nil
    }
}

extension StateReader {
    /// A count and so many elements of at least a byte each.
    mutating func readList<Element>(_ element: (inout StateReader) -> Element?) -> [Element]? {
        guard let count = readCount() else { return nil }
        var list: [Element] = []
        for _ in 0..<count {
            guard let next = element(&self) else { return nil }
            list.append(next)
        }
        return list
    }

    /// A varint below a bound.
    mutating func readIndex(below bound: Int) -> UInt32? {
        guard let number = readVarint(), number < UInt64(max(bound, 0)) else { return nil }
        return UInt32(exactly: number)
    }
}
