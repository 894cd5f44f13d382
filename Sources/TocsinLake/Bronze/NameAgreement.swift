internal import TocsinCore
internal import TocsinSpool

/// Which ids in a spool's records mean what they mean in this process's table: those below `known`.
///
/// Ids are only good with the names that stand in the records before. Where such a record is damaged, or the table began
/// anew, ids from then on say nothing, or worse, something else: the input is then decoded again. So the names themselves
/// are compared, by a hash of all that are known.
struct NameAgreement: Equatable, Sendable {
    var known = KnownNames()
    /// Of the names that are known.
    var fingerprint: UInt64 = 0
    /// From here on, up to the last record found at the start, ids are not to be trusted.
    var areLost = false

    /// Whether the table begins with the names that are known.
    func holds(in table: SeriesTable) -> Bool {
        var again = NameAgreement()
        return again.extend(to: known, table) && again.fingerprint == fingerprint
    }

    /// Takes up the table's names up to `more`; false, and nothing changed, where it does not hold so many.
    mutating func extend(to more: KnownNames, _ table: SeriesTable) -> Bool {
        let isThere = table.withIndex {
            $0.sensorCount >= more.sensors && $0.metricCount >= more.metrics && $0.seriesCount >= more.series
        }
        guard isThere else { return false }
        add(0, known.sensors, more.sensors) { range in
            table.withIndex { index in range.map { index.name(SensorID($0)) } }
        }
        add(1, known.metrics, more.metrics) { range in
            table.withIndex { index in range.map { index.name(MetricID($0)) } }
        }
        add(2, known.series, more.series) { range in
            table.withIndex { index in
                range.map { "\(index.sensor(of: SeriesID($0)).index) \(index.metric(of: SeriesID($0)).index)" }
            }
        }
        known = KnownNames(
            sensors: max(known.sensors, more.sensors), metrics: max(known.metrics, more.metrics),
            series: max(known.series, more.series))
        return true
    }

    /// Whether a record's names are those that the table has under the same ids.
    static func agrees(_ names: NewNames, with table: SeriesTable) -> Bool {
        table.withIndex { index in
            guard Int(names.firstSensor) + names.sensors.count <= index.sensorCount,
                Int(names.firstMetric) + names.metrics.count <= index.metricCount,
                Int(names.firstSeries) + names.series.count <= index.seriesCount
            else { return false }
            for (place, name) in names.sensors.enumerated()
            where index.name(SensorID(names.firstSensor + UInt32(place))) != name { return false }
            for (place, name) in names.metrics.enumerated()
            where index.name(MetricID(names.firstMetric + UInt32(place))) != name { return false }
            for (place, one) in names.series.enumerated() {
                let id = SeriesID(names.firstSeries + UInt32(place))
                guard index.sensor(of: id) == one.sensor, index.metric(of: id) == one.metric else { return false }
            }
            return true
        }
    }

    /// A few thousand names at a time, so that decoders are not held up at the table's lock.
    private mutating func add(_ kind: UInt64, _ from: Int, _ to: Int, _ names: (Range<UInt32>) -> [String]) {
        var place = from
        while place < to {
            let end = min(place + 4096, to)
            for (offset, name) in names(UInt32(place)..<UInt32(end)).enumerated() {
                var hash = StableHash()
                hash.combine(kind)
                hash.combine(UInt64(place + offset))
                hash.combine(name)
                // A sum does not depend on the order in which sensors, metrics and series were learnt.
                fingerprint = fingerprint &+ hash.value
            }
            place = end
        }
    }
}
