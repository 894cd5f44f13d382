internal import GRDB
internal import TocsinCore

/// Deletion of what is too old or too much, in slices: each is one short transaction, and writers get their turn
/// between two of them.
struct SQLiteRetention {
    let store: SQLiteStore

    private static let rowsByAge = 10_000
    private static let rowsBySize = 2000
    private static let chunksBySize = 8
    // A quarter of a million rows: a tenth of a second.
    private static let mergedRuns: Int64 = 8
    // 16 MiB: a slice takes some ten milliseconds.
    private static let pagesBySlice: Int64 = 2000
    /// One page in so many may stay free.
    private static let reserve: Int64 = 16

    private static let events = (table: "sensor_events", time: "time")

    func apply(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        var deleted: [String: Int] = [:]
        deleted["sensor_events"] = try await deleteOld(Self.events, policy.eventAge, now)
        deleted["windows"] = try await deleteOldWindows(policy.windowAge, now)
        deleted["windows", default: 0] += try await thinWindows(policy.thinnedWindowAge, now)
        deleted["anomalies"] = try await deleteOld(("anomalies", "time"), policy.anomalyAge, now)
        // A cleared alarm goes with its anomalies; one that is still open stays whatever its age.
        deleted["alarms"] = try await deleteOld(("alarms", "cleared"), policy.anomalyAge, now)
        deleted["alarm_actions"] = try await deleteOld(("alarm_actions", "at"), policy.anomalyAge, now)
        deleted["dead_letters"] = try await deleteOld(("dead_letters", "received"), policy.deadLetterAge, now)
        deleted["jobs"] = try await deleteOld(("jobs", "iif(state = 'running', NULL, started)"), policy.jobAge, now)
        deleted["quality_reports"] = try await deleteOld(("quality_reports", "created"), policy.jobAge, now)
        try await removeEmptyRuns()
        try await mergeRuns()
        if let bytes = policy.maxBytes {
            deleted["sensor_events", default: 0] += try await deleteOldest(until: bytes) { database in
                try Self.deleteSlice(Self.events, before: .max, rows: Self.rowsBySize, database)
            }
            deleted["windows", default: 0] += try await deleteOldest(until: bytes) { database in
                try Self.deleteChunks(before: .max, count: Self.chunksBySize, database)
            }
            try await shrink { pages, _, size in pages * size > bytes }
        }
        // What is free beyond a reserve that new rows soon fill again.
        try await shrink { pages, free, _ in free > max(Self.pagesBySlice, pages / Self.reserve) }
        return deleted.filter { $0.value > 0 }
    }

    private func deleteOld(
        _ target: (table: String, time: String), _ age: Span64?, _ now: Timestamp
    ) async throws -> Int {
        guard let limit = Self.limit(age, now) else { return 0 }
        var total = 0
        while true {
            try Task.checkCancellation()
            let deleted = try await store.change { database in
                try Self.deleteSlice(target, before: limit, rows: Self.rowsByAge, database)
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
        let oldest = "FROM \(target.table) WHERE \(target.time) < ? ORDER BY \(target.time) LIMIT ?"
        let arguments: [SQLValue] = [.integer(limit), .integer(Int64(rows))]
        var deleted = 0
        try database.inTransaction(.immediate) {
            if target.table == SortedRuns.events.table,
                let last = try database.integer("SELECT max(time) FROM (SELECT time \(oldest))", arguments)
            {
                try SortedRuns.events.noteDeleted(until: last, database)
            }
            deleted = try database.run(
                "DELETE FROM \(target.table) WHERE rowid IN (SELECT rowid \(oldest))", arguments)
            return .commit
        }
        return deleted
    }

    private func removeEmptyRuns() async throws {
        let empty = try await store.query { try SortedRuns.events.emptyRuns($0) }
        for run in empty {
            try Task.checkCancellation()
            try await store.change { try SortedRuns.events.remove(run, $0) }
        }
    }

    /// Not done by the writer: it would cost a fifth of the events that it stores a second.
    private func mergeRuns() async throws {
        let rows = Int64(store.settings.unindexedRows) * Self.mergedRuns
        for group in try await store.query({ try SortedRuns.events.mergeable(toRows: rows, $0) }) {
            if Task.isCancelled { return }
            try await store.change { try SortedRuns.events.merge(group, $0) }
        }
    }

    // MARK: Bytes

    /// What rows and indexes occupy: pages of the file that are free for new rows do not count.
    private static func usedBytes(_ database: Database) throws -> Int64 {
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * (try database.integer("PRAGMA page_size") ?? 0)
    }

    /// Gives free pages back to the file system, some at a time, while `isWanted` (pages of the file, free ones, bytes of
    /// a page). The file of a database that was made without `auto_vacuum` keeps its length.
    private func shrink(while isWanted: @escaping @Sendable (Int64, Int64, Int64) -> Bool) async throws {
        var isShrunk = false
        // A process that is to end leaves the rest to the next one: gigabytes take half a minute.
        while !Task.isCancelled {
            let freed = try await store.change { database in
                let pages = try database.integer("PRAGMA page_count") ?? 0
                let free = try database.integer("PRAGMA freelist_count") ?? 0
                let size = try database.integer("PRAGMA page_size") ?? 0
                guard free > 0, isWanted(pages, free, size) else { return Int64(0) }
                try database.execute(sql: "PRAGMA incremental_vacuum(\(Self.pagesBySlice))")
                return pages - (try database.integer("PRAGMA page_count") ?? 0)
            }
            if freed <= 0 { break }
            isShrunk = true
        }
        guard isShrunk else { return }
        // The file itself becomes shorter when the log is folded into it.
        _ = try await store.change { database in
            try database.integer("PRAGMA wal_checkpoint(TRUNCATE)").map(Int.init) ?? 0
        }
    }
}
