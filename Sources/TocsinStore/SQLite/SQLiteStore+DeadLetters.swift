internal import GRDB
internal import TocsinCore

extension SQLiteStore {
    /// The highest number among the dead letters; 0 where there is none.
    public func lastDeadLetterID() async throws -> Int64 {
        try await query { try $0.integer("SELECT max(id) FROM dead_letters") ?? 0 }
    }

    /// Deletes the dead letters that were written after `id` was the highest number.
    public func removeDeadLetters(after id: Int64) async throws {
        try await change { database in
            try database.inTransaction(.immediate) {
                try database.run("DELETE FROM dead_letters WHERE id > ?", [.integer(id)])
                return .commit
            }
        }
    }
}
