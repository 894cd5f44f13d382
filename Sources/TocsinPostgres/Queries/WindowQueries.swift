internal import TocsinCore

/// Listings of windows. Must be called within one read transaction.
enum WindowQueries {
    private static let columns = """
        (SELECT s.name FROM series r JOIN sensors s ON s.id = r.sensor_id WHERE r.id = t.series_id), \
        (SELECT r.metric FROM series r WHERE r.id = t.series_id), t.start, t.size, t.score, \
        \(WindowRows.statistics.map { "t.\($0)" }.joined(separator: ", "))
        """
    private static let order = "t.start DESC, t.series_id DESC, t.size DESC, t.slide DESC"
    /// A metric of so few series is looked for at each of them.
    private static let askedSeries: Int64 = 64

    static func windows(_ query: RecordQuery, _ connection: PostgresConnection) throws -> [StoredWindow] {
        guard let selection = try Selection(query, connection) else { return [] }
        var rows = NewestRows(
            table: .windows, time: "start", source: "FROM windows t WHERE t.start BETWEEN $1 AND $2", values: [],
            columns: columns, order: order)
        if selection.sensor != nil || selection.metric != nil {
            let series = try series(selection, connection)
            if series.isEmpty { return [] }
            if selection.sensor != nil || Int64(series.count) < askedSeries {
                rows.values = [.integers32(series)]
                rows.owners = NewestRows.Owners(count: series.count, column: "series_id")
                rows.source = """
                    FROM unnest($3::integer[]) AS n (series) CROSS JOIN LATERAL (
                        SELECT * FROM windows w WHERE w.series_id = n.series AND w.start BETWEEN $1 AND $2
                        ORDER BY w.start DESC, w.size DESC, w.slide DESC LIMIT $4) AS t
                    """
            } else if let metric = selection.metric {
                rows.values = [.text(metric)]
                // A sub-select, which the planner must ask for each row: as a join it would sort all windows there are.
                rows.source += " AND (SELECT r.metric FROM series r WHERE r.id = t.series_id) = $3"
            }
        }
        let first: Int32 = 5
        return try rows.list(selection, connection) { row in
            StoredWindow(
                sensor: row.text(0), metric: row.text(1), start: row.timestamp(2),
                end: row.timestamp(2).advanced(by: Span64(nanoseconds: row.int64(3))),
                statistics: (0..<Int32(WindowStatistic.columns)).map { row.double(first + $0) }, score: row.double(4))
        }
    }

    /// The series of a metric, of a sensor, or of both; of a metric alone `askedSeries` at most.
    private static func series(_ selection: Selection, _ connection: PostgresConnection) throws -> [Int32] {
        var conditions: [String] = []
        var values: [PostgresValue] = [.integer(selection.sensor == nil ? askedSeries : .max)]
        if let sensor = selection.sensor {
            values.append(.integer32(sensor))
            conditions.append("sensor_id = $\(values.count)")
        }
        if let metric = selection.metric {
            values.append(.text(metric))
            conditions.append("metric = $\(values.count)")
        }
        return try connection.query(
            "SELECT id FROM series WHERE \(conditions.joined(separator: " AND ")) LIMIT $1", values
        ).map { $0.int32(0) }
    }
}
