internal import GRDB
internal import TocsinCore

/// A `RecordQuery` in the terms of the database.
struct Selection {
    var sensor: Int64?
    /// Both ends inclusive.
    var times: ClosedRange<Int64>
    var metric: String?
    var limit: Int
    var offset: Int

    /// nil where nothing can match: an unknown sensor, an empty range of times, a limit of 0.
    init?(_ query: RecordQuery, _ database: Database) throws {
        let first = query.start?.nanoseconds ?? .min
        var last = Int64.max
        if let end = query.end?.nanoseconds {
            guard end > .min else { return nil }
            last = end - 1
        }
        guard first <= last, query.limit > 0 else { return nil }
        times = first...last
        metric = query.metric
        limit = query.limit
        offset = max(0, query.offset)
        if let name = query.sensor {
            guard let row = try database.integer("SELECT id FROM sensors WHERE name = ?", [.text(name)]) else {
                return nil
            }
            sensor = row
        }
    }

    /// How many of the newest rows must be looked at.
    var reach: Int {
        let (sum, overflow) = limit.addingReportingOverflow(offset)
        return overflow ? .max : sum
    }

    var page: [SQLValue] { [.integer(Int64(limit)), .integer(Int64(offset))] }

    /// The part of an ordered list that this page shows.
    func cut<Element>(_ list: [Element]) -> ArraySlice<Element> { list.dropFirst(offset).prefix(limit) }

    /// Conditions for a table with a sensor and a metric of its own.
    func conditions(time column: String) -> (sql: String, arguments: [SQLValue]) {
        var sql = "t.\(column) BETWEEN ? AND ?"
        var arguments: [SQLValue] = [.integer(times.lowerBound), .integer(times.upperBound)]
        if let sensor {
            sql += " AND t.sensor_id = ?"
            arguments.append(.integer(sensor))
        }
        if let metric {
            // Of one sensor there are few: the sign keeps the planner from walking all of a metric.
            sql += " AND \(sensor == nil ? "" : "+")t.metric = ?"
            arguments.append(.text(metric))
        }
        return (sql, arguments)
    }
}

/// The listings. Every function must be called within one read transaction.
enum SQLiteQueries {
    // MARK: Anomalies and alarms

    static func anomalies(_ query: RecordQuery, _ database: Database) throws -> [Anomaly] {
        guard let selection = try Selection(query, database) else { return [] }
        let (conditions, arguments) = selection.conditions(time: "time")
        return try database.rows(
            """
            SELECT t.id, t.alarm_id, s.name, t.metric, t.kind, t.detector, t.model, t.start, t.time, t.value,
                t.expected_low, t.expected_high, t.score, t.p_value, t.contributions, t.sentence, t.note
            FROM (SELECT t.rowid AS number FROM anomalies t WHERE \(conditions)
                ORDER BY t.time DESC, t.rowid DESC LIMIT ? OFFSET ?) page
            CROSS JOIN anomalies t ON t.rowid = page.number CROSS JOIN sensors s ON s.id = t.sensor_id
            """, arguments + selection.page
        ) { row -> Anomaly? in
            // A word of a newer version is passed over rather than shown as something else.
            guard let kind = AnomalyKind(name: row.text(4)), let detector = DetectorKind(name: row.text(5)) else {
                return nil
            }
            return Anomaly(
                id: row.text(0), alarmID: row.optionalText(1), sensor: row.text(2), metric: row.optionalText(3),
                kind: kind, detector: detector, model: row.text(6), start: row.timestamp(7), time: row.timestamp(8),
                value: row.double(9), expectedLow: row.double(10), expectedHigh: row.double(11),
                score: row.double(12), pValue: row.double(13),
                contributions: try numbers(ofObject: row.text(14), database).map {
                    Contribution(name: $0.name, share: $0.value)
                }, sentence: row.text(15), note: row.optionalText(16))
        }.compactMap(\.self)
    }

