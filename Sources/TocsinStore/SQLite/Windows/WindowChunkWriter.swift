internal import GRDB
internal import TocsinCore

/// Writes closed windows as chunks: rows of many windows of one definition, ordered by series and start.
///
/// Windows of many series close together, so that most chunks are full and narrow (few series of one time) as they
/// come. Small ones, of a few windows each, are put together when enough of them wait.
struct WindowChunkWriter {
    /// Chunks of fewer rows are put together later.
    static let smallRows = WindowChunkPacker.rows / 4
    private static let mergedAtOnce = 1024

    private let definitions: [WindowDefinition]
    private let waitingChunks: Int
    private var groups: [WindowRows]
    private var packer = WindowChunkPacker()
    // Small chunks now, and those that the last merge left.
    private var small = 0
    private var smallAfterMerge = 0

    /// - Parameter unindexedRows: as in `SQLiteSettings`.
    init(definitions: [WindowDefinition], unindexedRows: Int) {
        self.definitions = definitions
        groups = definitions.map { _ in WindowRows() }
        waitingChunks = max(2, unindexedRows / WindowChunkPacker.rows)
    }

    mutating func load(_ database: Database) throws {
        small = try Self.countSmall(database)
        smallAfterMerge = 0
    }

    /// Drops what a failed transaction had gathered.
    mutating func discard() {
        for index in groups.indices { groups[index].removeAll() }
    }

    private static func countSmall(_ database: Database) throws -> Int {
        Int(try database.integer("SELECT count(*) FROM window_chunks WHERE rows < \(smallRows)") ?? 0)
    }

    // MARK: Writing

    /// Takes the windows of one outcome. Many make chunks of their own at once, so that a replay in other transactions
    /// makes the same chunks again; few wait for `finish`.
    mutating func add(_ batch: WindowBatch, rows rowIDs: [Int64], _ database: Database) throws {
        guard batch.count > 0 else { return }
        guard batch.statistics.count == batch.count * WindowStatistic.columns, batch.scores.count == batch.count else {
            throw TocsinError(
                .store, "a batch of \(batch.count) windows has \(batch.statistics.count) statistics",
                remedy: "Please report this with the text above.")
        }
        for group in groups.indices {
            groups[group].begin(WindowRows.Source(statistics: batch.statistics, scores: batch.scores))
        }
        for row in 0..<batch.count {
            let definition = Int(batch.definition[row])
            guard groups.indices.contains(definition) else { throw Self.unknownWindow(definition) }
            groups[definition].append(
                series: rowIDs[Int(batch.series[row].index)], start: batch.start[row].nanoseconds,
                count: batch.value(.count, row: row), row: row)
        }
        for group in groups.indices where groups[group].count >= WindowChunkPacker.rows {
            try write(group, database)
        }
    }

    /// Writes what waits, and puts small chunks together when there are many.
    mutating func finish(_ database: Database) throws {
        for group in groups.indices { try write(group, database) }
        if small - smallAfterMerge >= waitingChunks { try merge(database) }
    }

    private mutating func write(_ group: Int, _ database: Database) throws {
        defer { groups[group].removeAll() }
        guard !groups[group].isEmpty else { return }
        groups[group].arrange()
        small += try Self.write(groups[group], definitions[group], &packer, database)
    }

    /// Writes arranged rows in chunks of equal size; returns how many of these are small.
    @discardableResult
    static func write(
        _ rows: WindowRows, _ definition: WindowDefinition, _ packer: inout WindowChunkPacker, _ database: Database
    ) throws -> Int {
        var small = 0
        let chunks = (rows.count + WindowChunkPacker.rows - 1) / WindowChunkPacker.rows
        for chunk in 0..<chunks {
            let part = rows.count * chunk / chunks..<rows.count * (chunk + 1) / chunks
            packer.pack(rows, part, definition)
            try insert(packer, id: nil, rows: part.count, definition, database)
            if part.count < smallRows { small += 1 }
        }
        return small
    }

