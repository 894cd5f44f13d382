internal import TocsinCore

/// What is rare (anomalies, alarms, feedback, dead letters) as one statement per table, with arrays for parameters: a
/// thousand rows cost one round trip, and all tables together as well.
struct RecordStatements {
    private(set) var statements: [(sql: String, values: [PostgresValue])] = []
    private let sensors: [String: Int32]

    /// - Parameter sensors: rows by name.
    init(_ sensors: [String: Int32]) { self.sensors = sensors }

    mutating func add(_ outcomes: [BatchOutcome]) {
        add(anomalies: Self.last(outcomes.flatMap(\.anomalies), of: \.id))
        add(alarms: Self.last(outcomes.flatMap { $0.alarmChanges.map(\.alarm) }, of: \.id))
        add(feedback: Self.last(outcomes.flatMap(\.feedback), of: \.alarmID))
        add(actions: Self.last(outcomes.flatMap(\.actions), of: \.id))
        add(deadLetters: outcomes.flatMap(\.deadLetters))
    }

    /// One statement may change a row once: of each key the last word, in the order of first words.
    private static func last<Element>(_ list: [Element], of key: (Element) -> String) -> [Element] {
        var places: [String: Int] = [:]
        var kept: [Element] = []
        for element in list {
            if let place = places[key(element)] {
                kept[place] = element
            } else {
                places[key(element)] = kept.count
                kept.append(element)
            }
        }
        return kept
    }

    private func row(_ sensor: String) -> Int32 { sensors[sensor] ?? 0 }

    // MARK: Statements

    typealias Column = (name: String, type: String, values: PostgresValue)

    /// An update in place: a replay must leave the very same row. In the order of keys, so that two processes do not wait
    /// for each other crosswise.
    static func upsert(into table: String, key: [String], _ columns: [Column]) -> (sql: String, values: [PostgresValue])
    {
        let names = columns.map(\.name).joined(separator: ", ")
        let arrays = columns.enumerated().map { "$\($0.offset + 1)::\($0.element.type)[]" }.joined(separator: ", ")
        let keys = key.joined(separator: ", ")
        let changes = columns.filter { !key.contains($0.name) }.map { "\($0.name) = excluded.\($0.name)" }
        return (
            """
            INSERT INTO \(table) (\(names)) SELECT \(names) FROM unnest(\(arrays)) AS n (\(names)) ORDER BY \(keys)
            ON CONFLICT (\(keys)) DO UPDATE SET \(changes.joined(separator: ", "))
            """, columns.map(\.values)
        )
    }

    private mutating func add(anomalies list: [Anomaly]) {
        guard !list.isEmpty else { return }
        statements.append(
            Self.upsert(
                into: "anomalies", key: ["id"],
                [
                    ("id", "text", .texts(list.map(\.id))), ("alarm_id", "text", .texts(list.map(\.alarmID))),
                    ("sensor_id", "integer", .integers32(list.map { row($0.sensor) })),
                    ("metric", "text", .texts(list.map(\.metric))), ("kind", "text", .texts(list.map(\.kind.name))),
                    ("detector", "text", .texts(list.map(\.detector.name))),
                    ("model", "text", .texts(list.map(\.model))),
                    ("start", "bigint", .integers(list.map(\.start.nanoseconds))),
                    ("time", "bigint", .integers(list.map(\.time.nanoseconds))),
                    ("value", "float8", .reals(list.map(\.value))),
                    ("expected_low", "float8", .reals(list.map(\.expectedLow))),
                    ("expected_high", "float8", .reals(list.map(\.expectedHigh))),
                    ("score", "float8", .reals(list.map(\.score))),
                    ("p_value", "float8", .reals(list.map(\.pValue))),
                    ("contributions", "json", .texts(list.map { Self.json($0.contributions) })),
                    ("sentence", "text", .texts(list.map(\.sentence))), ("note", "text", .texts(list.map(\.note))),
                ]))
    }

