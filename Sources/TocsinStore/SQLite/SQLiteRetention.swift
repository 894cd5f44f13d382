internal import GRDB
internal import TocsinCore

/// Deletion of what is too old or too much, in slices: each is one short transaction, and writers get their turn
/// between two of them.
struct SQLiteRetention {
    /// Runs one slice as a change of the store.
    let change: @Sendable (@escaping @Sendable (Database) throws -> Int) async throws -> Int

    private static let rowsByAge = 10_000
    private static let rowsBySize = 2000
    private static let pagesBySlice = 2000

    private static let events = (table: "sensor_events", time: "time")
    private static let windows = (table: "windows", time: "start")

    func apply(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int] {
        var deleted: [String: Int] = [:]
        deleted["sensor_events"] = try await deleteOld(Self.events, policy.eventAge, now)
        deleted["windows"] = try await deleteOld(Self.windows, policy.windowAge, now)
        deleted["anomalies"] = try await deleteOld(("anomalies", "time"), policy.anomalyAge, now)
        // A cleared alarm goes with its anomalies; one that is still open stays whatever its age.
        deleted["alarms"] = try await deleteOld(("alarms", "cleared"), policy.anomalyAge, now)
        deleted["dead_letters"] = try await deleteOld(("dead_letters", "received"), policy.deadLetterAge, now)
        try await removeEmptyRuns()
        if let bytes = policy.maxBytes {
            for target in [Self.events, Self.windows] {
                deleted[target.table, default: 0] += try await deleteOldest(target, until: bytes)
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
            let deleted = try await change { database in
                try Self.deleteSlice(target, before: limit.nanoseconds, rows: Self.rowsByAge, database)
            }
            total += deleted
            if deleted < Self.rowsByAge { return total }
        }
    }

    private func deleteOldest(_ target: (table: String, time: String), until bytes: Int64) async throws -> Int {
        var total = 0
        while true {
            try Task.checkCancellation()
            let deleted = try await change { database in
                guard try Self.usedBytes(database) > bytes else { return 0 }
                return try Self.deleteSlice(target, before: .max, rows: Self.rowsBySize, database)
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

    private func removeEmptyRuns() async throws {
        _ = try await change { database in
            try SortedRuns.events.removeEmptyRuns(database) + SortedRuns.windows.removeEmptyRuns(database)
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
        while true {
            let freed = try await change { database in
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
        _ = try await change { database in try database.integer("PRAGMA wal_checkpoint(TRUNCATE)").map(Int.init) ?? 0 }
    }
}
