internal import GRDB
internal import TocsinCore

// What is rare: anomalies, alarms, dead letters, models. Their sensors are found by name, because an alarm taken up
// from an earlier process may speak of a sensor that this one has not heard yet.
extension SQLiteWriter {
    private static let upsertAnomaly = upsert(
        into: "anomalies", key: ["id"],
        [
            "alarm_id", "sensor_id", "metric", "kind", "detector", "model", "start", "time", "value", "expected_low",
            "expected_high", "score", "p_value", "contributions", "sentence",
            "note",
        ])
    private static let upsertAlarm = upsert(
        into: "alarms", key: ["id"],
        [
            "sensor_id", "metric", "kind", "state", "severity", "raised", "last_seen", "cleared", "verdicts", "score",
            "p_value", "sentence", "summary", "cause", "acknowledged", "acknowledged_by", "assignee", "shelved_until",
            "out_of_service", "latched",
        ])
    private static let upsertModel = upsert(
        into: "model_registry", key: ["name", "version"], ["origin", "created", "format", "summary", "data"])

    // An update in place, not REPLACE: a replay must leave the very same row.
    static func upsert(into table: String, key: [String], _ columns: [String]) -> String {
        let all = key + columns
        return """
            INSERT INTO \(table) (\(all.joined(separator: ", ")))
            VALUES (\(all.map { _ in "?" }.joined(separator: ", ")))
            ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET
            \(columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
            """
    }

    static func writeAnomalies(_ anomalies: [Anomaly], _ database: Database) throws {
        for anomaly in anomalies {
            let sensor = try RowIDs.row(ofSensor: anomaly.sensor, zone: nil, time: anomaly.time, database)
            try database.run(
                Self.upsertAnomaly,
                [
                    .text(anomaly.id), .optional(anomaly.alarmID), .integer(sensor), .optional(anomaly.metric),
                    .text(anomaly.kind.name), .text(anomaly.detector.name), .text(anomaly.model),
                    .integer(anomaly.start.nanoseconds), .integer(anomaly.time.nanoseconds), .real(anomaly.value),
                    .real(anomaly.expectedLow), .real(anomaly.expectedHigh), .real(anomaly.score),
                    .real(anomaly.pValue), .text(json(anomaly.contributions)), .text(anomaly.sentence),
                    .optional(anomaly.note),
                ])
        }
    }

    /// One JSON object, the greatest share first as given: `{"temperature":0.8,"humidity":0.2}`.
    private static func json(_ contributions: [Contribution]) -> String {
        var json = JSONWriter()
        json.object { object in
            for contribution in contributions { object.field(contribution.name, contribution.share) }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    static func writeAlarms(_ changes: [AlarmChange], _ database: Database) throws {
        for change in changes {
            let alarm = change.alarm
            let sensor = try RowIDs.row(ofSensor: alarm.sensor, zone: nil, time: alarm.raised, database)
            try database.run(
                Self.upsertAlarm,
                [
                    .text(alarm.id), .integer(sensor), .optional(alarm.metric), .text(alarm.kind.name),
                    .text(alarm.state.rawValue), .text(alarm.severity.rawValue), .integer(alarm.raised.nanoseconds),
                    .integer(alarm.lastSeen.nanoseconds), .optional(alarm.cleared),
                    .integer(Int64(alarm.verdicts)), .real(alarm.score), .real(alarm.pValue), .text(alarm.sentence),
                    .optional(alarm.summary), .optional(alarm.cause), .optional(alarm.care.acknowledged),
                    .optional(alarm.care.acknowledgedBy), .optional(alarm.care.assignee),
                    .optional(alarm.care.shelvedUntil), .integer(alarm.care.isOutOfService ? 1 : 0),
                    .integer(alarm.care.isLatched ? 1 : 0),
                ])
        }
    }

    static func writeActions(_ actions: [AlarmAction], _ database: Database) throws {
        for action in actions {
            try database.run(
                upsert(
                    into: "alarm_actions", key: ["id"],
                    ["alarm_id", "sensor", "kind", "verb", "person", "text", "until", "given", "at"]),
                [
                    .text(action.id), .text(action.alarmID), .text(action.sensor), .text(action.kind.name),
                    .text(action.verb.rawValue), .text(action.person), .optional(action.text),
                    .optional(action.until), .integer(action.given.nanoseconds),
                    .integer(action.wallTime.nanoseconds),
                ])
        }
    }

    static func writeFeedback(_ feedback: Feedback, _ database: Database) throws {
        try database.run(
            upsert(
                into: "feedback", key: ["alarm_id"],
                ["word", "recurrence", "sensor", "metric", "kind", "score", "began", "ended", "given", "note"]),
            [
                .text(feedback.alarmID), .text(feedback.word.rawValue), .optional(feedback.recurrence?.rawValue),
                .text(feedback.sensor), .optional(feedback.metric), .text(feedback.kind.name), .real(feedback.score),
                .integer(feedback.start.nanoseconds), .integer(feedback.end.nanoseconds),
                .integer(feedback.given.nanoseconds), .optional(feedback.note),
            ])
    }

    static func writeDeadLetters(_ letters: [DeadLetter], _ database: Database) throws {
        for letter in letters {
            var key = StableHash()
            key.combine(letter.reason.rawValue)
            key.combine(letter.detail)
            key.combine(letter.payload)
            try database.run(
                """
                INSERT INTO dead_letters (reason, detail, source, position, received, payload, readings, content_key)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (source, position, content_key) DO NOTHING
                """,
                [
                    .text(letter.reason.rawValue), .text(letter.detail), .text(letter.source),
                    .integer(letter.position), .integer(letter.received.nanoseconds), .blob(letter.payload),
                    .integer(Int64(letter.readings)), .integer(Int64(bitPattern: key.value)),
                ])
        }
    }

    static func writeModel(_ model: ModelRecord, _ database: Database) throws {
        try database.run(
            Self.upsertModel,
            [
                .text(model.name), .integer(Int64(model.version)), .text(model.origin.rawValue),
                .integer(model.created.nanoseconds),
                .text(model.format), .text(model.summary), .blob(model.data),
            ])
        try database.run(
            "DELETE FROM model_registry WHERE name = ? AND origin = 'learned' AND version <= ?",
            [.text(model.name), .integer(Int64(model.version - keptVersions))])
    }

    /// Learnt models are many and replace each other: these allow a look back.
    private static let keptVersions = 5
}
