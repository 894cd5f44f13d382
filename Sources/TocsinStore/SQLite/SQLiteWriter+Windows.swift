internal import GRDB
internal import TocsinCore

extension SQLiteWriter {
    private static let insertWindow = """
        INSERT INTO windows (id, start, series_id, size, slide, count, mean, minimum, maximum, standard_deviation,
            score, statistics)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (start, series_id, size, slide) DO UPDATE SET
            count = excluded.count, mean = excluded.mean, minimum = excluded.minimum, maximum = excluded.maximum,
            standard_deviation = excluded.standard_deviation, score = excluded.score,
            statistics = excluded.statistics
        WHERE excluded.count >= windows.count
        """

    /// Writes closed windows, their statistics as little-endian doubles, which is how the memory of every supported
    /// processor holds them. A replayed window is written over itself, and never over one that saw more readings: a few
    /// readings sent again, or the rest of a window after a restart, are not the whole of it.
    mutating func writeWindows(_ batch: WindowBatch, _ database: Database) throws {
        guard batch.count > 0 else { return }
        let statement = try SQLStatement(database, Self.insertWindow)
        try statement.repeatedly {
            try batch.statistics.withUnsafeBytes { bytes in
                for row in 0..<batch.count { try writeWindow(row, of: batch, bytes, statement) }
            }
        }
    }

    private mutating func writeWindow(
        _ row: Int, of batch: WindowBatch, _ statistics: UnsafeRawBufferPointer, _ statement: SQLStatement
    ) throws {
        let definition = Int(batch.definition[row])
        guard settings.windows.indices.contains(definition) else { throw Self.unknownWindow(definition) }
        let window = settings.windows[definition]
        statement.bind(1, windows.nextID)
        statement.bind(2, batch.start[row].nanoseconds)
        statement.bind(3, rowIDs.series[Int(batch.series[row].index)])
        statement.bind(4, window.size.nanoseconds)
        statement.bind(5, window.slide.nanoseconds)
        statement.bind(6, Int64(exactly: batch.value(.count, row: row).rounded()) ?? 0)
        statement.bind(7, batch.value(.mean, row: row))
        statement.bind(8, batch.value(.minimum, row: row))
        statement.bind(9, batch.value(.maximum, row: row))
        statement.bind(10, batch.value(.standardDeviation, row: row))
        statement.bind(11, batch.scores[row])
        let width = WindowStatistic.columns * MemoryLayout<Double>.size
        let columns = statistics[row * width..<(row + 1) * width]
        try statement.bindBorrowed(12, bytes: UnsafeRawBufferPointer(rebasing: columns))
        try statement.run()
        windows.useNextID()
    }

    private static func unknownWindow(_ definition: Int) -> TocsinError {
        TocsinError(
            .store, "window definition \(definition) is not among those the store was opened with",
            remedy: "Open the store with the engine's own list of windows.")
    }
}
