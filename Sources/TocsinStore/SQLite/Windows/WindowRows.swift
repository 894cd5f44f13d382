internal import TocsinCore

/// Windows of one definition on their way into chunks, each named by the database's series number and its start.
struct WindowRows {
    struct Row {
        var series: Int64
        var start: Int64
        var count: Double
        /// Where its numbers stand: `sources[source]`, row `row`.
        var source: Int32
        var row: Int32
    }

    /// Shared with the batch they came from.
    struct Source {
        var statistics: [Double]
        var scores: [Double]
    }

    private(set) var rows: [Row] = []
    private(set) var sources: [Source] = []

    var isEmpty: Bool { rows.isEmpty }
    var count: Int { rows.count }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
    }

    /// The source that the next rows refer to.
    mutating func begin(_ source: Source) { sources.append(source) }

    mutating func append(series: Int64, start: Int64, count: Double, row: Int) {
        rows.append(
            Row(
                series: series, start: start, count: count, source: Int32(truncatingIfNeeded: sources.count - 1),
                row: Int32(truncatingIfNeeded: row)))
    }

    /// Orders by series and start, and leaves one row of each: the one of most readings, among equals the last.
    mutating func arrange() {
        func precedes(_ left: Row, _ right: Row) -> Bool {
            left.series != right.series ? left.series < right.series : left.start < right.start
        }
        let isRising = zip(rows, rows.dropFirst()).allSatisfy(precedes)
        if isRising { return }
        // The library's sort is stable and fast on what is sorted in parts, as the shards' results are.
        rows.sort(by: precedes)
        var kept = 0
        for row in rows.indices.dropFirst() {
            if precedes(rows[kept], rows[row]) {
                kept += 1
                rows[kept] = rows[row]
            } else if rows[row].count >= rows[kept].count {
                rows[kept] = rows[row]
            }
        }
        rows.removeLast(rows.count - 1 - kept)
    }
}
