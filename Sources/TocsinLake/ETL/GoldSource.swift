public import TocsinCore

/// Where the verdicts of the stream come from: the operational store, asked for one hour or day at a time.
///
/// Each function gives up to `limit` rows whose time (anomalies: `time`, alarms: `raised`, windows: `start`) is in
/// `start ..< end`, after the first `offset`, in any order that stays the same; fewer than `limit` end the list.
public protocol GoldSource: Sendable {
    func anomalies(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [Anomaly]
    func alarms(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [Alarm]
    func windows(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [StoredWindow]
}

/// The tables of gold that come from the operational store.
enum GoldTable: String, CaseIterable {
    case alarms, anomalies, windows

    var path: String { "gold/\(rawValue)" }
    var isHourly: Bool { self != .alarms }

    /// Rows with equal ones are the same row; the newer one stays.
    var key: String { self == .windows ? "sensor, metric, start, \"end\"" : "id" }

    var order: String {
        switch self {
        case .alarms: "sensor, raised, id"
        case .anomalies: "sensor, \"time\", id"
        case .windows: "sensor, metric, start, \"end\""
        }
    }

    var columns: [DuckDBColumn] {
        switch self {
        case .alarms:
            [
                DuckDBColumn("id", .varchar), DuckDBColumn("sensor", .varchar), DuckDBColumn("metric", .varchar),
                DuckDBColumn("kind", .varchar), DuckDBColumn("state", .varchar), DuckDBColumn("severity", .varchar),
                DuckDBColumn("raised", .timestamp), DuckDBColumn("last_seen", .timestamp),
                DuckDBColumn("cleared", .timestamp), DuckDBColumn("raised_ns", .bigint),
                DuckDBColumn("verdicts", .bigint), DuckDBColumn("score", .double), DuckDBColumn("p_value", .double),
                DuckDBColumn("sentence", .varchar), DuckDBColumn("summary", .varchar), DuckDBColumn("cause", .varchar),
            ]
        case .anomalies:
            [
                DuckDBColumn("id", .varchar), DuckDBColumn("alarm_id", .varchar), DuckDBColumn("sensor", .varchar),
                DuckDBColumn("metric", .varchar), DuckDBColumn("kind", .varchar), DuckDBColumn("detector", .varchar),
                DuckDBColumn("model", .varchar), DuckDBColumn("start", .timestamp), DuckDBColumn("time", .timestamp),
                DuckDBColumn("time_ns", .bigint), DuckDBColumn("value", .double), DuckDBColumn("expected_low", .double),
                DuckDBColumn("expected_high", .double), DuckDBColumn("score", .double),
                DuckDBColumn("p_value", .double),
                DuckDBColumn("contributions", .map(key: .varchar, value: .double)), DuckDBColumn("sentence", .varchar),
                DuckDBColumn("note", .varchar),
            ]
        case .windows:
            [
                DuckDBColumn("sensor", .varchar), DuckDBColumn("metric", .varchar), DuckDBColumn("start", .timestamp),
                DuckDBColumn("end", .timestamp),
            ] + WindowStatistic.allCases.map { DuckDBColumn($0.name, .double) } + [
                DuckDBColumn("forest_score", .double)
            ]
        }
    }

    /// An empty table `all_<name>` of these columns.
    var definition: String {
        "CREATE TABLE all_\(rawValue) ("
            + columns.map { "\(DuckDB.identifier($0.name)) \($0.type.sql)" }.joined(separator: ", ") + ")"
    }
}

/// Rows of the operational store for SQL.
struct GoldRows<Row: Sendable>: DuckDBTableSource {
    let columns: [DuckDBColumn]
    let rows: [Row]
    /// Writes one row.
    let write: @Sendable (Row, Int, inout DuckDBChunkWriter) -> Void

    var estimatedRowCount: Int? { rows.count }
    func open() throws -> any DuckDBRowReader { Reader(self) }

    private final class Reader: DuckDBRowReader {
        private let source: GoldRows
        private var place = 0

        init(_ source: GoldRows) { self.source = source }

        func fill(_ chunk: inout DuckDBChunkWriter) throws -> Int {
            let count = min(chunk.capacity, source.rows.count - place)
            for row in 0..<count { source.write(source.rows[place + row], row, &chunk) }
            place += count
            return count
        }
    }
}

extension GoldRows where Row == Alarm {
    init(_ rows: [Alarm]) {
        self.init(columns: GoldTable.alarms.columns, rows: rows) { alarm, row, chunk in
            chunk[0].setText(alarm.id, row)
            chunk[1].setText(alarm.sensor, row)
            chunk.setText(alarm.metric, 2, row)
            chunk[3].setText(alarm.kind.name, row)
            chunk[4].setText(alarm.state.rawValue, row)
            chunk[5].setText(alarm.severity.rawValue, row)
            chunk[6].setInteger(alarm.raised.microseconds, row)
            chunk[7].setInteger(alarm.lastSeen.microseconds, row)
            if let cleared = alarm.cleared {
                chunk[8].setInteger(cleared.microseconds, row)
            } else {
                chunk[8].setNull(row)
            }
            chunk[9].setInteger(alarm.raised.nanoseconds, row)
            chunk[10].setInteger(Int64(alarm.verdicts), row)
            chunk.setDouble(alarm.score, 11, row)
            chunk.setDouble(alarm.pValue, 12, row)
            chunk[13].setText(alarm.sentence, row)
            chunk.setText(alarm.summary, 14, row)
            chunk.setText(alarm.cause, 15, row)
        }
    }
}

extension GoldRows where Row == Anomaly {
    init(_ rows: [Anomaly]) {
        self.init(columns: GoldTable.anomalies.columns, rows: rows) { anomaly, row, chunk in
            chunk[0].setText(anomaly.id, row)
            chunk.setText(anomaly.alarmID, 1, row)
            chunk[2].setText(anomaly.sensor, row)
            chunk.setText(anomaly.metric, 3, row)
            chunk[4].setText(anomaly.kind.name, row)
            chunk[5].setText(anomaly.detector.name, row)
            chunk[6].setText(anomaly.model, row)
            chunk[7].setInteger(anomaly.start.microseconds, row)
            chunk[8].setInteger(anomaly.time.microseconds, row)
            chunk[9].setInteger(anomaly.time.nanoseconds, row)
            chunk.setDouble(anomaly.value, 10, row)
            chunk.setDouble(anomaly.expectedLow, 11, row)
            chunk.setDouble(anomaly.expectedHigh, 12, row)
            chunk.setDouble(anomaly.score, 13, row)
            chunk.setDouble(anomaly.pValue, 14, row)
            chunk.withMap(15) { map in
                map.begin(row)
                var names: Set<String> = []
                for contribution in anomaly.contributions where names.insert(contribution.name).inserted {
                    let entry = map.append()
                    map.keys.setText(contribution.name, entry)
                    map.values.setDouble(contribution.share, entry)
                }
            }
            chunk[16].setText(anomaly.sentence, row)
            chunk.setText(anomaly.note, 17, row)
        }
    }
}

extension GoldRows where Row == StoredWindow {
    init(_ rows: [StoredWindow]) {
        self.init(columns: GoldTable.windows.columns, rows: rows) { window, row, chunk in
            chunk[0].setText(window.sensor, row)
            chunk[1].setText(window.metric, row)
            chunk[2].setInteger(window.start.microseconds, row)
            chunk[3].setInteger(window.end.microseconds, row)
            for index in 0..<WindowStatistic.columns {
                chunk.setDouble(index < window.statistics.count ? window.statistics[index] : .nan, 4 + index, row)
            }
            chunk.setDouble(window.score, 4 + WindowStatistic.columns, row)
        }
    }
}

extension DuckDBChunkWriter {
    fileprivate mutating func setText(_ text: String?, _ column: Int, _ row: Int) {
        if let text { self[column].setText(text, row) } else { self[column].setNull(row) }
    }

    /// What is undefined (NaN) is NULL.
    fileprivate mutating func setDouble(_ value: Double, _ column: Int, _ row: Int) {
        if value.isNaN { self[column].setNull(row) } else { self[column].setDouble(value, row) }
    }
}
