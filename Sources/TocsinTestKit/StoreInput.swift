public import TocsinCore

/// Builds batch outcomes by name, as a decoder and an engine would hand them to a store.
public struct StoreInput: Sendable {
    public let table: SeriesTable
    public var outcome: BatchOutcome

    /// Second 0 of all times given here: 2025-10-01T00:00:00Z.
    public static let epoch: Int64 = 1_759_276_800

    public init(table: SeriesTable, source: String = "test", received: Int64 = 0) {
        self.table = table
        outcome = BatchOutcome(
            batch: Batch(
                origin: Origin(
                    source: SourceID(0), sourceName: source, position: 0, received: Self.second(received))),
            fates: [], accepted: [])
    }

    public static func second(_ second: Int64) -> Timestamp {
        Timestamp(nanoseconds: (epoch + second) * 1_000_000_000)
    }

    /// - Parameters:
    ///   - second: event time in seconds after `epoch`.
    ///   - refused: metrics of this event that validation did not accept.
    public mutating func event(
        _ sensor: String, at second: Int64, _ readings: [(metric: String, value: Double)], key: UInt64 = 0,
        fate: EventFate = .stored, refused: Set<String> = [], unit: String? = nil, payload: [UInt8]? = nil
    ) {
        let id = self.sensor(sensor)
        for (metric, value) in readings {
            outcome.batch.series.append(series(id, metric, unit: unit))
            outcome.batch.values.append(value)
            outcome.accepted.append(!refused.contains(metric))
        }
        let bytes = payload ?? Array("message of \(sensor) at \(second)".utf8)
        outcome.batch.appendEvent(
            sensor: id, time: Self.second(second), key: key,
            payload: ByteRange(offset: outcome.batch.bytes.count, length: bytes.count), label: .none)
        outcome.batch.bytes += bytes
        outcome.fates.append(fate)
    }

    /// A one-minute window whose statistics count up from `base`.
    public mutating func window(
        _ sensor: String, _ metric: String, start second: Int64, base: Double, definition: UInt8 = 0,
        score: Double = .nan
    ) {
        let id = self.sensor(sensor)
        outcome.windows.definition.append(definition)
        outcome.windows.sensors.append(id)
        outcome.windows.series.append(series(id, metric))
        outcome.windows.start.append(Self.second(second))
        for column in 0..<WindowStatistic.columns { outcome.windows.statistics.append(base + Double(column)) }
        outcome.windows.scores.append(score)
    }

    public mutating func deadLetter(
        _ reason: DeadLetterReason, position: Int64, received second: Int64 = 0, detail: String = "wrong",
        payload: String = "{", source: String = "test"
    ) {
        outcome.deadLetters.append(
            DeadLetter(
                reason: reason, detail: detail, source: source, position: position, received: Self.second(second),
                payload: Array(payload.utf8)))
    }

    public static func anomaly(
        _ id: String, sensor: String, metric: String? = "temperature", at second: Int64, kind: AnomalyKind = .spike,
        value: Double = 99.5
    ) -> Anomaly {
        Anomaly(
            id: id, alarmID: "00000000000000a1", sensor: sensor, metric: metric, kind: kind, detector: .eventForest,
            model: "event-forest 3", start: Self.second(second - 5), time: Self.second(second), value: value,
            expectedLow: 20.25, expectedHigh: .nan, score: 0.875, pValue: 1e-12,
            contributions: [Contribution(name: "temperature", share: 0.75), Contribution(name: "a\"b", share: 0.125)],
            sentence: "\(sensor): temperature 99.5 °C, expected 20 to 30")
    }

    public static func alarm(
        _ id: String, sensor: String, raised: Int64, lastSeen: Int64? = nil, cleared: Int64? = nil, verdicts: Int = 1
    ) -> Alarm {
        Alarm(
            id: id, sensor: sensor, metric: "temperature", kind: .drift, state: cleared == nil ? .open : .cleared,
            severity: .critical, raised: second(raised), lastSeen: second(lastSeen ?? raised),
            cleared: cleared.map(second), verdicts: verdicts, score: 0.9, pValue: 0.001, sentence: "\(sensor) drifts")
    }

    private func sensor(_ name: String) -> SensorID {
        table.withIndex { index in
            guard let id = index.sensor(name.utf8.span) else { preconditionFailure("the series table is full") }
            return id
        }
    }

    private func series(_ sensor: SensorID, _ metric: String, unit: String? = nil) -> SeriesID {
        table.withIndex { index in
            guard let metric = index.metric(metric.utf8.span), let id = index.series(sensor, metric) else {
                preconditionFailure("the series table is full")
            }
            if let unit { index.setUnit(unit, of: id) }
            return id
        }
    }
}
