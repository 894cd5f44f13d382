internal import TocsinCore

/// The view `coded`: the messages of `input`, with texts of which there are few in an hour as ENUM.
///
/// Sorting and writing a text costs as much as ten numbers; an ENUM is sorted as its number (the types are made in the
/// order of texts) and written into Parquet as the text that it stands for. So silver is made in two thirds of the time.
enum CodedMessages {
    /// Each row group holds all texts of an ENUM: more would make files larger.
    private static let mostTexts = 4096

    /// Makes `coded` of the view `input`: its columns, `readings` and `units` as the lists `metrics`, `values` and
    /// `metric_units` (NULL where the message names no unit); and `limits`, of the metrics that occur.
    static func show(_ connection: DuckDBConnection) throws {
        for statement in [
            "DROP VIEW IF EXISTS coded", "DROP TABLE IF EXISTS limits",
            "CREATE OR REPLACE TEMP TABLE known_metrics AS SELECT DISTINCT unnest(map_keys(readings)) AS metric FROM input",
        ] { try connection.execute(statement) }
        let source = try type("source_name", of: "SELECT DISTINCT source FROM input", connection)
        let zone = try type("zone_name", of: "SELECT DISTINCT \"zone\" FROM input", connection)
        let metric = try type("metric_name", of: "FROM known_metrics", connection)
        let unit = try type("unit_name", of: "SELECT DISTINCT unnest(map_values(units)) FROM input", connection)
        // No column of the result is one: it may have any number of texts.
        let sensor = try type("sensor_name", of: "SELECT DISTINCT sensor FROM input", connection, most: .max)
        try connection.execute(
            """
            CREATE VIEW coded AS SELECT
                sensor::\(sensor) AS sensor, "time", time_ns, event_key, source::\(source) AS source, "position", received,
                "zone"::\(zone) AS "zone", map_keys(readings)::\(metric)[] AS metrics, map_values(readings) AS "values",
                CASE WHEN cardinality(units) > 0 THEN CASE WHEN map_keys(units) = map_keys(readings) THEN map_values(units)
                    ELSE list_transform(map_keys(readings), lambda metric: units[metric]) END::\(unit)[] END AS metric_units,
                spool_record
            FROM input
            WHERE sensor IS NOT NULL AND time_ns IS NOT NULL AND cardinality(readings) > 0
            """)
        try connection.execute(
            """
            CREATE TABLE limits AS SELECT k.metric::\(metric) AS metric, any_value(r.low) AS low, any_value(r.high) AS high
            FROM known_metrics AS k JOIN ranges AS r ON lower(r.metric) = lower(k.metric) GROUP BY ALL
            """)
    }

    /// Makes an ENUM of the texts that a query gives.
    /// - Returns: its name, or VARCHAR where there are none, or too many.
    private static func type(
        _ name: String, of query: String, _ connection: DuckDBConnection, most: Int = mostTexts
    ) throws -> String {
        try connection.execute(
            "DROP TYPE IF EXISTS \(name); CREATE OR REPLACE TEMP TABLE texts AS SELECT t.text FROM (\(query)) AS t(text) "
                + "WHERE t.text IS NOT NULL")
        let count = try connection.firstRow("SELECT count(*) FROM texts").first?.integer ?? 0
        guard count > 0, count <= Int64(most) else { return "VARCHAR" }
        try connection.execute("CREATE TYPE \(name) AS ENUM (SELECT text FROM texts ORDER BY text)")
        return name
    }
}
