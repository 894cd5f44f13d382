internal import TocsinCore

/// A stage's own copy of what it needs from the series table, extended once per batch that brings new series:
/// no lock on the way of a reading.
struct SeriesNames: Sendable {
    private(set) var metricOfSeries: [UInt32] = []
    private(set) var sensorOfSeries: [UInt32] = []
    private(set) var metricNames: [String] = []
    private(set) var sensorNames: [String] = []
    private(set) var units: [String?] = []
    private let table: SeriesTable

    init(table: SeriesTable) { self.table = table }

    var isEmpty: Bool { sensorNames.isEmpty }

    func metric(of series: SeriesID) -> UInt32 { metricOfSeries[Int(series.index)] }
    func sensorName(of series: SeriesID) -> String { sensorNames[Int(sensorOfSeries[Int(series.index)])] }
    func metricName(of series: SeriesID) -> String { metricNames[Int(metric(of: series))] }
    func unit(of series: SeriesID) -> String? { units[Int(series.index)] }

    /// For an order that is the same in every run: ids tell which name came first.
    func rank(ofSensor sensor: Int) -> UInt64 {
        var hash = StableHash()
        hash.combine(sensorNames[sensor])
        return hash.value
    }

    func rank(of series: SeriesID) -> UInt64 {
        var hash = StableHash()
        hash.combine(sensorName(of: series))
        hash.combine(metricName(of: series))
        return hash.value
    }

    /// Takes up everything interned so far, when the batch holds a series or sensor not known here.
    mutating func catchUpIfNeeded(with batch: Batch) {
        let knownSeries = UInt32(metricOfSeries.count)
        let knownSensors = UInt32(sensorNames.count)
        guard
            batch.series.contains(where: { $0.index >= knownSeries })
                || batch.sensors.contains(where: { $0.index >= knownSensors })
        else { return }
        catchUp()
    }

    mutating func catchUp() {
        let known = self
        let (metrics, sensors, series): ([String], [String], [(UInt32, UInt32, String?)]) = table.withIndex { index in
            let metrics = (known.metricNames.count..<index.metricCount).map { index.name(MetricID(UInt32($0))) }
            let sensors = (known.sensorNames.count..<index.sensorCount).map { index.name(SensorID(UInt32($0))) }
            let series = (known.metricOfSeries.count..<index.seriesCount).map { number in
                let id = SeriesID(UInt32(number))
                return (index.metric(of: id).index, index.sensor(of: id).index, index.unit(of: id))
            }
            return (metrics, sensors, series)
        }
        metricNames += metrics
        sensorNames += sensors
        for (metric, sensor, unit) in series {
            metricOfSeries.append(metric)
            sensorOfSeries.append(sensor)
            units.append(unit)
        }
    }
}
