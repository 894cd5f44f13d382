import TocsinCore

/// A name under which SQL finds a table of the lake.
public enum LakeView: String, CaseIterable, Sendable {
    case bronzeEvents = "bronze_events"
    case readings, anomalies, alarms, windows, hourly, daily, features

    public var table: LakeTable {
        switch self {
        case .bronzeEvents: .events
        case .readings: .readings
        case .anomalies: .anomalies
        case .alarms: .alarms
        case .windows: .windows
        case .hourly: .hourly
        case .daily: .daily
        case .features: .features
        }
    }

    /// Whether a row of the lake says all that the store's says, and more: silver has judged its readings. Elsewhere the
    /// store's row is the newer one.
    public var isWholeInLake: Bool { self == .readings }

    /// Rows with equal ones are the same row: one of them is shown.
    public var key: [String] {
        switch self {
        case .bronzeEvents: ["sensor", "time_ns", "event_key", "source", "position"]
        // A sensor has one value of a metric at a time, whichever message brought it.
        case .readings: ["sensor", "metric", "time_ns"]
        case .anomalies, .alarms: ["id"]
        case .windows: ["sensor", "metric", "start", "end"]
        case .hourly: ["sensor", "metric", "hour"]
        case .daily: ["sensor", "metric", "day"]
        case .features: ["sensor", "metric", "start"]
        }
    }

    /// Columns of the view while its layer has no files; also those that a source of the operational store may give.
    public var columns: [DuckDBColumn] {
        switch self {
        case .bronzeEvents:
            Self.columns(
                ("sensor", .varchar), ("time", .timestamp), ("time_ns", .bigint), ("event_key", .bigint),
                ("source", .varchar),
                ("position", .bigint), ("received", .timestamp), ("zone", .varchar))
                + Self.columns(
                    ("readings", .map(key: .varchar, value: .double)), ("units", .map(key: .varchar, value: .varchar)),
                    ("payload", .blob), ("spool_record", .bigint))
        case .readings:
            Self.columns(
                ("sensor", .varchar), ("metric", .varchar), ("time", .timestamp), ("time_ns", .bigint),
                ("value", .double),
                ("unit", .varchar), ("zone", .varchar), ("source", .varchar), ("received", .timestamp),
                ("event_key", .bigint),
                ("is_late", .boolean), ("quality", .varchar), ("is_alarmed", .boolean))
        case .anomalies:
            Self.columns(
                ("id", .varchar), ("alarm_id", .varchar), ("sensor", .varchar), ("metric", .varchar),
                ("kind", .varchar),
                ("detector", .varchar), ("model", .varchar), ("start", .timestamp), ("time", .timestamp),
                ("time_ns", .bigint),
                ("value", .double), ("expected_low", .double), ("expected_high", .double), ("score", .double),
                ("p_value", .double))
                + Self.columns(
                    ("contributions", .map(key: .varchar, value: .double)), ("sentence", .varchar), ("note", .varchar))
        case .alarms:
            Self.columns(
                ("id", .varchar), ("sensor", .varchar), ("metric", .varchar), ("kind", .varchar), ("state", .varchar),
                ("severity", .varchar), ("raised", .timestamp), ("last_seen", .timestamp), ("cleared", .timestamp),
                ("raised_ns", .bigint), ("verdicts", .bigint), ("score", .double), ("p_value", .double),
                ("sentence", .varchar), ("summary", .varchar), ("cause", .varchar))
        case .windows:
            Self.columns(("sensor", .varchar), ("metric", .varchar), ("start", .timestamp), ("end", .timestamp))
                + WindowStatistic.allCases.map { DuckDBColumn($0.name, .double) }
                + [DuckDBColumn("forest_score", .double)]
        case .hourly: Self.totals(of: "hour", last: ["alert_count", "anomaly_count", "alarmed_count"])
        case .daily:
            Self.totals(
                of: "day", last: ["hours", "alert_count", "anomaly_count", "alarmed_count", "alarmed_hours"])
        case .features:
            Self.columns(
                ("sensor", .varchar), ("metric", .varchar), ("start", .timestamp), ("seconds", .bigint),
                ("count", .bigint))
                + [
                    "mean", "minimum", "maximum", "range", "standard_deviation", "variance", "first", "last", "change",
                    "slope", "root_mean_square",
                ].map { DuckDBColumn($0, .double) }
                + Self.columns(("is_late", .boolean), ("is_alarmed", .boolean), ("anomaly_count", .bigint))
        }
    }

    private static func totals(of period: String, last: [String]) -> [DuckDBColumn] {
        columns(
            ("sensor", .varchar), ("metric", .varchar), ("unit", .varchar), ("zone", .varchar), (period, .timestamp),
            ("count", .bigint))
            + ["avg", "min", "max", "sum", "stddev", "first", "last"].map { DuckDBColumn($0, .double) }
            + (last + ["late_count", "flagged_count"]).map { DuckDBColumn($0, .bigint) }
    }

    private static func columns(_ columns: (name: String, type: DuckDBType)...) -> [DuckDBColumn] {
        columns.map { DuckDBColumn($0.name, $0.type) }
    }
}
