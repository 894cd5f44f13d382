internal import Synchronization

/// The names of sensors, metrics and series, each interned once to a dense id; shared by decoders, shards and server.
///
/// ```swift
/// let id = table.withIndex { $0.sensor("pump-7".utf8.span) }
/// ```
/// The lock costs about 20 ns: take it once per batch, never per reading.
public final class SeriesTable: Sendable {
    private let index: Mutex<SeriesIndex>

    /// - Parameters:
    ///   - maxSeries: cardinality guard: further sensors and series are refused (dead letter `cardinality`).
    ///   - seed: hash seed; random unless a test needs a fixed one, because names come from outside.
    public init(maxSeries: Int = 2_000_000, seed: UInt64 = .random(in: 0 ... .max)) {
        index = Mutex(SeriesIndex(maxSeries: maxSeries, seed: seed))
    }

    public func withIndex<Result, Failure: Error>(
        _ body: (inout sending SeriesIndex) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try index.withLock(body)
    }
}

/// The table behind `SeriesTable`, usable alone where nothing is shared.
public struct SeriesIndex: Sendable {
    var sensors: NameTable
    var metrics: NameTable
    private let maxSeries: Int
    private static let maxMetrics = 65_536
    /// A sensor's series are found by walking them: more would be slow, and no device has as many.
    private static let maxSeriesOfSensor: UInt32 = 4096

    // The series of a sensor form a chain through `nextSeries`: sensors have few metrics, so a walk beats hashing.
    private var firstSeries: [Int32] = []
    private var nextSeries: [Int32] = []
    private(set) var seriesSensor: [SensorID] = []
    private(set) var seriesMetric: [MetricID] = []
    private(set) var seriesUnit: [String?] = []
    private(set) var sensorZone: [String?] = []
    private var seriesOfSensor: [UInt32] = []
    /// How far `takeNews` has come, and what changed behind that.
    var taken = SeriesMark()
    var changedUnits: [SeriesID] = []
    var changedZones: [SensorID] = []

    public init(maxSeries: Int = 2_000_000, seed: UInt64 = 0) {
        self.maxSeries = maxSeries
        sensors = NameTable(seed: seed)
        metrics = NameTable(seed: seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    public var sensorCount: Int { sensors.count }
    public var metricCount: Int { metrics.count }
    public var seriesCount: Int { seriesSensor.count }

    /// The id of a sensor name (UTF-8 bytes), interned when new; nil when the cap is reached. About 10 ns.
    public mutating func sensor(_ name: Span<UInt8>) -> SensorID? {
        if let known = sensors.find(name) { return SensorID(known) }
        guard sensors.count < maxSeries else { return nil }
        firstSeries.append(-1)
        seriesOfSensor.append(0)
        sensorZone.append(nil)
        return SensorID(sensors.insert(name))
    }

    /// The id of a metric name, interned when new; nil when 65,536 metrics exist.
    public mutating func metric(_ name: Span<UInt8>) -> MetricID? {
        if let known = metrics.find(name) { return MetricID(known) }
        guard metrics.count < Self.maxMetrics else { return nil }
        return MetricID(metrics.insert(name))
    }

    /// The series of a metric of a sensor, made when new; nil when the cap is reached, or the sensor has 4,096. Cost: a
    /// walk over the sensor's series, about 1 ns each.
    public mutating func series(_ sensor: SensorID, _ metric: MetricID) -> SeriesID? {
        if let known = existingSeries(sensor, metric) { return known }
        guard
            seriesSensor.count < maxSeries, seriesOfSensor[Int(sensor.index)] < Self.maxSeriesOfSensor
        else { return nil }
        seriesOfSensor[Int(sensor.index)] += 1
        let id = SeriesID(UInt32(seriesSensor.count))
        // Appended at the end of the chain, so that a sensor's metrics keep the order in which they came.
        nextSeries.append(-1)
        seriesSensor.append(sensor)
        seriesMetric.append(metric)
        seriesUnit.append(nil)
        var last = firstSeries[Int(sensor.index)]
        if last < 0 {
            firstSeries[Int(sensor.index)] = Int32(id.index)
        } else {
            while nextSeries[Int(last)] >= 0 { last = nextSeries[Int(last)] }
            nextSeries[Int(last)] = Int32(id.index)
        }
        return id
    }

    public func existingSeries(_ sensor: SensorID, _ metric: MetricID) -> SeriesID? {
        var candidate = firstSeries[Int(sensor.index)]
        while candidate >= 0 {
            if seriesMetric[Int(candidate)] == metric { return SeriesID(UInt32(candidate)) }
            candidate = nextSeries[Int(candidate)]
        }
        return nil
    }

    /// All series of a sensor in the order of first sight.
    public func series(of sensor: SensorID) -> [SeriesID] {
        var result: [SeriesID] = []
        var candidate = firstSeries[Int(sensor.index)]
        while candidate >= 0 {
            result.append(SeriesID(UInt32(candidate)))
            candidate = nextSeries[Int(candidate)]
        }
        return result
    }

    public func sensor(named name: String) -> SensorID? { sensors.find(name.utf8.span).map(SensorID.init) }
    public func metric(named name: String) -> MetricID? { metrics.find(name.utf8.span).map(MetricID.init) }

    public func name(_ sensor: SensorID) -> String { sensors.name(sensor.index) }
    public func name(_ metric: MetricID) -> String { metrics.name(metric.index) }
    public func sensor(of series: SeriesID) -> SensorID { seriesSensor[Int(series.index)] }
    public func metric(of series: SeriesID) -> MetricID { seriesMetric[Int(series.index)] }

    /// The unit as the device or the column header gave it ("C", "celsius", "%"); nil when never given.
    public func unit(of series: SeriesID) -> String? { seriesUnit[Int(series.index)] }
    public mutating func setUnit(_ unit: String, of series: SeriesID) {
        guard seriesUnit[Int(series.index)] != unit else { return }
        seriesUnit[Int(series.index)] = unit
        if series.index < taken.series { changedUnits.append(series) }
    }

    /// Where the sensor stands, as the device said in `location` or `zone`; nil when never given.
    public func zone(of sensor: SensorID) -> String? { sensorZone[Int(sensor.index)] }
    public mutating func setZone(_ zone: String, of sensor: SensorID) {
        guard sensorZone[Int(sensor.index)] != zone else { return }
        sensorZone[Int(sensor.index)] = zone
        if sensor.index < taken.sensors { changedZones.append(sensor) }
    }
}
