internal import GRDB
public import TocsinCore

extension SQLiteStore {
    public func saveJob(_ job: JobRecord) async throws {
        try await change { try JobTables.write(job, $0) }
    }

    public func jobs(name: String?, limit: Int) async throws -> [JobRecord] {
        try await query { try JobTables.jobs(name: name, limit: limit, $0) }
    }

    public func saveQualityReport(_ report: QualityReport) async throws {
        try await change { try JobTables.write(report, $0) }
    }

    public func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport] {
        try await query { try JobTables.qualityReports(subject: subject, limit: limit, $0) }
    }

    public func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws {
        try await change { database in
            try database.inTransaction(.immediate) {
                try JobTables.write(checkpoint, database)
                return .commit
            }
        }
    }

    public func checkpoint(name: String) async throws -> CheckpointRecord? {
        try await query { try JobTables.checkpoint(name: name, $0) }
    }
}
