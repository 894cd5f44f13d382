import Testing
import TocsinCore
import TocsinPostgres
import TocsinTestKit

@Suite(.enabled(if: PostgresServer.isInstalled, Comment(rawValue: PostgresServer.isMissing)))
struct PostgresConformanceTests {
    @Test(arguments: StoreConformance.Check.allCases)
    func conforms(_ check: StoreConformance.Check) async throws {
        let server = try PostgresServer.shared.get()
        try await StoreConformance { table in PostgresStore(settings: server.settings(), table: table) }.run(check)
    }

    /// The same by way of staging tables, which a repetition just before leads to.
    @Test(arguments: StoreConformance.Check.allCases)
    func conformsAfterRepetition(_ check: StoreConformance.Check) async throws {
        let server = try PostgresServer.shared.get()
        try await StoreConformance { table in
            try await Repeating.prepare(PostgresStore(settings: server.settings(), table: table), table: table)
        }.run(check)
    }
}

/// Makes an empty store that has just met a repetition.
private enum Repeating {
    static func prepare(_ store: PostgresStore, table: SeriesTable) async throws -> PostgresStore {
        var input = StoreInput(table: table)
        input.event("x", at: 0, [("y", 1)])
        input.window("x", "y", start: 0, base: 1)
        try await store.write([input.outcome])
        #expect(try await store.write([input.outcome]) == [HeldReadings(stored: 1)])
        try await store.execute("TRUNCATE sensor_events, windows, series, sensors CASCADE")
        return store
    }
}