    /// One JSON object, the greatest share first as given: `{"temperature":0.8,"humidity":0.2}`.
    private static func json(_ contributions: [Contribution]) -> String {
        var json = JSONWriter()
        json.object { object in
            for contribution in contributions { object.field(contribution.name.storable, contribution.share) }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private mutating func add(alarms list: [Alarm]) {
        guard !list.isEmpty else { return }
        statements.append(
            Self.upsert(
                into: "alarms", key: ["id"],
                [
                    ("id", "text", .texts(list.map(\.id))),
                    ("sensor_id", "integer", .integers32(list.map { row($0.sensor) })),
                    ("metric", "text", .texts(list.map(\.metric))), ("kind", "text", .texts(list.map(\.kind.name))),
                    ("state", "text", .texts(list.map(\.state.rawValue))),
                    ("severity", "text", .texts(list.map(\.severity.rawValue))),
                    ("raised", "bigint", .integers(list.map(\.raised.nanoseconds))),
                    ("last_seen", "bigint", .integers(list.map(\.lastSeen.nanoseconds))),
                    ("cleared", "bigint", .optionalIntegers(list.map { $0.cleared?.nanoseconds })),
                    ("verdicts", "bigint", .integers(list.map { Int64($0.verdicts) })),
                    ("score", "float8", .reals(list.map(\.score))), ("p_value", "float8", .reals(list.map(\.pValue))),
                    ("sentence", "text", .texts(list.map(\.sentence))),
                    ("summary", "text", .texts(list.map(\.summary))), ("cause", "text", .texts(list.map(\.cause))),
                    ("acknowledged", "bigint", .optionalIntegers(list.map { $0.care.acknowledged?.nanoseconds })),
                    ("acknowledged_by", "text", .texts(list.map(\.care.acknowledgedBy))),
                    ("assignee", "text", .texts(list.map(\.care.assignee))),
                    ("shelved_until", "bigint", .optionalIntegers(list.map { $0.care.shelvedUntil?.nanoseconds })),
                    ("out_of_service", "integer", .integers32(list.map { $0.care.isOutOfService ? 1 : 0 })),
                    ("latched", "integer", .integers32(list.map { $0.care.isLatched ? 1 : 0 })),
                ]))
    }

    private mutating func add(actions list: [AlarmAction]) {
        guard !list.isEmpty else { return }
        statements.append(
            Self.upsert(
                into: "alarm_actions", key: ["id"],
                [
                    ("id", "text", .texts(list.map(\.id))), ("alarm_id", "text", .texts(list.map(\.alarmID))),
                    ("sensor", "text", .texts(list.map(\.sensor))), ("kind", "text", .texts(list.map(\.kind.name))),
                    ("verb", "text", .texts(list.map(\.verb.rawValue))), ("person", "text", .texts(list.map(\.person))),
                    ("text", "text", .texts(list.map(\.text))),
                    ("until", "bigint", .optionalIntegers(list.map { $0.until?.nanoseconds })),
                    ("given", "bigint", .integers(list.map(\.given.nanoseconds))),
                    ("at", "bigint", .integers(list.map(\.wallTime.nanoseconds))),
                ]))
    }

    private mutating func add(feedback list: [Feedback]) {
        guard !list.isEmpty else { return }
        statements.append(
            Self.upsert(
                into: "feedback", key: ["alarm_id"],
                [
                    ("alarm_id", "text", .texts(list.map(\.alarmID))),
                    ("word", "text", .texts(list.map(\.word.rawValue))),
                    ("recurrence", "text", .texts(list.map { $0.recurrence?.rawValue })),
                    ("sensor", "text", .texts(list.map(\.sensor))), ("metric", "text", .texts(list.map(\.metric))),
                    ("kind", "text", .texts(list.map(\.kind.name))), ("score", "float8", .reals(list.map(\.score))),
                    ("began", "bigint", .integers(list.map(\.start.nanoseconds))),
                    ("ended", "bigint", .integers(list.map(\.end.nanoseconds))),
                    ("given", "bigint", .integers(list.map(\.given.nanoseconds))),
                    ("note", "text", .texts(list.map(\.note))),
                ]))
    }

    private mutating func add(deadLetters list: [DeadLetter]) {
        guard !list.isEmpty else { return }
        let keys = list.map { letter in
            var key = StableHash()
            key.combine(letter.reason.rawValue)
            key.combine(letter.detail)
            key.combine(letter.payload)
            return Int64(bitPattern: key.value)
        }
        statements.append(
            (
                """
                INSERT INTO dead_letters (reason, detail, source, position, received, payload, readings, content_key)
                SELECT reason, detail, source, position, received, payload, readings, content_key
                FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[],
                    $8::bigint[]) WITH ORDINALITY
                    AS n (reason, detail, source, position, received, payload, readings, content_key, ordinal)
                ORDER BY ordinal ON CONFLICT (source, position, content_key) DO NOTHING
                """,
                [
                    .texts(list.map(\.reason.rawValue)), .texts(list.map(\.detail)), .texts(list.map(\.source)),
                    .integers(list.map(\.position)), .integers(list.map(\.received.nanoseconds)),
                    .byteStrings(list.map(\.payload)), .integers(list.map { Int64($0.readings) }), .integers(keys),
                ]
            ))
    }
}

extension PostgresWriter {
    /// The rows of the sensors that anomalies and alarms speak of. They are found by name, because an alarm taken up from
    /// an earlier process may speak of a sensor that this one has not heard yet.
    func sensorNumbers(_ outcomes: [BatchOutcome], _ connection: PostgresConnection) throws -> [String: Int32] {
        var times: [String: Int64] = [:]
        for outcome in outcomes {
            for anomaly in outcome.anomalies where times[anomaly.sensor] == nil {
                times[anomaly.sensor] = anomaly.time.nanoseconds
            }
            for change in outcome.alarmChanges where times[change.alarm.sensor] == nil {
                times[change.alarm.sensor] = change.alarm.raised.nanoseconds
            }
        }
        guard !times.isEmpty else { return [:] }
        let names = times.keys.sorted()
        return try RowNumbers.rows(
            ofSensors: names, zones: names.map { _ in nil }, times: names.map { times[$0] ?? 0 }, connection)
    }
}
