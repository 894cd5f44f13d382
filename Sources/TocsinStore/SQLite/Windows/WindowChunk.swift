internal import GRDB
internal import TocsinCore

/// A chunk whose bytes are not what was written.
struct DamagedChunk: Error {
    var id: Int64
}

/// One blob of a chunk: a checksum and columns, checked on opening.
private struct PackedBlob {
    let bytes: [UInt8]
    let columns: [PackedColumn]

    /// - Parameter place: the blob's number in the chunk.
    init?(_ bytes: [UInt8], _ definition: WindowDefinition, rows: Int, place: Int) {
        let seed = WindowChunkPacker.seed(definition, rows: rows, blob: place)
        guard PackedChecksum.holds(bytes, seed: seed) else { return nil }
        var columns: [PackedColumn] = []
        var position = PackedChecksum.bytes
        while position < bytes.count {
            guard let column = PackedColumn(bytes, at: &position, rows: rows) else { return nil }
            columns.append(column)
        }
        guard !columns.isEmpty else { return nil }
        self.bytes = bytes
        self.columns = columns
    }

    func integer(_ row: Int) -> Int64 { columns[0].integer(row, bytes) }
    func double(_ row: Int) -> Double { columns[0].double(row, bytes, count: .nan) }
}

/// What a search needs of a chunk: whose windows are in it, and how full they are.
struct WindowKeys {
    let rows: Int
    let definition: WindowDefinition
    private let seriesColumn: PackedBlob
    private let startColumn: PackedBlob
    private let countColumn: PackedBlob

    static let columns = "rows, size, slide, series, start, count"

    /// - Parameter statement: stands on a row that begins with `columns`.
    init(_ statement: SQLStatement, id: Int64) throws {
        rows = Int(statement.int64(0))
        guard (1...WindowChunkPacker.rows).contains(rows) else { throw DamagedChunk(id: id) }
        definition = WindowDefinition(
            size: .nanoseconds(statement.int64(1)), slide: .nanoseconds(statement.int64(2)))
        guard let series = PackedBlob(statement.bytes(3), definition, rows: rows, place: 0),
            let start = PackedBlob(statement.bytes(4), definition, rows: rows, place: 1),
            let count = PackedBlob(statement.bytes(5), definition, rows: rows, place: 2)
        else { throw DamagedChunk(id: id) }
        seriesColumn = series
        startColumn = start
        countColumn = count
    }

    /// nil where the chunk does not exist any more.
    static func load(_ id: Int64, _ database: Database) throws -> WindowKeys? {
        try database.rows("SELECT \(columns) FROM window_chunks WHERE id = ?", [.integer(id)]) {
            try WindowKeys($0, id: id)
        }.first
    }

    func series(_ row: Int) -> Int64 { seriesColumn.integer(row) }
    func start(_ row: Int) -> Int64 { startColumn.integer(row) }
    func count(_ row: Int) -> Double { countColumn.double(row) }

    /// The first row whose series is not below the given one: rows are ordered by series.
    func firstRow(ofSeries wanted: Int64) -> Int {
        var low = 0
        var high = rows
        while low < high {
            let middle = (low + high) / 2
            if series(middle) < wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A chunk with everything in it.
struct WindowChunk {
    let keys: WindowKeys
    private let heads: [PackedBlob]
    private let scores: PackedBlob
    private let statistics: PackedBlob

    /// nil where the chunk does not exist any more.
    static func load(_ id: Int64, _ database: Database) throws -> WindowChunk? {
        try database.rows(
            """
            SELECT \(WindowKeys.columns), mean, minimum, maximum, standard_deviation, score, statistics
            FROM window_chunks WHERE id = ?
            """, [.integer(id)]
        ) { try WindowChunk($0, id: id) }.first
    }

    private init(_ statement: SQLStatement, id: Int64) throws {
        let keys = try WindowKeys(statement, id: id)
        // The count is the first of the heads, and stands in the keys.
        let rest = (3..<WindowChunkPacker.blobs).compactMap { place in
            PackedBlob(statement.bytes(Int32(place) + 3), keys.definition, rows: keys.rows, place: place)
        }
        guard rest.count == WindowChunkPacker.blobs - 3 else { throw DamagedChunk(id: id) }
        self.keys = keys
        heads = Array(rest[..<(rest.count - 2)])
        scores = rest[rest.count - 2]
        statistics = rest[rest.count - 1]
    }

    func score(_ row: Int) -> Double { scores.double(row) }

    /// Appends the statistics of a row, in the order of `WindowStatistic.allCases`; those that an older version did not
    /// have yet are not-a-number.
    func append(_ row: Int, to numbers: inout [Double]) {
        let first = numbers.count
        numbers.append(contentsOf: repeatElement(.nan, count: WindowStatistic.columns))
        let count = keys.count(row)
        numbers[first + WindowStatistic.count.rawValue] = count
        for (statistic, blob) in zip(WindowChunkPacker.heads.dropFirst(), heads) {
            numbers[first + statistic.rawValue] = blob.double(row)
        }
        let stored = zip(WindowChunkPacker.packed, statistics.columns)
        for (statistic, column) in stored where !column.kind.isDerived {
            numbers[first + statistic.rawValue] = column.double(row, statistics.bytes, count: count)
        }
        // In the order of `WindowStatistic`: one may be made of one before it.
        for (statistic, column) in stored where column.kind.isDerived {
            let made = DerivedStatistic.value(statistic) { numbers[first + $0.rawValue] }
            numbers[first + statistic.rawValue] = column.corrected(made, row, statistics.bytes)
        }
    }
}
