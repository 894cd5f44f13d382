internal import GRDB
internal import TocsinCore

/// The statements of `jobs`, `quality_reports` and `checkpoints`.
enum JobTables {
    private static let upsertJob = SQLiteWriter.upsert(
        into: "jobs", key: ["id"], ["name", "state", "started", "finished", "progress", "summary", "error"])
    private static let upsertReport = SQLiteWriter.upsert(
        into: "quality_reports", key: ["id"],
        ["subject", "created", "range_start", "range_end", "rows_in", "rows_out", "limit_passed", "rules"])
    private static let upsertCheckpoint = SQLiteWriter.upsert(
        into: "checkpoints", key: ["name", "sequence"], ["created", "format", "data"])

    /// The newest, and one behind it for the case that the newest cannot be read.
    private static let keptCheckpoints: Int64 = 2

    // MARK: Jobs

    static func write(_ job: JobRecord, _ database: Database) throws {
        try database.run(
            upsertJob,
            [
                .text(job.id), .text(job.name), .text(job.state.rawValue), .integer(job.started.nanoseconds),
                job.finished.map { .integer($0.nanoseconds) } ?? .null, .real(job.progress.isNaN ? 0 : job.progress),
                .text(job.summary),
                .optional(job.error),
            ])
    }

    static func jobs(name: String?, limit: Int, _ database: Database) throws -> [JobRecord] {
        try database.rows(
            """
            SELECT id, name, state, started, finished, progress, summary, error FROM jobs
            \(name == nil ? "" : "WHERE name = ?") ORDER BY started DESC, id DESC LIMIT ?
            """, (name.map { [.text($0)] } ?? []) + [.integer(Int64(max(0, limit)))]
        ) { row -> JobRecord? in
            // A word of a newer version is passed over rather than shown as something else.
            guard let state = JobRecord.State(rawValue: row.text(2)) else { return nil }
            return JobRecord(
                id: row.text(0), name: row.text(1), state: state, started: row.timestamp(3),
                finished: row.isNull(4) ? nil : row.timestamp(4), progress: row.double(5), summary: row.text(6),
                error: row.optionalText(7))
        }.compactMap(\.self)
    }

    // MARK: Quality reports

    static func write(_ report: QualityReport, _ database: Database) throws {
        try database.run(
            upsertReport,
            [
                .text(report.id), .text(report.subject), .integer(report.created.nanoseconds),
                .integer(report.start.nanoseconds), .integer(report.end.nanoseconds), .integer(Int64(report.rowsIn)),
                .integer(Int64(report.rowsOut)), .integer(report.exceedsLimit ? 1 : 0), .text(report.rules),
            ])
    }

    static func qualityReports(subject: String?, limit: Int, _ database: Database) throws -> [QualityReport] {
        try database.rows(
            """
            SELECT id, subject, created, range_start, range_end, rows_in, rows_out, limit_passed, rules
            FROM quality_reports \(subject == nil ? "" : "WHERE subject = ?") ORDER BY created DESC, id DESC LIMIT ?
            """, (subject.map { [.text($0)] } ?? []) + [.integer(Int64(max(0, limit)))]
        ) { row in
            QualityReport(
                id: row.text(0), subject: row.text(1), created: row.timestamp(2), start: row.timestamp(3),
                end: row.timestamp(4), rowsIn: Int(row.int64(5)), rowsOut: Int(row.int64(6)),
                exceedsLimit: row.int64(7) != 0, rules: row.text(8))
        }
    }

    // MARK: Checkpoints

    static func write(_ checkpoint: CheckpointRecord, _ database: Database) throws {
        try database.run(
            upsertCheckpoint,
            [
                .text(checkpoint.name), .integer(checkpoint.sequence), .integer(checkpoint.created.nanoseconds),
                .text(checkpoint.format), .blob(checkpoint.data),
            ])
        try database.run(
            """
            DELETE FROM checkpoints WHERE name = ? AND sequence NOT IN (
                SELECT sequence FROM checkpoints WHERE name = ? ORDER BY sequence DESC LIMIT ?)
            """, [.text(checkpoint.name), .text(checkpoint.name), .integer(keptCheckpoints)])
    }

    static func checkpoint(name: String, _ database: Database) throws -> CheckpointRecord? {
        try database.rows(
            """
            SELECT name, sequence, created, format, data FROM checkpoints WHERE name = ? ORDER BY sequence DESC LIMIT 1
            """, [.text(name)]
        ) { row in
            CheckpointRecord(
                name: row.text(0), sequence: row.int64(1), created: row.timestamp(2), format: row.text(3),
                data: row.bytes(4))
        }.first
    }
}