    static func alarms(_ query: RecordQuery, state: Alarm.State?, _ database: Database) throws -> [Alarm] {
        guard let selection = try Selection(query, database) else { return [] }
        var (conditions, arguments) = selection.conditions(time: "raised")
        // A literal, because a bound value would hide the partial index of open alarms from the planner.
        if let state { conditions += " AND t.state = '\(state.rawValue)'" }
        arguments += selection.page
        return try alarms(
            where: "\(conditions) ORDER BY t.raised DESC, t.rowid DESC LIMIT ? OFFSET ?", arguments, database)
    }

    static func openAlarms(_ database: Database) throws -> [Alarm] {
        try alarms(where: "t.state = 'open' ORDER BY t.raised, t.rowid", [], database)
    }

    private static func alarms(
        where conditions: String, _ arguments: [SQLValue], _ database: Database
    ) throws -> [Alarm] {
        try database.rows(
            """
            SELECT t.id, s.name, t.metric, t.kind, t.state, t.severity, t.raised, t.last_seen, t.cleared, t.verdicts,
                t.score, t.p_value, t.sentence, t.summary, t.cause, t.acknowledged, t.acknowledged_by, t.assignee,
                t.shelved_until, t.out_of_service, t.latched
            FROM alarms t JOIN sensors s ON s.id = t.sensor_id WHERE \(conditions)
            """, arguments
        ) { row -> Alarm? in
            guard let kind = AnomalyKind(name: row.text(3)), let state = Alarm.State(rawValue: row.text(4)),
                let severity = Alarm.Severity(rawValue: row.text(5))
            else { return nil }
            var alarm = Alarm(
                id: row.text(0), sensor: row.text(1), metric: row.optionalText(2), kind: kind, state: state,
                severity: severity, raised: row.timestamp(6), lastSeen: row.timestamp(7),
                cleared: row.optionalTimestamp(8), verdicts: Int(row.int64(9)),
                score: row.double(10), pValue: row.double(11), sentence: row.text(12),
                summary: row.optionalText(13), cause: row.optionalText(14))
            alarm.care.acknowledged = row.optionalTimestamp(15)
            alarm.care.acknowledgedBy = row.optionalText(16)
            alarm.care.assignee = row.optionalText(17)
            alarm.care.shelvedUntil = row.optionalTimestamp(18)
            alarm.care.isOutOfService = row.int64(19) != 0
            alarm.care.isLatched = row.int64(20) != 0
            return alarm
        }.compactMap(\.self)
    }

    static func alarm(id: String, _ database: Database) throws -> Alarm? {
        try alarms(where: "t.id = ?", [.text(id)], database).first
    }

    // MARK: Feedback

    static func feedback(since: Timestamp, _ database: Database) throws -> [Feedback] {
        try database.rows(
            """
            SELECT alarm_id, word, recurrence, sensor, metric, kind, score, began, ended, given, note FROM feedback
            WHERE given >= ? ORDER BY given, alarm_id
            """, [.integer(since.nanoseconds)]
        ) { row -> Feedback? in
            guard let word = FeedbackWord(rawValue: row.text(1)), let kind = AnomalyKind(name: row.text(5)) else {
                return nil
            }
            return Feedback(
                word: word, recurrence: row.optionalText(2).flatMap(Recurrence.init(rawValue:)), alarmID: row.text(0),
                sensor: row.text(3), metric: row.optionalText(4), kind: kind, score: row.double(6),
                start: row.timestamp(7), end: row.timestamp(8), given: row.timestamp(9), note: row.optionalText(10))
        }.compactMap(\.self)
    }

