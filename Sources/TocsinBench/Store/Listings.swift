package import TocsinCore
internal import TocsinDetect

/// Random listings, of every kind that `GET /events/latest` and `GET /anomalies` can ask for, over what a fleet has sent.
package struct Listings: Sendable {
    package enum Table: String, CaseIterable, Sendable { case events, anomalies }

    package enum Filter: String, CaseIterable, Sendable {
        case newest
        case latePage = "late page"
        case range
        case rangeLatePage = "range, late page"
        case sensor
        case sensorLatePage = "sensor, late page"
        case sensorRange = "sensor, range"
        case silentSensor = "sensor, silent long ago"
        case sensorMetric = "sensor, metric"
        case sensorMetricRange = "sensor, metric, range"
        case metric
        case metricLatePage = "metric, late page"
        case metricRange = "metric, range"
        case rareMetric = "rare metric"
        case rareMetricRange = "rare metric, range"
        case rareMetricLatePage = "rare metric, late page"
    }

    /// One anomaly for so many events.
    package static let eventsPerAnomaly = 100
    /// The longest range, seconds.
    private static let longestRange = 600

    private let sensors: [EventFleet.Sensor]
    private let silent: [EventFleet.Sensor]
    private let stored: Int

    /// - Parameter stored: events; anomalies are a hundredth of them.
    package init(_ fleet: EventFleet, stored: Int) {
        sensors = fleet.sensors
        silent = fleet.sensors.filter(\.isSilent)
        self.stored = stored
    }

    /// `count` queries; the same arguments give the same.
    package func queries(_ filter: Filter, of table: Table, count: Int) -> [RecordQuery] {
        var hash = StableHash()
        hash.combine(table.rawValue)
        hash.combine(filter.rawValue)
        var random = SplitMix64(seed: hash.value)
        return (0..<count).map { _ in query(filter, of: table, &random) }
    }

    private func query(_ filter: Filter, of table: Table, _ random: inout SplitMix64) -> RecordQuery {
        let rows = table == .events ? stored : stored / Self.eventsPerAnomaly
        /// Somewhere in the first `share` of what a filter finds, but never deeper than a person or a program goes.
        func offset(of found: Int, atMost limit: Int = .max) -> Int {
            random.next(below: max(1, min(found, limit)))
        }
        // As far as the API goes.
        let deepest = 10_000
        var query = RecordQuery()
        switch filter {
        case .newest: break
        case .latePage: query.offset = offset(of: rows / 50, atMost: deepest)
        case .range: (query.start, query.end) = range(&random)
        case .rangeLatePage:
            (query.start, query.end) = range(&random)
            query.offset = offset(of: rows / 50, atMost: deepest)
        case .sensor: query.sensor = name(sensors, &random)
        case .sensorLatePage:
            query.sensor = name(sensors, &random)
            query.offset = offset(of: rows / max(1, sensors.count))
        case .sensorRange:
            query.sensor = name(sensors, &random)
            (query.start, query.end) = range(&random)
        case .silentSensor: query.sensor = name(silent, &random)
        case .sensorMetric, .sensorMetricRange:
            query.sensor = name(sensors, &random)
            query.metric = metric(&random)
            if filter == .sensorMetricRange { (query.start, query.end) = range(&random) }
        case .metric: query.metric = metric(&random)
        case .metricLatePage:
            query.metric = metric(&random)
            query.offset = offset(of: rows / 50, atMost: deepest / 10)
        case .metricRange:
            query.metric = metric(&random)
            (query.start, query.end) = range(&random)
        case .rareMetric: query.metric = EventFleet.rareMetric
        case .rareMetricRange:
            query.metric = EventFleet.rareMetric
            (query.start, query.end) = range(&random)
        case .rareMetricLatePage:
            query.metric = EventFleet.rareMetric
            query.offset = offset(of: rows / 250, atMost: 2000)
        }
        return query
    }

    /// Event time of what is stored, seconds.
    private var seconds: Int { max(1, stored / max(1, sensors.count)) }

    private func range(_ random: inout SplitMix64) -> (Timestamp, Timestamp) {
        let length = max(1, min(Self.longestRange, seconds / 5))
        let first = EventFleet.start.advanced(by: .seconds(Int64(random.next(below: max(1, seconds - length)))))
        return (first, first.advanced(by: .seconds(Int64(length))))
    }

    private func name(_ sensors: [EventFleet.Sensor], _ random: inout SplitMix64) -> String? {
        sensors.isEmpty ? nil : sensors[random.next(below: sensors.count)].name
    }

    private func metric(_ random: inout SplitMix64) -> String {
        EventFleet.metrics[random.next(below: EventFleet.metrics.count)]
    }
}