    // REPLACE: the same chunk written again takes a new number, because what is written last counts.
    private static let insertion = """
        INSERT OR REPLACE INTO window_chunks (id, first_start, last_start, first_series, last_series, size, slide, rows,
            content, series, start, count, mean, minimum, maximum, standard_deviation, score, statistics)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    /// - Parameter id: the chunk to write over; nil for a new one.
    static func insert(
        _ packer: WindowChunkPacker, id: Int64?, rows: Int, _ definition: WindowDefinition, _ database: Database
    ) throws {
        let statement = try SQLStatement(database, insertion)
        if let id { statement.bind(1, id) } else { statement.bindNull(1) }
        let numbers = [
            packer.starts.lowerBound, packer.starts.upperBound, packer.series.lowerBound, packer.series.upperBound,
            definition.size.nanoseconds, definition.slide.nanoseconds, Int64(rows), Int64(bitPattern: packer.content),
        ]
        for (index, number) in numbers.enumerated() { statement.bind(Int32(index + 2), number) }
        try packer.bytes.withUnsafeBytes { bytes in
            for (index, range) in packer.ranges.enumerated() {
                try statement.bindBorrowed(
                    Int32(index + 2 + numbers.count), bytes: UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
            try statement.run()
        }
    }

    private static func unknownWindow(_ definition: Int) -> TocsinError {
        TocsinError(
            .store, "window definition \(definition) is not among those the store was opened with",
            remedy: "Open the store with the engine's own list of windows.")
    }

    // MARK: Merging

    private mutating func merge(_ database: Database) throws {
        let definitions = try database.rows(
            "SELECT DISTINCT size, slide FROM window_chunks WHERE rows < \(Self.smallRows)"
        ) { WindowDefinition(size: .nanoseconds($0.int64(0)), slide: .nanoseconds($0.int64(1))) }
        for definition in definitions { try merge(definition, database) }
        small = try Self.countSmall(database)
        smallAfterMerge = small
    }

    private mutating func merge(_ definition: WindowDefinition, _ database: Database) throws {
        let ids = try database.rows(
            """
            SELECT id FROM window_chunks WHERE rows < \(Self.smallRows) AND size = ? AND slide = ?
            ORDER BY id LIMIT \(Self.mergedAtOnce)
            """, [.integer(definition.size.nanoseconds), .integer(definition.slide.nanoseconds)]
        ) { $0.int64(0) }
        guard ids.count > 1 else { return }
        var rows = WindowRows()
        for id in ids {
            do {
                guard let chunk = try WindowChunk.load(id, database) else { continue }
                rows.append(chunk)
                try database.run("DELETE FROM window_chunks WHERE id = ?", [.integer(id)])
            } catch is DamagedChunk {
                // It stays where it is, for a query to name it.
            }
        }
        guard !rows.isEmpty else { return }
        rows.arrange()
        try Self.write(rows, definition, &packer, database)
    }

    /// Writes a chunk again with those windows alone that `isWanted` (definition and start); returns the windows dropped.
    static func trim(
        _ id: Int64, keeping isWanted: (WindowDefinition, Int64) -> Bool, _ database: Database
    ) throws -> Int {
        guard let chunk = try WindowChunk.load(id, database) else { return 0 }
        var rows = WindowRows()
        rows.append(chunk) { isWanted(chunk.keys.definition, chunk.keys.start($0)) }
        guard rows.count < chunk.keys.rows else { return 0 }
        guard !rows.isEmpty else {
            try database.run("DELETE FROM window_chunks WHERE id = ?", [.integer(id)])
            return chunk.keys.rows
        }
        var packer = WindowChunkPacker()
        packer.pack(rows, 0..<rows.count, chunk.keys.definition)
        try insert(packer, id: id, rows: rows.count, chunk.keys.definition, database)
        return chunk.keys.rows - rows.count
    }
}

extension WindowRows {
    /// Appends the rows of a stored chunk that `isWanted`.
    mutating func append(_ chunk: WindowChunk, where isWanted: (Int) -> Bool = { _ in true }) {
        var source = Source(statistics: [], scores: [])
        let wanted = (0..<chunk.keys.rows).filter(isWanted)
        for row in wanted {
            chunk.append(row, to: &source.statistics)
            source.scores.append(chunk.score(row))
        }
        begin(source)
        for (index, row) in wanted.enumerated() {
            append(
                series: chunk.keys.series(row), start: chunk.keys.start(row), count: chunk.keys.count(row), row: index)
        }
    }
}
