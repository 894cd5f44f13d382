public import TocsinCore

/// What became of a batch, as messages for other programs: JSON, keyed by sensor.
///
/// Headers of every message: `content-type`, `schema-version` ("anomaly/1"), `traceparent`. What comes twice gives the same
/// bytes, so that `event_id` tells a repetition; a dead letter has it among its headers.
public struct OutcomeRecords: Sendable {
    public var topics: KafkaTopics

    public init(_ topics: KafkaTopics) { self.topics = topics }

    /// In the order processed events, anomalies, alarms, dead letters; 1 to 2 µs each.
    public func records(of outcome: BatchOutcome, table: SeriesTable) -> [KafkaRecord] {
        OutputKind.allCases.flatMap { kind -> [KafkaRecord] in
            guard let topic = topics[kind] else { return [] }
            return Self.messages(kind, outcome, table).map { $0.record(kind, topic: topic) }
        }
    }

    static func messages(_ kind: OutputKind, _ outcome: BatchOutcome, _ table: SeriesTable) -> [OutputMessage] {
        switch kind {
        case .processed: processed(outcome, table)
        case .anomalies: outcome.anomalies.map(message)
        case .alerts: alerts(outcome)
        case .deadLetters: outcome.deadLetters.map(message)
        }
    }

    // MARK: Anomalies and alarms

    /// `{"event_id", "sensor_id", "metric", "window_start", "window_end", "anomaly_score", "is_anomaly", "p_value",
    /// "features": {…}, "kind", "detector", "explanation", "model", "alarm_id", "note"}`; `features` holds the observed
    /// value, what was expected, and the share that each metric has in the score.
    public static func record(of anomaly: Anomaly, topic: String) -> KafkaRecord {
        message(anomaly).record(.anomalies, topic: topic)
    }

    private static func message(_ anomaly: Anomaly) -> OutputMessage {
        var json = JSONWriter()
        json.object {
            $0.field("event_id", anomaly.id)
            $0.field("sensor_id", anomaly.sensor)
            $0.field("metric", anomaly.metric)
            $0.field("window_start", anomaly.start)
            $0.field("window_end", anomaly.time)
            $0.field("anomaly_score", anomaly.score)
            // False where a rule or a person said that it is none.
            $0.field("is_anomaly", anomaly.note == nil)
            $0.field("p_value", anomaly.pValue)
            $0.key("features")
            $0.object {
                $0.field("value", anomaly.value)
                $0.field("expected_low", anomaly.expectedLow)
                $0.field("expected_high", anomaly.expectedHigh)
                $0.key("contributions")
                $0.object { list in
                    for contribution in anomaly.contributions { list.field(contribution.name, contribution.share) }
                }
            }
            $0.field("kind", anomaly.kind.name)
            $0.field("detector", anomaly.detector.name)
            $0.field("explanation", anomaly.sentence)
            $0.field("model", anomaly.model)
            $0.field("alarm_id", anomaly.alarmID)
            $0.field("note", anomaly.note)
        }
        return OutputMessage(
            key: Array(anomaly.sensor.utf8), value: json.bytes, time: anomaly.time,
            trace: TraceContext(event: anomaly.alarmID ?? anomaly.id, message: anomaly.id))
    }

    private static func alerts(_ outcome: BatchOutcome) -> [OutputMessage] {
        let changes = outcome.alarmChanges.filter { $0.step != .updated }
        guard !changes.isEmpty else { return [] }
        let occasion = occasion(of: outcome)
        return changes.map { message($0, occasion) }
    }

    /// What a person did, by its id; else the place in the stream.
    private static func occasion(of outcome: BatchOutcome) -> String {
        if let action = outcome.actions.first { return action.id }
        let origin = outcome.batch.origin
        var hash = StableHash()
        hash.combine(origin.sourceName)
        hash.combine(UInt64(bitPattern: origin.position))
        hash.combine(UInt64(bitPattern: origin.received.nanoseconds))
        return hash.hex
    }

    /// `{"event_id", "step", "alarm": {…}}` with the alarm as the API shows it. The id is that of the step: an alarm that
    /// is reopened twice gives two.
    /// - Parameter occasion: tells what people do from the same done again; the same for a repetition.
    public static func record(of change: AlarmChange, occasion: String, topic: String) -> KafkaRecord {
        message(change, occasion).record(.alerts, topic: topic)
    }

    private static func message(_ change: AlarmChange, _ occasion: String) -> OutputMessage {
        let id = id(of: change, occasion)
        var json = JSONWriter()
        json.object {
            $0.field("event_id", id)
            $0.field("sensor_id", change.alarm.sensor)
            $0.field("step", change.step.rawValue)
            $0.field("is_told", change.isTold)
            $0.key("alarm")
            $0.value(change.alarm)
        }
        return OutputMessage(
            key: Array(change.alarm.sensor.utf8), value: json.bytes,
            time: change.alarm.cleared ?? change.alarm.lastSeen,
            trace: TraceContext(event: change.alarm.id, message: id))
    }

    private static func id(of change: AlarmChange, _ occasion: String) -> String {
        let base = "\(change.alarm.id)-\(change.step.rawValue)-\(change.alarm.verdicts)"
        switch change.step {
        case .raised, .reopened, .escalated, .cleared: return base
        // Can happen twice to the same state of an alarm.
        default: return "\(base)-\(occasion)"
        }
    }

    // MARK: Dead letters

    /// The message as it was received; why, whence and since when stand in the headers `event_id`, `reason`, `detail`,
    /// `source`, `position`, `received` and `readings`. The key is the source: the sensor is what could not be read.
    public static func record(of letter: DeadLetter, topic: String) -> KafkaRecord {
        message(letter).record(.deadLetters, topic: topic)
    }

    private static func message(_ letter: DeadLetter) -> OutputMessage {
        let id = id(of: letter)
        let type = letter.payload.first.map { [UInt8(ascii: "{"), UInt8(ascii: "[")].contains($0) } ?? false
        return OutputMessage(
            key: Array(letter.source.utf8), value: letter.payload, time: letter.received,
            trace: TraceContext(event: "\(letter.source)@\(letter.position)", message: id),
            own: [
                KafkaHeader("event_id", id),
                KafkaHeader("content-type", type ? "application/json" : "application/octet-stream"),
                KafkaHeader("reason", letter.reason.rawValue), KafkaHeader("detail", letter.detail),
                KafkaHeader("source", letter.source), KafkaHeader("position", "\(letter.position)"),
                KafkaHeader("received", letter.received.iso8601), KafkaHeader("readings", "\(letter.readings)"),
            ])
    }

    /// As the stores tell letters apart.
    private static func id(of letter: DeadLetter) -> String {
        var hash = StableHash()
        hash.combine(letter.source)
        hash.combine(UInt64(bitPattern: letter.position))
        hash.combine(letter.reason.rawValue)
        hash.combine(letter.detail)
        hash.combine(letter.payload)
        return hash.hex
    }
}