    static func alarmActions(
        alarmID: String?, since: Timestamp?, limit: Int, offset: Int, _ database: Database
    ) throws -> [AlarmAction] {
        var conditions: [String] = []
        var arguments: [SQLValue] = []
        if let alarmID {
            conditions.append("alarm_id = ?")
            arguments.append(.text(alarmID))
        }
        if let since {
            conditions.append("at >= ?")
            arguments.append(.integer(since.nanoseconds))
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try database.rows(
            """
            SELECT id, alarm_id, sensor, kind, verb, person, text, until, given, at FROM alarm_actions
            \(filter) ORDER BY at DESC, id DESC LIMIT ? OFFSET ?
            """, arguments + [.integer(Int64(max(0, limit))), .integer(Int64(max(0, offset)))]
        ) { row -> AlarmAction? in
            guard let kind = AnomalyKind(name: row.text(3)), let verb = AlarmAction.Verb(rawValue: row.text(4)) else {
                return nil
            }
            return AlarmAction(
                id: row.text(0), alarmID: row.text(1), sensor: row.text(2), kind: kind, verb: verb,
                person: row.text(5), text: row.optionalText(6), until: row.optionalTimestamp(7),
                given: row.timestamp(8), wallTime: row.timestamp(9))
        }.compactMap(\.self)
    }

    // MARK: Dead letters

    static func deadLetters(
        reason: DeadLetterReason?, limit: Int, offset: Int, _ database: Database
    ) throws -> [DeadLetter] {
        let filter = reason.map { "WHERE reason = '\($0.rawValue)'" } ?? ""
        return try deadLetters(
            "\(filter) ORDER BY received DESC, id DESC LIMIT ? OFFSET ?",
            [.integer(Int64(max(0, limit))), .integer(Int64(max(0, offset)))], database)
    }

    static func deadLetter(id: Int64, _ database: Database) throws -> DeadLetter? {
        try deadLetters("WHERE id = ?", [.integer(id)], database).first
    }

    private static func deadLetters(
        _ clauses: String, _ arguments: [SQLValue], _ database: Database
    ) throws -> [DeadLetter] {
        try database.rows(
            """
            SELECT id, reason, detail, source, position, received, payload, readings FROM dead_letters \(clauses)
            """, arguments
        ) { row -> DeadLetter? in
            guard let reason = DeadLetterReason(rawValue: row.text(1)) else { return nil }
            return DeadLetter(
                id: row.int64(0), reason: reason, detail: row.text(2), source: row.text(3), position: row.int64(4),
                received: row.timestamp(5), payload: row.bytes(6), readings: Int(row.int64(7)))
        }.compactMap(\.self)
    }

    static func deadLetterCounts(_ database: Database) throws -> [DeadLetterReason: Int] {
        var counts: [DeadLetterReason: Int] = [:]
        let rows = try database.rows("SELECT reason, count(*) FROM dead_letters GROUP BY reason") {
            (DeadLetterReason(rawValue: $0.text(0)), Int($0.int64(1)))
        }
        for (reason, count) in rows {
            if let reason { counts[reason] = count }
        }
        return counts
    }

    // MARK: Models

    static func models(name: String?, _ database: Database) throws -> [ModelRecord] {
        try database.rows(
            """
            SELECT name, version, origin, created, format, summary, data FROM model_registry
            \(name == nil ? "" : "WHERE name = ?") ORDER BY name, version DESC
            """, name.map { [.text($0)] } ?? []
        ) { row in
            ModelRecord(
                name: row.text(0), version: Int(row.int64(1)),
                origin: ModelOrigin(rawValue: row.text(2)) ?? .learned, created: row.timestamp(3),
                format: row.text(4), summary: row.text(5), data: row.bytes(6))
        }
    }

    // MARK: Parts

    /// The numbers of a flat JSON object in their order; `null` is not-a-number.
    static func numbers(ofObject json: String, _ database: Database) throws -> [(name: String, value: Double)] {
        try database.rows("SELECT key, value FROM json_each(?)", [.text(json)]) { ($0.text(0), $0.double(1)) }
    }
}

extension SQLStatement {
    func timestamp(_ column: Int32) -> Timestamp { Timestamp(nanoseconds: int64(column)) }
}
