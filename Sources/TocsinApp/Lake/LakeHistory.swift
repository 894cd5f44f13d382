internal import TocsinCore
internal import TocsinLake

/// Reads what has left the operational store: the same records, from the lake.
struct LakeHistory: Sendable {
    private let place: LakePlace

    init(_ place: LakePlace) { self.place = place }

    /// Whether the lake may have anything of this table from before `time`: as its owner saw it last, no listing.
    func reaches(_ table: LakeTable, before time: Timestamp) -> Bool {
        guard let sizes = place.stock.sizes else { return true }
        return sizes.contains { $0.table == table.path && $0.oldest < time }
    }

    func events(_ query: RecordQuery) async throws -> [StoredEvent] {
        let sql = """
            SELECT sensor, time_ns, epoch_us(received), source, readings, units, payload, event_key
            FROM (FROM bronze_events WHERE \(Self.filter(query, time: "time_ns", metric: "map_contains(readings, ?)"))
                QUALIFY row_number() OVER (PARTITION BY sensor, time_ns, event_key ORDER BY received, position) = 1)
            ORDER BY time_ns DESC, sensor, event_key LIMIT \(query.limit) OFFSET \(query.offset)
            """
        return try await rows(sql, query).compactMap { row in
            guard let sensor = row[0].text, let time = row[1].integer else { return nil }
            var units: [String: String] = [:]
            if case .map(let entries) = row[5] {
                for entry in entries { if let name = entry.key.text { units[name] = entry.value.text } }
            }
            var readings: [(metric: String, value: Double, unit: String?)] = []
            if case .map(let entries) = row[4] {
                for entry in entries {
                    if let name = entry.key.text, let value = entry.value.double {
                        readings.append((name, value, units[name]))
                    }
                }
            }
            var payload: [UInt8] = []
            if case .blob(let bytes) = row[6] { payload = bytes }
            return StoredEvent(
                sensor: sensor, time: Timestamp(nanoseconds: time),
                received: row[2].integer.map { Self.time(microseconds: $0) } ?? Timestamp(nanoseconds: time),
                source: row[3].text ?? "",
                isLate: false, readings: readings, payload: payload,
                key: UInt64(bitPattern: row[7].integer ?? 0))
        }
    }

    func windows(_ query: RecordQuery) async throws -> [StoredWindow] {
        let statistics = WindowStatistic.allCases.map { DuckDB.identifier($0.name) }.joined(separator: ", ")
        let sql = """
            SELECT sensor, metric, epoch_us(start), epoch_us("end"), forest_score, \(statistics) FROM windows
            WHERE \(Self.filter(query, time: "epoch_ns(start)", metric: "metric = ?"))
            ORDER BY start DESC, sensor, metric, "end" LIMIT \(query.limit) OFFSET \(query.offset)
            """
        return try await rows(sql, query).compactMap { row in
            guard let sensor = row[0].text, let metric = row[1].text, let start = row[2].integer,
                let end = row[3].integer
            else { return nil }
            return StoredWindow(
                sensor: sensor, metric: metric, start: Self.time(microseconds: start),
                end: Self.time(microseconds: end),
                statistics: row[5...].map { $0.double ?? .nan }, score: row[4].double ?? .nan)
        }
    }

    func anomalies(_ query: RecordQuery) async throws -> [Anomaly] {
        let sql = """
            SELECT id, alarm_id, sensor, metric, kind, detector, model, epoch_us(start), time_ns, value, expected_low,
                expected_high, score, p_value, contributions, sentence, note FROM anomalies
            WHERE \(Self.filter(query, time: "time_ns", metric: "metric = ?"))
            ORDER BY time_ns DESC, id LIMIT \(query.limit) OFFSET \(query.offset)
            """
        return try await rows(sql, query).compactMap { row in
            guard let id = row[0].text, let sensor = row[2].text,
                let kind = row[4].text.flatMap(AnomalyKind.init(name:)),
                let detector = DetectorKind.allCases.first(where: { $0.name == row[5].text }), let time = row[8].integer
            else { return nil }
            var contributions: [Contribution] = []
            if case .map(let entries) = row[14] {
                contributions = entries.compactMap { entry in
                    guard let name = entry.key.text, let share = entry.value.double else { return nil }
                    return Contribution(name: name, share: share)
                }
            }
            return Anomaly(
                id: id, alarmID: row[1].text, sensor: sensor, metric: row[3].text, kind: kind, detector: detector,
                model: row[6].text ?? "",
                start: row[7].integer.map { Self.time(microseconds: $0) } ?? Timestamp(nanoseconds: time),
                time: Timestamp(nanoseconds: time), value: row[9].double ?? .nan, expectedLow: row[10].double ?? .nan,
                expectedHigh: row[11].double ?? .nan, score: row[12].double ?? .nan, pValue: row[13].double ?? .nan,
                contributions: contributions, sentence: row[15].text ?? "", note: row[16].text)
        }
    }

    private func rows(_ sql: String, _ query: RecordQuery) async throws -> [[DuckDBValue]] {
        let parameters = [query.sensor, query.metric].compactMap { $0.map(DuckDBValue.text) }
        return try await place.session.run { try $0.rows(sql, parameters) }
    }

    /// Conditions, with a place for the sensor and one for the metric where they are asked for. The partitions' own days let
    /// DuckDB pass over files without opening them.
    private static func filter(_ query: RecordQuery, time: String, metric: String) -> String {
        var conditions = ["true"]
        if query.sensor != nil { conditions.append("sensor = ?") }
        if query.metric != nil { conditions.append(metric) }
        if let start = query.start {
            conditions.append("\(time) >= \(start.nanoseconds) AND date >= DATE '\(LakePartition(dayOf: start).date)'")
        }
        if let end = query.end {
            conditions.append("\(time) < \(end.nanoseconds) AND date <= DATE '\(LakePartition(dayOf: end).date)'")
        }
        return conditions.joined(separator: " AND ")
    }

    private static func time(microseconds: Int64) -> Timestamp {
        let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return Timestamp(nanoseconds: overflow ? (microseconds < 0 ? .min : .max) : nanoseconds)
    }
}
