internal import TocsinCore

/// A `RecordQuery` in the terms of the database.
struct Selection {
    var sensor: Int32?
    /// Both ends inclusive.
    var times: ClosedRange<Int64>
    var metric: String?
    var limit: Int64
    var offset: Int64

    /// More than any table has rows, and far from overflow.
    private static let most = 1 << 48

    /// nil where nothing can match: an unknown sensor, an empty range of times, a limit of 0.
    init?(_ query: RecordQuery, _ connection: PostgresConnection) throws {
        let first = query.start?.nanoseconds ?? .min
        var last = Int64.max
        if let end = query.end?.nanoseconds {
            guard end > .min else { return nil }
            last = end - 1
        }
        guard first <= last, query.limit > 0 else { return nil }
        times = first...last
        metric = query.metric?.storable
        limit = Int64(min(query.limit, Self.most))
        offset = Int64(min(max(0, query.offset), Self.most))
        if let name = query.sensor {
            let row = try connection.query("SELECT id FROM sensors WHERE name = $1", [.text(name)]).first
            guard let row else { return nil }
            sensor = row.int32(0)
        }
    }

    /// Conditions for a table with a sensor and a metric of its own, and their parameters.
    func conditions(time column: String) -> (sql: String, values: [PostgresValue]) {
        var sql = "t.\(column) BETWEEN $1 AND $2"
        var values: [PostgresValue] = [.integer(times.lowerBound), .integer(times.upperBound)]
        if let sensor {
            values.append(.integer32(sensor))
            sql += " AND t.sensor_id = $\(values.count)"
        }
        if let metric {
            values.append(.text(metric))
            sql += " AND t.metric = $\(values.count)"
        }
        values += [.integer(limit), .integer(offset)]
        return (sql, values)
    }
}
