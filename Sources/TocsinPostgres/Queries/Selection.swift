internal import TocsinCore

/// A `RecordQuery` in the terms of the database.
struct Selection {
    var sensor: Int32?
    /// Both ends inclusive.
    var times: ClosedRange<Int64>
    var metric: String?
    var limit: Int64
    var offset: Int64

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
        limit = Int64(query.limit)
        offset = Int64(max(0, query.offset))
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

/// Rows of a day-partitioned table, newest first, found without looking at more days than are needed: the newest day by
/// itself, then two, four, eight … together.
struct NewestRows {
    let table: DayPartitions
    /// `FROM … WHERE …`, with the range of times in `$1` and `$2`.
    var source: String
    var values: [PostgresValue]
    /// Result columns, and `ORDER BY` inside a range of times.
    var columns: String
    var order: String

    /// - Parameter element: makes a result of a row.
    func list<Element>(
        _ selection: Selection, _ connection: PostgresConnection, _ element: (PostgresRow) -> Element
    ) throws -> [Element] {
        var skip = selection.offset
        var found: [Element] = []
        for range in Self.ranges(selection.times, days: try table.knownDays(connection)) {
            let bounds: [PostgresValue] = [.integer(range.lowerBound), .integer(range.upperBound)]
            let next = values.count + 3
            if skip > 0 {
                let passed =
                    try connection.query(
                        "SELECT count(*) FROM (SELECT 1 \(source) LIMIT $\(next)) AS passed",
                        bounds + values + [.integer(skip)]
                    ).first?.int64(0) ?? 0
                skip -= passed
                // All of this range lies before the page.
                if skip > 0 { continue }
                skip = passed
            }
            found += try connection.query(
                "SELECT \(columns) \(source) ORDER BY \(order) LIMIT $\(next) OFFSET $\(next + 1)",
                bounds + values + [.integer(selection.limit - Int64(found.count)), .integer(skip)]
            ).map(element)
            skip = 0
            if Int64(found.count) >= selection.limit { break }
        }
        return found
    }

    /// Cuts a range of times at days that have a partition, the newest first.
    static func ranges(_ times: ClosedRange<Int64>, days: [Int64]) -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        var upper = times.upperBound
        var group = 1
        var rest = days.map { $0 * DayPartitions.day }.filter { times.contains($0) }[...]
        // The end of the newest day: what lies behind it is in the other partition only.
        while let first = rest.suffix(group).first {
            ranges.append(first...upper)
            if first == times.lowerBound { return ranges }
            upper = first - 1
            rest = rest.dropLast(group)
            group *= 2
        }
        ranges.append(times.lowerBound...upper)
        return ranges
    }
}
