internal import TocsinCore

/// Listings of anomalies, alarms, feedback and dead letters. A word of a newer version is passed over rather than shown
/// as something else.
enum RecordQueries {
    static func anomalies(_ query: RecordQuery, _ connection: PostgresConnection) throws -> [Anomaly] {
        guard let selection = try Selection(query, connection) else { return [] }
        let (conditions, values) = selection.conditions(time: "time")
        return try connection.query(
            """
            SELECT t.id, t.alarm_id, (SELECT s.name FROM sensors s WHERE s.id = t.sensor_id), t.metric, t.kind,
                t.detector, t.model, t.start, t.time, t.value, t.expected_low, t.expected_high, t.score, t.p_value,
                t.contributions, t.sentence, t.note
            FROM anomalies t WHERE \(conditions)
            ORDER BY t.time DESC, t.id DESC LIMIT $\(values.count - 1) OFFSET $\(values.count)
            """, values
        ).map { row -> Anomaly? in
            guard let kind = AnomalyKind(name: row.text(4)), let detector = DetectorKind(name: row.text(5)) else {
                return nil
            }
            return Anomaly(
                id: row.text(0), alarmID: row.optionalText(1), sensor: row.text(2), metric: row.optionalText(3),
                kind: kind, detector: detector, model: row.text(6), start: row.timestamp(7), time: row.timestamp(8),
                value: row.double(9), expectedLow: row.double(10), expectedHigh: row.double(11), score: row.double(12),
                pValue: row.double(13),
                contributions: FlatObject.numbers(row.bytes(14)).map { Contribution(name: $0.name, share: $0.value) },
                sentence: row.text(15), note: row.optionalText(16))
        }.compactMap(\.self)
    }

    static func alarms(
        _ query: RecordQuery, state: Alarm.State?, _ connection: PostgresConnection
    ) throws -> [Alarm] {
        guard let selection = try Selection(query, connection) else { return [] }
        var (conditions, values) = selection.conditions(time: "raised")
        if let state { conditions += " AND t.state = '\(state.rawValue)'" }
        return try alarms(
            "\(conditions) ORDER BY t.raised DESC, t.id DESC LIMIT $\(values.count - 1) OFFSET $\(values.count)",
            values, connection)
    }

    static func openAlarms(_ connection: PostgresConnection) throws -> [Alarm] {
        try alarms("t.state = 'open' ORDER BY t.raised, t.id", [], connection)
    }

    static func alarm(id: String, _ connection: PostgresConnection) throws -> Alarm? {
        try alarms("t.id = $1", [.text(id)], connection).first
    }

    private static func alarms(
        _ clauses: String, _ values: [PostgresValue], _ connection: PostgresConnection
    ) throws -> [Alarm] {
        try connection.query(
            """
            SELECT t.id, (SELECT s.name FROM sensors s WHERE s.id = t.sensor_id), t.metric, t.kind, t.state, t.severity,
                t.raised, t.last_seen, t.cleared, t.verdicts, t.score, t.p_value, t.sentence, t.summary, t.cause,
                t.acknowledged, t.acknowledged_by, t.assignee, t.shelved_until, t.out_of_service, t.latched
            FROM alarms t WHERE \(clauses)
            """, values
        ).map { row -> Alarm? in
            guard let kind = AnomalyKind(name: row.text(3)), let state = Alarm.State(rawValue: row.text(4)),
                let severity = Alarm.Severity(rawValue: row.text(5))
            else { return nil }
            var alarm = Alarm(
                id: row.text(0), sensor: row.text(1), metric: row.optionalText(2), kind: kind, state: state,
                severity: severity, raised: row.timestamp(6), lastSeen: row.timestamp(7),
                cleared: row.optionalInt64(8).map(Timestamp.init(nanoseconds:)), verdicts: Int(row.int64(9)),
                score: row.double(10), pValue: row.double(11), sentence: row.text(12), summary: row.optionalText(13),
                cause: row.optionalText(14))
            alarm.care.acknowledged = row.optionalInt64(15).map(Timestamp.init(nanoseconds:))
            alarm.care.acknowledgedBy = row.optionalText(16)
            alarm.care.assignee = row.optionalText(17)
            alarm.care.shelvedUntil = row.optionalInt64(18).map(Timestamp.init(nanoseconds:))
            alarm.care.isOutOfService = row.int32(19) != 0
            alarm.care.isLatched = row.int32(20) != 0
            return alarm
        }.compactMap(\.self)
    }

