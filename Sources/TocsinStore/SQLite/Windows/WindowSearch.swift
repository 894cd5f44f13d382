internal import GRDB
internal import TocsinCore

/// Finds windows in the chunks, newest first. Must be used within one read transaction.
///
/// The heads of the chunks (times and series from-to) stand in one index, the newest first; a chunk is opened when its
/// head allows a window that is wanted, and the search ends at the first head that cannot hold one newer than those
/// found. A window that was written again stands in two chunks: the one of most readings counts, among equals the one
/// written last.
struct WindowSearch {
    private enum Series {
        case all
        /// Rising.
        case some([Int64])
        /// A metric of so many series that each is asked when it comes.
        case metric(String)
    }

    private struct Hit {
        var start: Int64
        var series: Int64
        var definition: WindowDefinition
        var count: Double
        var chunk: Int64
        var row: Int

        private var order: (Int64, Int64, Int64, Int64) {
            (start, series, definition.size.nanoseconds, definition.slide.nanoseconds)
        }
        func isSameWindow(as other: Hit) -> Bool { order == other.order }

        /// Newest first; of the same window, the one that counts first.
        static func precedes(_ left: Hit, _ right: Hit) -> Bool {
            if left.order != right.order { return left.order > right.order }
            return left.count != right.count
                ? left.count > right.count : (left.chunk, left.row) > (right.chunk, right.row)
        }
    }

    private static let listedSeries: Int64 = 4096

    private let selection: Selection
    private let series: Series
    private var hits: [Hit] = []
    /// The last of the hits that count, once there are enough.
    private var last: Hit?
    private var nextPruning: Int
    private var isOfMetric: [Int64: Bool] = [:]

    /// nil where no series can match.
    init?(_ selection: Selection, _ database: Database) throws {
        self.selection = selection
        nextPruning = selection.reach
        guard selection.sensor != nil || selection.metric != nil else {
            series = .all
            return
        }
        let ids = try SQLiteQueries.series(
            metric: selection.metric, sensor: selection.sensor,
            limit: selection.sensor == nil ? Self.listedSeries : -1, database)
        if ids.isEmpty { return nil }
        if let metric = selection.metric, selection.sensor == nil, ids.count == Self.listedSeries {
            series = .metric(metric)
        } else {
            series = .some(ids.sorted())
        }
    }

    static func windows(_ query: RecordQuery, _ database: Database) throws -> [StoredWindow] {
        guard let selection = try Selection(query, database), var search = try WindowSearch(selection, database) else {
            return []
        }
        try search.find(database)
        return try search.fetch(database)
    }

    // MARK: Finding

    private mutating func find(_ database: Database) throws {
        var sql = "SELECT id, last_start, last_series FROM window_chunks WHERE last_start >= ? AND first_start <= ?"
        var arguments: [SQLValue] = [.integer(selection.times.lowerBound), .integer(selection.times.upperBound)]
        if case .some(let ids) = series, let first = ids.first, let last = ids.last {
            sql += " AND first_series <= ? AND last_series >= ?"
            arguments += [.integer(last), .integer(first)]
        }
        let heads = try SQLStatement(database, sql + " ORDER BY last_start DESC, last_series DESC")
        try heads.bind(arguments)
        defer { heads.reset() }
        while try heads.next() {
            if let last, (heads.int64(1), heads.int64(2)) < (last.start, last.series) { break }
            try open(heads.int64(0), database)
        }
        prune()
    }

    private mutating func open(_ chunk: Int64, _ database: Database) throws {
        guard let keys = try WindowKeys.load(chunk, database) else { return }
        switch series {
        case .all:
            for row in 0..<keys.rows { take(row, of: keys, chunk) }
        case .metric(let metric):
            for row in 0..<keys.rows where try has(keys.series(row), metric, database) { take(row, of: keys, chunk) }
        case .some(let ids) where ids.count > WindowChunkPacker.rows:
            for row in 0..<keys.rows where Self.contains(ids, keys.series(row)) { take(row, of: keys, chunk) }
        case .some(let ids):
            let first = keys.series(0)
            let last = keys.series(keys.rows - 1)
            for id in ids.drop(while: { $0 < first }).prefix(while: { $0 <= last }) {
                var row = keys.firstRow(ofSeries: id)
                while row < keys.rows, keys.series(row) == id {
                    take(row, of: keys, chunk)
                    row += 1
                }
            }
        }
        if hits.count >= nextPruning { prune() }
    }

    private static func contains(_ ids: [Int64], _ wanted: Int64) -> Bool {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < ids.count && ids[low] == wanted
    }

    private mutating func take(_ row: Int, of keys: WindowKeys, _ chunk: Int64) {
        let start = keys.start(row)
        guard selection.times.contains(start) else { return }
        if let last, start < last.start { return }
        hits.append(
            Hit(
                start: start, series: keys.series(row), definition: keys.definition, count: keys.count(row),
                chunk: chunk, row: row))
    }

    private mutating func has(_ series: Int64, _ metric: String, _ database: Database) throws -> Bool {
        if let known = isOfMetric[series] { return known }
        let found = try database.integer(
            "SELECT 1 FROM series WHERE id = ? AND metric = ?", [.integer(series), .text(metric)])
        isOfMetric[series] = found != nil
        return found != nil
    }

    /// Puts the hits in order, leaves one of each window, and no more than can be asked for.
    private mutating func prune() {
        hits.sort(by: Hit.precedes)
        var kept = 0
        for hit in hits.indices where hit == 0 || !hits[hit].isSameWindow(as: hits[kept - 1]) {
            if kept == selection.reach { break }
            hits[kept] = hits[hit]
            kept += 1
        }
        hits.removeLast(hits.count - kept)
        last = kept == selection.reach ? hits.last : nil
        // Sorting again is worth it when there is an eighth more.
        let (next, overflow) = selection.reach.addingReportingOverflow(selection.reach / 8 + 1)
        nextPruning = overflow ? .max : next
    }

    // MARK: Fetching

    private func fetch(_ database: Database) throws -> [StoredWindow] {
        var names: [Int64: (sensor: String, metric: String)] = [:]
        var chunks: [Int64: WindowChunk] = [:]
        var windows: [StoredWindow] = []
        for hit in selection.cut(hits) {
            if names[hit.series] == nil {
                names[hit.series] = try database.rows(
                    """
                    SELECT s.name, q.metric FROM series q CROSS JOIN sensors s ON s.id = q.sensor_id WHERE q.id = ?
                    """, [.integer(hit.series)]
                ) { ($0.text(0), $0.text(1)) }.first
            }
            if chunks[hit.chunk] == nil {
                if chunks.count >= Self.keptChunks { chunks.removeAll() }
                chunks[hit.chunk] = try WindowChunk.load(hit.chunk, database)
            }
            guard let name = names[hit.series], let chunk = chunks[hit.chunk] else { continue }
            var statistics: [Double] = []
            statistics.reserveCapacity(WindowStatistic.columns)
            chunk.append(hit.row, to: &statistics)
            let start = Timestamp(nanoseconds: hit.start)
            windows.append(
                StoredWindow(
                    sensor: name.sensor, metric: name.metric, start: start,
                    end: start.advanced(by: hit.definition.size), statistics: statistics, score: chunk.score(hit.row)))
        }
        return windows
    }

    // A few megabytes, whatever is asked for.
    private static let keptChunks = 128
}
