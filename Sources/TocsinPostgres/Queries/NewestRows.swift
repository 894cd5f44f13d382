internal import TocsinCore

/// Rows of a day-partitioned table, newest first, found without looking at more days than are needed: the newest day by
/// itself, then two, four, eight … together.
///
/// What lies before a late page is counted by its times alone, which an index holds; only the page itself is fetched.
struct NewestRows {
    /// Few owners (sensors, series) that are asked each by itself: the newest rows of each, then the newest of those.
    struct Owners {
        let count: Int
        /// Result column with the owner.
        let column: String
    }

    let table: DayPartitions
    /// Result column by which rows are sorted first.
    let time: String
    /// `FROM … WHERE …`, with the range of times in `$1` and `$2`; with `owners`, the rows of each in the last parameter.
    var source: String
    var values: [PostgresValue]
    /// Result columns, and `ORDER BY` inside a range of times.
    var columns: String
    var order: String
    var owners: Owners?

    /// - Parameter element: makes a result of a row.
    func list<Element>(
        _ selection: Selection, _ connection: PostgresConnection, _ element: (PostgresRow) -> Element
    ) throws -> [Element] {
        var page = Page<Element>(skip: selection.offset, limit: selection.limit)
        for range in Self.ranges(selection.times, days: try table.knownDays(connection)) {
            try add(range, to: &page, connection, element)
            if page.isFull { break }
        }
        return page.rows
    }

    private struct Page<Element> {
        /// Rows that still lie before it.
        var skip: Int64
        let limit: Int64
        var rows: [Element] = []

        var missing: Int64 { limit - Int64(rows.count) }
        var isFull: Bool { missing <= 0 }
        var reach: Int64 { skip + missing }
    }

    /// With owners: first as many rows of each as it takes when all are alike, then more. What is newer than the oldest of
    /// an owner who may have more is known for certain.
    private func add<Element>(
        _ range: ClosedRange<Int64>, to page: inout Page<Element>, _ connection: PostgresConnection,
        _ element: (PostgresRow) -> Element
    ) throws {
        guard let owners else { return try add(range, [], to: &page, connection, element) }
        var upper = range.upperBound
        var share = page.reach / Int64(max(1, owners.count)) * 4 + 16
        while !page.isFull {
            let rest = range.lowerBound...upper
            guard share < page.reach else {
                return try add(rest, [.integer(page.reach)], to: &page, connection, element)
            }
            let unsure = try connection.query(
                """
                SELECT max(oldest) FROM (
                    SELECT min(t.\(time)) AS oldest \(source) GROUP BY t.\(owners.column)
                    HAVING count(*) >= $\(values.count + 3)) AS cut
                """, bounds(rest) + [.integer(share)]
            ).first?.optionalInt64(0)
            guard let unsure else { return try add(rest, [.integer(share)], to: &page, connection, element) }
            if unsure < upper {
                try add(unsure + 1...upper, [.integer(share)], to: &page, connection, element)
                upper = unsure
            }
            share *= 4
        }
    }

    private func add<Element>(
        _ range: ClosedRange<Int64>, _ share: [PostgresValue], to page: inout Page<Element>,
        _ connection: PostgresConnection, _ element: (PostgresRow) -> Element
    ) throws {
        var range = range
        var skip = page.skip
        if skip > 0 {
            let edge = try edge(after: skip, in: range, share, connection)
            // All of this range lies before the page.
            guard edge.rows > skip else { return page.skip -= edge.rows }
            (range, skip) = (range.lowerBound...edge.time, edge.ties - 1)
        }
        let parameters = bounds(range) + share
        page.rows += try connection.query(
            """
            SELECT \(columns) \(source) ORDER BY \(order)
            LIMIT $\(parameters.count + 1) OFFSET $\(parameters.count + 2)
            """, parameters + [.integer(page.missing), .integer(skip)]
        ).map(element)
        page.skip = 0
    }

    /// Where the row after the newest `skip` lies.
    /// - Returns: how many of the newest `skip + 1` there are; the time of the last of them; how many of them have that time.
    private func edge(
        after skip: Int64, in range: ClosedRange<Int64>, _ share: [PostgresValue], _ connection: PostgresConnection
    ) throws -> (rows: Int64, time: Int64, ties: Int64) {
        let parameters = bounds(range) + share
        let row = try connection.query(
            """
            WITH newest AS MATERIALIZED (
                SELECT t.\(time) AS at \(source) ORDER BY t.\(time) DESC LIMIT $\(parameters.count + 1))
            SELECT count(*), min(at), count(*) FILTER (WHERE at = (SELECT min(at) FROM newest)) FROM newest
            """, parameters + [.integer(skip + 1)]
        ).first
        guard let row, let time = row.optionalInt64(1) else { return (0, range.lowerBound, 0) }
        return (row.int64(0), time, row.int64(2))
    }

    private func bounds(_ range: ClosedRange<Int64>) -> [PostgresValue] {
        [.integer(range.lowerBound), .integer(range.upperBound)] + values
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
