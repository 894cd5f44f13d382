internal import TocsinCore

/// Makes what a store has given into what a store takes.
struct OutcomeBuilder {
    private let table: SeriesTable
    private let windows: [WindowDefinition]
    private(set) var outcome: BatchOutcome
    private var origins: [String: UInt32] = [:]

    /// - Parameter windows: which definition a window is of that says only how long it is.
    init(table: SeriesTable, windows: [WindowDefinition], now: Timestamp) {
        self.table = table
        self.windows = windows
        outcome = BatchOutcome(
            batch: Batch(origin: Origin(source: SourceID(0), sourceName: "import", position: 0, received: now)),
            fates: [], accepted: [])
    }

    /// - Throws: when the table is full.
    mutating func add(_ event: StoredEvent) throws(TocsinError) {
        let ids = try table.withIndex { index throws(TocsinError) in
            guard let sensor = index.sensor(event.sensor.utf8.span) else { throw Self.full }
            var series: [SeriesID] = []
            for reading in event.readings {
                guard let metric = index.metric(reading.metric.utf8.span), let id = index.series(sensor, metric) else {
                    throw Self.full
                }
                if let unit = reading.unit { index.setUnit(unit, of: id) }
                series.append(id)
            }
            return (sensor: sensor, series: series)
        }
        outcome.batch.series += ids.series
        outcome.batch.values += event.readings.map(\.value)
        outcome.accepted += event.readings.map { _ in true }
        let payload = ByteRange(offset: outcome.batch.bytes.count, length: event.payload.count)
        outcome.batch.bytes += event.payload
        outcome.batch.appendEvent(sensor: ids.sensor, time: event.time, key: event.key, payload: payload, label: .none)
        outcome.fates.append(event.isLate ? .late : .stored)
        // One origin for each source and arrival: events of one batch share it.
        let key = "\(event.received.nanoseconds) \(event.source)"
        let number = origins[key] ?? UInt32(outcome.batch.origins.count)
        if origins.updateValue(number, forKey: key) == nil {
            outcome.batch.origins.append(
                Origin(source: SourceID(0), sourceName: event.source, position: 0, received: event.received))
        }
        outcome.batch.originOfEvent.append(number)
    }

    /// - Returns: false where no window of that length is configured: it is left out.
    mutating func add(_ window: StoredWindow) throws(TocsinError) -> Bool {
        let size = window.end.since(window.start)
        guard let definition = windows.firstIndex(where: { $0.size == size }) else { return false }
        let ids = try table.withIndex { index throws(TocsinError) in
            guard let sensor = index.sensor(window.sensor.utf8.span),
                let metric = index.metric(window.metric.utf8.span),
                let series = index.series(sensor, metric)
            else { throw Self.full }
            return (sensor: sensor, series: series)
        }
        outcome.windows.definition.append(UInt8(definition))
        outcome.windows.sensors.append(ids.sensor)
        outcome.windows.series.append(ids.series)
        outcome.windows.start.append(window.start)
        outcome.windows.statistics += window.statistics
        outcome.windows.scores.append(window.score)
        return true
    }

    mutating func add(_ anomaly: Anomaly) { outcome.anomalies.append(anomaly) }
    mutating func add(_ alarm: Alarm) { outcome.alarmChanges.append(AlarmChange(step: .updated, alarm: alarm)) }
    mutating func add(_ feedback: Feedback) { outcome.feedback.append(feedback) }

    private static let full = TocsinError(
        .store, "there are more series than engine.maxSeries allows", remedy: "raise engine.maxSeries")
}
