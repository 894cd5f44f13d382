public import TocsinCore

extension PostgresStore {
    /// The steps of the schema, and which of them the database has. Changes nothing, and refuses nothing.
    /// - Throws: `TocsinError` where the server is away.
    public func schemaStatus() async throws -> SchemaStatus {
        try await inspecting { [place] connection in
            let applied = try PostgresSchema.applied(connection)
            return SchemaStatus(
                place: place, version: applied.keys.max() ?? 0, knownVersion: PostgresSchema.version,
                steps: PostgresSchema.steps.enumerated().map { index, step in
                    SchemaStatus.Step(
                        number: index + 1, title: step.title, sql: step.sql, isApplied: applied[index + 1] != nil)
                })
        }
    }
}
