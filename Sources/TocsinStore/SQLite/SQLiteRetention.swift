internal import GRDB
internal import TocsinCore

/// Deletion of what is too old or too much, in slices: each is one short transaction, and writers get their turn
/// between two of them.
struct SQLiteRetention {
    let store: SQLiteStore

    private static let rowsByAge = 10_000
    private static let rowsBySize = 2000
    private static let chunksByAge = 64
    private static let chunksBySize = 8
    private static let pagesBySlice = 2000

    private static let events = (table: "sensor_events", time: "time")

    func apply(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        var deleted: [String: Int] = [:]
        deleted["sensor_events"] = try await deleteOld(Self.events, policy.eventAge, now)
        deleted["windows"] = try await deleteOldWindows(policy.windowAge, now)
        deleted["anomalies"] = try await deleteOld(("anomalies", "time"), policy.anomalyAge, now)
        // A cleared alarm goes with its anomalies; one that is still open stays whatever its age.
        deleted["alarms"] = try await deleteOld(("alarms", "cleared"), policy.anomalyAge, now)
        deleted["dead_letters"] = try await deleteOld(("dead_letters", "received"), policy.deadLetterAge, now)
        try await removeEmptyRuns()
        if let bytes = policy.maxBytes {
            deleted["sensor_events", default: 0] += try await deleteOldest(until: bytes) { database in
                try Self.deleteSlice(Self.events, before: .max, rows: Self.rowsBySize, database)
            }
            deleted["windows", default: 0] += try await deleteOldest(until: bytes) { database in
                try Self.deleteChunks(before: .max, count: Self.chunksBySize, database)
            }
            try await shrink(to: bytes)
        }
        return deleted.filter { $0.value > 0 }
    }

    private func deleteOld(
        _ target: (table: String, time: String), _ age: Span64?, _ now: Timestamp
    ) async throws -> Int {
        guard let age, age.nanoseconds >= 0 else { return 0 }
        let limit = now.advanced(by: Span64(nanoseconds: -age.nanoseconds))
        var total = 0
        while true {
            try Task.checkCancellation()
            let deleted = try await store.change { database in
                try Self.deleteSlice(target, before: limit.nanoseconds, rows: Self.rowsByAge, database)
            }
            total += deleted
            if deleted < Self.rowsByAge { return total }
        }
    }

    private func deleteOldest(
        until bytes: Int64, _ deleteSlice: @escaping @Sendable (Database) throws -> Int
    ) async throws -> Int {
        var total = 0
        while true {
            try Task.checkCancellation()
            let deleted = try await store.change { database in
                guard try Self.usedBytes(database) > bytes else { return 0 }
                return try deleteSlice(database)
            }
            if deleted == 0 { return total }
            total += deleted
            try await removeEmptyRuns()
        }
    }

    private static func deleteSlice(
        _ target: (table: String, time: String), before limit: Int64, rows: Int, _ database: Database
    ) throws -> Int {
        try database.run(
            """
            DELETE FROM \(target.table) WHERE rowid IN (
                SELECT rowid FROM \(target.table) WHERE \(target.time) < ? ORDER BY \(target.time) LIMIT ?)
            """, [.integer(limit), .integer(Int64(rows))])
    }

    // MARK: Windows

    /// Whole chunks first; then those that hold both old and new windows are written again without the old ones.
    private func deleteOldWindows(_ age: Span64?, _ now: Timestamp) async throws -> Int {
        guard let age, age.nanoseconds >= 0 else { return 0 }
        let limit = now.advanced(by: Span64(nanoseconds: -age.nanoseconds)).nanoseconds
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
        for first in stride(from: 0, to: mixed.count, by: Self.chunksByAge) {
            try Task.checkCancellation()
            let slice = mixed[first..<min(first + Self.chunksByAge, mixed.count)]
            total += try await store.change { try Self.trimChunks(slice, before: limit, $0) }
        }
        return total
    }

    /// Returns the windows that were in them.
    private static func deleteChunks(before limit: Int64, count: Int, _ database: Database) throws -> Int {
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

    private static func trimChunks(_ ids: ArraySlice<Int64>, before limit: Int64, _ database: Database) throws -> Int {
        var dropped = 0
        try database.inTransaction(.immediate) {
            for id in ids {
                // A damaged chunk stays until all of it is old.
                do { dropped += try WindowChunkWriter.trim(id, before: limit, database) } catch is DamagedChunk {}
            }
            return .commit
        }
        return dropped
    }

    private func removeEmptyRuns() async throws {
        _ = try await store.change { database in
            try SortedRuns.events.removeEmptyRuns(database)
        }
    }

    // MARK: Bytes

    /// What rows and indexes occupy: pages of the file that are free for new rows do not count.
    private static func usedBytes(_ database: Database) throws -> Int64 {
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * (try database.integer("PRAGMA page_size") ?? 0)
    }

    /// Gives free pages back to the file system until the file is within its bound.
    private func shrink(to bytes: Int64) async throws {
        var isShrunk = false
        // A process that is to end leaves the rest to the next one: gigabytes take half a minute.
        while !Task.isCancelled {
            let freed = try await store.change { database in
                let pages = try database.integer("PRAGMA page_count") ?? 0
                let size = try database.integer("PRAGMA page_size") ?? 0
                guard pages * size > bytes, try database.integer("PRAGMA freelist_count") ?? 0 > 0 else { return 0 }
                try database.execute(sql: "PRAGMA incremental_vacuum(\(Self.pagesBySlice))")
                return Int(pages - (try database.integer("PRAGMA page_count") ?? 0))
            }
            if freed == 0 { break }
            isShrunk = true
        }
        guard isShrunk else { return }
        // The file itself becomes shorter when the log is folded into it.
        _ = try await store.change { database in
            try database.integer("PRAGMA wal_checkpoint(TRUNCATE)").map(Int.init) ?? 0
        }
    }
}
