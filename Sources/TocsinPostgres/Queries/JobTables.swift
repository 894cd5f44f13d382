internal import TocsinCore

/// The statements of models, jobs, quality reports and checkpoints.
enum JobTables {
    /// Learnt models are many and replace each other: these allow a look back.
    private static let keptVersions = 5
    /// The newest, and one behind it for the case that the newest cannot be read.
    private static let keptCheckpoints: Int64 = 2

    private static func upsert(_ table: String, key: [String], _ columns: [String]) -> String {
        let all = key + columns
        return """
            INSERT INTO \(table) (\(all.joined(separator: ", ")))
            VALUES (\((1...all.count).map { "$\($0)" }.joined(separator: ", ")))
            ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET
            \(columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
            """
    }

    // MARK: Models

    static func write(_ model: ModelRecord, _ connection: PostgresConnection) throws {
        _ = try connection.pipeline([
            ("BEGIN", []),
            (
                upsert(
                    "model_registry", key: ["name", "version"], ["origin", "created", "format", "summary", "data"]),
                [
                    .text(model.name), .integer(Int64(model.version)), .text(model.origin.rawValue),
                    .integer(model.created.nanoseconds), .text(model.format), .text(model.summary), .bytes(model.data),
                ]
            ),
            (
                "DELETE FROM model_registry WHERE name = $1 AND origin = 'learned' AND version <= $2",
                [.text(model.name), .integer(Int64(model.version) - Int64(keptVersions))]
            ), ("COMMIT", []),
        ])
    }

    static func models(name: String?, _ connection: PostgresConnection) throws -> [ModelRecord] {
        try connection.query(
            """
            SELECT name, version, origin, created, format, summary, data FROM model_registry
            \(name == nil ? "" : "WHERE name = $1") ORDER BY name COLLATE "C", version DESC
            """, name.map { [.text($0)] } ?? []
        ).map { row in
            ModelRecord(
                name: row.text(0), version: Int(row.int64(1)), origin: ModelOrigin(rawValue: row.text(2)) ?? .learned,
                created: row.timestamp(3), format: row.text(4), summary: row.text(5), data: row.bytes(6))
        }
    }

    // MARK: Jobs

    static func write(_ job: JobRecord, _ connection: PostgresConnection) throws {
        try connection.run(
            upsert("jobs", key: ["id"], ["name", "state", "started", "finished", "progress", "summary", "error"]),
            [
                .text(job.id), .text(job.name), .text(job.state.rawValue), .integer(job.started.nanoseconds),
                .optional(job.finished?.nanoseconds), .real(job.progress), .text(job.summary), .optional(job.error),
            ])
    }

    static func jobs(name: String?, limit: Int, _ connection: PostgresConnection) throws -> [JobRecord] {
        try connection.query(
            """
            SELECT id, name, state, started, finished, progress, summary, error FROM jobs
            \(name == nil ? "" : "WHERE name = $2") ORDER BY started DESC, id DESC LIMIT $1
            """, [.integer(Int64(max(0, limit)))] + (name.map { [.text($0)] } ?? [])
        ).map { row -> JobRecord? in
            guard let state = JobRecord.State(rawValue: row.text(2)) else { return nil }
            return JobRecord(
                id: row.text(0), name: row.text(1), state: state, started: row.timestamp(3),
                finished: row.optionalInt64(4).map(Timestamp.init(nanoseconds:)), progress: row.double(5),
                summary: row.text(6), error: row.optionalText(7))
        }.compactMap(\.self)
    }

    // MARK: Quality reports

    static func write(_ report: QualityReport, _ connection: PostgresConnection) throws {
        try connection.run(
            upsert(
                "quality_reports", key: ["id"],
                ["subject", "created", "range_start", "range_end", "rows_in", "rows_out", "limit_passed", "rules"]),
            [
                .text(report.id), .text(report.subject), .integer(report.created.nanoseconds),
                .integer(report.start.nanoseconds), .integer(report.end.nanoseconds), .integer(Int64(report.rowsIn)),
                .integer(Int64(report.rowsOut)), .boolean(report.exceedsLimit), .text(report.rules),
            ])
    }

    static func qualityReports(
        subject: String?, limit: Int, _ connection: PostgresConnection
    ) throws -> [QualityReport] {
        try connection.query(
            """
            SELECT id, subject, created, range_start, range_end, rows_in, rows_out, limit_passed, rules
            FROM quality_reports \(subject == nil ? "" : "WHERE subject = $2") ORDER BY created DESC, id DESC LIMIT $1
            """, [.integer(Int64(max(0, limit)))] + (subject.map { [.text($0)] } ?? [])
        ).map { row in
            QualityReport(
                id: row.text(0), subject: row.text(1), created: row.timestamp(2), start: row.timestamp(3),
                end: row.timestamp(4), rowsIn: Int(row.int64(5)), rowsOut: Int(row.int64(6)), exceedsLimit: row.bool(7),
                rules: row.text(8))
        }
    }

    // MARK: Checkpoints

    static func write(_ checkpoint: CheckpointRecord, _ connection: PostgresConnection) throws {
        _ = try connection.pipeline([
            ("BEGIN", []),
            (
                upsert("checkpoints", key: ["name", "sequence"], ["created", "format", "data"]),
                [
                    .text(checkpoint.name), .integer(checkpoint.sequence), .integer(checkpoint.created.nanoseconds),
                    .text(checkpoint.format), .bytes(checkpoint.data),
                ]
            ),
            (
                """
                DELETE FROM checkpoints WHERE name = $1 AND sequence NOT IN (
                    SELECT sequence FROM checkpoints WHERE name = $1 ORDER BY sequence DESC LIMIT $2)
                """, [.text(checkpoint.name), .integer(keptCheckpoints)]
            ), ("COMMIT", []),
        ])
    }

    static func checkpoint(name: String, _ connection: PostgresConnection) throws -> CheckpointRecord? {
        try connection.query(
            "SELECT name, sequence, created, format, data FROM checkpoints WHERE name = $1 ORDER BY sequence DESC LIMIT 1",
            [.text(name)]
        ).map { row in
            CheckpointRecord(
                name: row.text(0), sequence: row.int64(1), created: row.timestamp(2), format: row.text(3),
                data: row.bytes(4))
        }.first
    }
}
