public import TocsinCore

/// Makes batches by hand.
///
/// ```swift
/// var builder = BatchBuilder(table: table)
/// builder.add("pump", at: time, ["temperature": 21.5])
/// let batch = builder.take()
/// ```
public struct BatchBuilder {
    private let table: SeriesTable
    private let source: String
    private var batch: Batch
    private var position: Int64 = 0

    public init(table: SeriesTable, source: String = "test", received: Timestamp = Timestamp(seconds: 1_760_000_000)) {
        self.table = table
        self.source = source
        batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: source, position: 0, received: received))
    }

    /// Appends one event; its payload is a JSON line of the same content. Metrics in alphabetical order.
    public mutating func add(
        _ sensor: String, at time: Timestamp, _ readings: KeyValuePairs<String, Double>, key: UInt64 = 0,
        label: EventLabel = .none
    ) {
        var json = JSONWriter()
        json.object {
            $0.field("sensor_id", sensor)
            $0.field("timestamp", time)
            for (metric, value) in readings { $0.field(metric, value) }
        }
        json.newline()
        let payload = ByteRange(offset: batch.bytes.count, length: json.bytes.count - 1)
        batch.bytes += json.bytes
        let (sensorID, series): (SensorID, [SeriesID]) = table.withIndex { index in
            guard let sensorID = index.sensor(sensor.utf8.span) else { preconditionFailure("the table is full") }
            let series = readings.map { metric, _ in
                guard let metricID = index.metric(metric.utf8.span), let id = index.series(sensorID, metricID) else {
                    preconditionFailure("the table is full")
                }
                return id
            }
            return (sensorID, series)
        }
        batch.series += series
        batch.values += readings.map(\.value)
        batch.appendEvent(sensor: sensorID, time: time, key: key, payload: payload, label: label)
    }

    /// Appends a message that could not be decoded.
    public mutating func addReject(_ reason: DeadLetterReason, _ text: String) {
        let payload = ByteRange(offset: batch.bytes.count, length: text.utf8.count)
        batch.bytes += Array((text + "\n").utf8)
        batch.rejects.append(Reject(reason: reason, detail: "test: \(text)", payload: payload))
    }

    public var count: Int { batch.eventCount }

    /// The batch so far; the next one begins behind it in the same source.
    public mutating func take(received: Timestamp? = nil) -> Batch {
        let done = batch
        position += Int64(done.bytes.count)
        batch = Batch(
            origin: Origin(
                source: SourceID(0), sourceName: source, position: position,
                received: received ?? done.origin.received))
        return done
    }
}
