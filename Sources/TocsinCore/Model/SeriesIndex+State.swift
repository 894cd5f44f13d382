/// What was interned since names were last taken, by id, and what changed of those before.
public struct SeriesNews: Sendable {
    public var sensors: Range<UInt32>
    public var metrics: Range<UInt32>
    public var series: Range<UInt32>
    public var units: [SeriesID]
    public var zones: [SensorID]
}

/// A place in the three numberings of a table.
struct SeriesMark: Sendable {
    var sensors: UInt32 = 0
    var metrics: UInt32 = 0
    var series: UInt32 = 0
}

/// How far `savePart` has come.
public struct SeriesCursor: Sendable {
    var position = SeriesMark()
    var hasBegun = false
    public init() {}
}

extension SeriesIndex {
    /// What was interned since the last call (at first: everything), so that another table can be given the very same
    /// ids; nil when there is nothing new.
    public mutating func takeNews() -> SeriesNews? {
        let end = end
        let isQuiet =
            taken.sensors == end.sensors && taken.metrics == end.metrics && taken.series == end.series
            && changedUnits.isEmpty && changedZones.isEmpty
        if isQuiet { return nil }
        defer { markAllKnown() }
        return SeriesNews(
            sensors: taken.sensors..<end.sensors, metrics: taken.metrics..<end.metrics,
            series: taken.series..<end.series, units: changedUnits, zones: changedZones)
    }

    /// What is here now is no news.
    public mutating func markAllKnown() {
        taken = end
        changedUnits = []
        changedZones = []
    }

    private var end: SeriesMark {
        SeriesMark(sensors: UInt32(sensorCount), metrics: UInt32(metricCount), series: UInt32(seriesCount))
    }

    /// Appends the next names of the whole table, about `limit` of them, and moves `cursor` behind them; false when there
    /// are no more. In parts, so that nobody waits long for the lock.
    public func savePart(after cursor: inout SeriesCursor, limit: Int, to writer: inout StateWriter) -> Bool {
        guard cursor.position.sensors < sensorCount || cursor.position.series < seriesCount || !cursor.hasBegun else {
            return false
        }
        cursor.hasBegun = true
        let sensors = min(sensorCount, Int(cursor.position.sensors) + limit)
        // A series stands behind its sensor and its metric.
        let isLast = sensors == sensorCount
        let series = isLast ? min(seriesCount, Int(cursor.position.series) + limit) : Int(cursor.position.series)
        let end = SeriesMark(
            sensors: UInt32(sensors), metrics: isLast ? UInt32(metricCount) : cursor.position.metrics,
            series: UInt32(series))
        save(from: cursor.position, to: end, &writer)
        cursor.position = end
        return true
    }

    /// Takes up names that `savePart` wrote, under the ids they had.
    /// - Returns: false where they contradict what is here or are no such names; then the table may hold a part of them.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        defer { markAllKnown() }
        return restoreSensors(&reader) && restoreMetrics(&reader) && restoreSeries(&reader)
    }

    private func save(from known: SeriesMark, to end: SeriesMark, _ writer: inout StateWriter) {
        writer.write(known.sensors)
        writer.write(varint: UInt64(end.sensors - known.sensors))
        for id in known.sensors..<end.sensors {
            writer.write(blob: sensors.bytes(id))
            Self.write(sensorZone[Int(id)], to: &writer)
        }
        writer.write(known.metrics)
        writer.write(varint: UInt64(end.metrics - known.metrics))
        for id in known.metrics..<end.metrics { writer.write(blob: metrics.bytes(id)) }
        writer.write(known.series)
        writer.write(varint: UInt64(end.series - known.series))
        for id in Int(known.series)..<Int(end.series) {
            writer.write(seriesSensor[id].index)
            writer.write(seriesMetric[id].index)
            Self.write(seriesUnit[id], to: &writer)
        }
    }

    private mutating func restoreSensors(_ reader: inout StateReader) -> Bool {
        guard let first = reader.read(UInt32.self), Int(first) <= sensorCount, let count = reader.readCount(of: 2)
        else {
            return false
        }
        for offset in 0..<count {
            guard let name = reader.readBlob(), let zone = Self.readText(&reader),
                let id = sensor(name.span), Int(id.index) == Int(first) + offset
            else { return false }
            if let zone { setZone(zone, of: id) }
        }
        return true
    }

    private mutating func restoreMetrics(_ reader: inout StateReader) -> Bool {
        guard let first = reader.read(UInt32.self), Int(first) <= metricCount, let count = reader.readCount() else {
            return false
        }
        for offset in 0..<count {
            guard let name = reader.readBlob(), let id = metric(name.span), Int(id.index) == Int(first) + offset else {
                return false
            }
        }
        return true
    }

    private mutating func restoreSeries(_ reader: inout StateReader) -> Bool {
        guard let first = reader.read(UInt32.self), Int(first) <= seriesCount, let count = reader.readCount(of: 9)
        else {
            return false
        }
        for offset in 0..<count {
            guard let sensor = reader.read(UInt32.self), Int(sensor) < sensorCount,
                let metric = reader.read(UInt32.self), Int(metric) < metricCount, let unit = Self.readText(&reader),
                let id = series(SensorID(sensor), MetricID(metric)), Int(id.index) == Int(first) + offset
            else { return false }
            if let unit { setUnit(unit, of: id) }
        }
        return true
    }

    private static func write(_ text: String?, to writer: inout StateWriter) {
        writer.write(text != nil)
        if let text { writer.write(text: text) }
    }

    /// nil = nonsense; .some(nil) = none given.
    private static func readText(_ reader: inout StateReader) -> String?? {
        guard let isGiven = reader.readFlag() else { return nil }
        guard isGiven else { return .some(nil) }
        guard let text = reader.readText() else { return nil }
        return .some(text)
    }
}
