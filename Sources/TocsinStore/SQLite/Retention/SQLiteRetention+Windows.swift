internal import GRDB
internal import TocsinCore

// Windows stand in chunks: whole chunks go first; then those that hold both what goes and what stays are written again.
extension SQLiteRetention {
    private static let chunksByAge = 64
    /// Row of `meta`: the limit of the last thinning and the highest chunk there was.
    private static let thinnedKey = "windows_thinned"

    func deleteOldWindows(_ age: Span64?, _ now: Timestamp) async throws -> Int {
        guard let limit = Self.limit(age, now) else { return 0 }
        var total = 0
        while true {
            try Task.checkCancellation()
            let deleted = try await store.change { try Self.deleteChunks(before: limit, count: Self.chunksByAge, $0) }
            if deleted == 0 { break }
            total += deleted
        }
        let mixed = try await store.query { database in
            try database.rows(
                "SELECT id FROM window_chunks WHERE last_start >= ? AND first_start < ?",
                [.integer(limit), .integer(limit)]
            ) { $0.int64(0) }
        }
        return try await total + trim(mixed) { _, start in start >= limit }
    }

    /// See `RetentionPolicy.thinnedWindowAge`. A chunk is looked at when it has become old enough, and when it is new.
    func thinWindows(_ age: Span64?, _ now: Timestamp) async throws -> Int {
        guard let limit = Self.limit(age, now), let rule = WindowThinning(store.settings.windows) else { return 0 }
        let (chunks, highest) = try await store.query { database in
            let highest = try database.integer("SELECT max(id) FROM window_chunks") ?? 0
            let done =
                try database.rows("SELECT value FROM meta WHERE key = ?", [.text(Self.thinnedKey)]) {
                    $0.text(0).split(separator: " ").compactMap { Int64($0) }
                }.first ?? []
            let (seen, known) = done.count == 2 ? (done[0], done[1]) : (Int64.min, 0)
            return (
                try database.rows(
                    """
                    SELECT id FROM window_chunks WHERE last_start >= ? AND first_start < ?
                    UNION SELECT id FROM window_chunks WHERE id > ? AND first_start < ?
                    """, [.integer(seen), .integer(limit), .integer(known), .integer(limit)]
                ) { $0.int64(0) }, highest
            )
        }
        let total = try await trim(chunks) { definition, start in
            start >= limit || rule.keeps(definition, start: Timestamp(nanoseconds: start))
        }
        _ = try await store.change { database in
            try database.run(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [.text(Self.thinnedKey), .text("\(limit) \(highest)")])
        }
        return total
    }

    /// Returns the windows that were in them.
    static func deleteChunks(before limit: Int64, count: Int, _ database: Database) throws -> Int {
        var deleted: Int64 = 0
        try database.inTransaction(.immediate) {
            let chunks = try database.rows(
                "SELECT id, rows FROM window_chunks WHERE last_start < ? ORDER BY last_start LIMIT ?",
                [.integer(limit), .integer(Int64(count))]
            ) { ($0.int64(0), $0.int64(1)) }
            for (id, rows) in chunks {
                try database.run("DELETE FROM window_chunks WHERE id = ?", [.integer(id)])
                deleted += min(max(1, rows), Int64(WindowChunkPacker.rows))
            }
            return .commit
        }
        return Int(deleted)
    }

    /// Writes chunks again with the wanted windows alone, some at a time; returns the windows dropped.
    private func trim(
        _ chunks: [Int64], keeping isWanted: @escaping @Sendable (WindowDefinition, Int64) -> Bool
    ) async throws -> Int {
        var total = 0
        for first in stride(from: 0, to: chunks.count, by: Self.chunksByAge) {
            try Task.checkCancellation()
            let slice = chunks[first..<min(first + Self.chunksByAge, chunks.count)]
            total += try await store.change { database in
                var dropped = 0
                try database.inTransaction(.immediate) {
                    for id in slice {
                        // A damaged chunk stays until all of it is old.
                        do {
                            dropped += try WindowChunkWriter.trim(id, keeping: isWanted, database)
                        } catch is DamagedChunk {}
                    }
                    return .commit
                }
                return dropped
            }
        }
        return total
    }

    static func limit(_ age: Span64?, _ now: Timestamp) -> Int64? {
        guard let age, age.nanoseconds >= 0 else { return nil }
        return now.advanced(by: Span64(nanoseconds: -age.nanoseconds)).nanoseconds
    }
}
