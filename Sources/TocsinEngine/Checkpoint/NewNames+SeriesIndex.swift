internal import TocsinCore
internal import TocsinSpool

extension NewNames {
    /// What was interned since the last call; nil when there is nothing new.
    init?(takenFrom index: inout SeriesIndex) {
        guard let news = index.takeNews() else { return nil }
        self.init(
            firstSensor: news.sensors.lowerBound, firstMetric: news.metrics.lowerBound,
            firstSeries: news.series.lowerBound)
        for id in news.sensors {
            sensors.append(index.name(SensorID(id)))
            if let zone = index.zone(of: SensorID(id)) { zones.append(Zone(sensor: SensorID(id), zone: zone)) }
        }
        for id in news.metrics { metrics.append(index.name(MetricID(id))) }
        for id in news.series {
            let series = SeriesID(id)
            self.series.append(Series(sensor: index.sensor(of: series), metric: index.metric(of: series)))
            if let unit = index.unit(of: series) { units.append(Unit(series: series, unit: unit)) }
        }
        for series in news.units {
            if let unit = index.unit(of: series) { units.append(Unit(series: series, unit: unit)) }
        }
        for sensor in news.zones {
            if let zone = index.zone(of: sensor) { zones.append(Zone(sensor: sensor, zone: zone)) }
        }
    }

    /// Several as one: each begins where the one before ends.
    init?(joining parts: [NewNames]) {
        guard var whole = parts.first else { return nil }
        for part in parts.dropFirst() {
            whole.sensors += part.sensors
            whole.metrics += part.metrics
            whole.series += part.series
            whole.units += part.units
            whole.zones += part.zones
        }
        self = whole
    }

    /// Interns the names under the ids they had.
    /// - Returns: false where they contradict what is there.
    func intern(into index: inout SeriesIndex) -> Bool {
        for (offset, name) in sensors.enumerated() {
            guard index.sensor(name.utf8.span)?.index == firstSensor + UInt32(offset) else { return false }
        }
        for (offset, name) in metrics.enumerated() {
            guard index.metric(name.utf8.span)?.index == firstMetric + UInt32(offset) else { return false }
        }
        for (offset, entry) in series.enumerated() {
            guard Int(entry.sensor.index) < index.sensorCount, Int(entry.metric.index) < index.metricCount,
                index.series(entry.sensor, entry.metric)?.index == firstSeries + UInt32(offset)
            else { return false }
        }
        for entry in units where Int(entry.series.index) < index.seriesCount {
            index.setUnit(entry.unit, of: entry.series)
        }
        for entry in zones where Int(entry.sensor.index) < index.sensorCount {
            index.setZone(entry.zone, of: entry.sensor)
        }
        index.markAllKnown()
        return true
    }
}

extension KnownNames {
    init(_ index: borrowing SeriesIndex) {
        self.init(sensors: index.sensorCount, metrics: index.metricCount, series: index.seriesCount)
    }
}