    static func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int, _ connection: PostgresConnection
    ) throws -> [AlarmAction] {
        var conditions: [String] = []
        var values: [PostgresValue] = []
        if let alarmID {
            values.append(.text(alarmID))
            conditions.append("alarm_id = $\(values.count)")
        }
        if let since {
            values.append(.integer(since.nanoseconds))
            conditions.append("at >= $\(values.count)")
        }
        values += [.integer(Int64(max(0, limit))), .integer(Int64(max(0, offset)))]
        return try connection.query(
            """
            SELECT id, alarm_id, sensor, kind, verb, person, text, until, given, at FROM alarm_actions
            \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
            ORDER BY at DESC, id DESC LIMIT $\(values.count - 1) OFFSET $\(values.count)
            """, values
        ).map { row -> AlarmAction? in
            guard let kind = AnomalyKind(name: row.text(3)), let verb = AlarmAction.Verb(rawValue: row.text(4)) else {
                return nil
            }
            return AlarmAction(
                id: row.text(0), alarmID: row.text(1), sensor: row.text(2), kind: kind, verb: verb,
                person: row.text(5), text: row.optionalText(6),
                until: row.optionalInt64(7).map(Timestamp.init(nanoseconds:)), given: row.timestamp(8),
                wallTime: row.timestamp(9))
        }.compactMap(\.self)
    }

    static func feedback(since: Timestamp, _ connection: PostgresConnection) throws -> [Feedback] {
        try connection.query(
            """
            SELECT alarm_id, word, recurrence, sensor, metric, kind, score, began, ended, given, note FROM feedback
            WHERE given >= $1 ORDER BY given, alarm_id
            """, [.integer(since.nanoseconds)]
        ).map { row -> Feedback? in
            guard let word = FeedbackWord(rawValue: row.text(1)), let kind = AnomalyKind(name: row.text(5)) else {
                return nil
            }
            return Feedback(
                word: word, recurrence: row.optionalText(2).flatMap(Recurrence.init(rawValue:)), alarmID: row.text(0),
                sensor: row.text(3), metric: row.optionalText(4), kind: kind, score: row.double(6),
                start: row.timestamp(7), end: row.timestamp(8), given: row.timestamp(9), note: row.optionalText(10))
        }.compactMap(\.self)
    }

    static func deadLetters(
        reason: DeadLetterReason?, limit: Int, offset: Int, _ connection: PostgresConnection
    ) throws -> [DeadLetter] {
        try deadLetters(
            "\(reason.map { "WHERE reason = '\($0.rawValue)'" } ?? "") ORDER BY received DESC, id DESC LIMIT $1 OFFSET $2",
            [.integer(Int64(max(0, limit))), .integer(Int64(max(0, offset)))], connection)
    }

    static func deadLetter(id: Int64, _ connection: PostgresConnection) throws -> DeadLetter? {
        try deadLetters("WHERE id = $1", [.integer(id)], connection).first
    }

    private static func deadLetters(
        _ clauses: String, _ values: [PostgresValue], _ connection: PostgresConnection
    ) throws -> [DeadLetter] {
        try connection.query(
            "SELECT id, reason, detail, source, position, received, payload, readings FROM dead_letters \(clauses)",
            values
        ).map { row -> DeadLetter? in
            guard let reason = DeadLetterReason(rawValue: row.text(1)) else { return nil }
            return DeadLetter(
                id: row.int64(0), reason: reason, detail: row.text(2), source: row.text(3), position: row.int64(4),
                received: row.timestamp(5), payload: row.bytes(6), readings: Int(row.int64(7)))
        }.compactMap(\.self)
    }

    static func deadLetterCounts(_ connection: PostgresConnection) throws -> [DeadLetterReason: Int] {
        var counts: [DeadLetterReason: Int] = [:]
        let rows = try connection.query("SELECT reason, count(*) FROM dead_letters GROUP BY reason").map {
            (DeadLetterReason(rawValue: $0.text(0)), Int($0.int64(1)))
        }
        for (reason, count) in rows {
            if let reason { counts[reason] = count }
        }
        return counts
    }
}
