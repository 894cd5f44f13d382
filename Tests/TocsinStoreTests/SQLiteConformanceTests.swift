import Testing
import TocsinCore
import TocsinStore
import TocsinTestKit

@Suite struct SQLiteConformanceTests {
    @Test(arguments: StoreConformance.Check.allCases)
    func conforms(_ check: StoreConformance.Check) async throws {
        try await StoreConformance { table in try SQLiteStore.temporary(table: table) }.run(check)
    }

    /// With runs of a few hundred rows instead of thousands, so that the checks cross many of them.
    @Test(arguments: StoreConformance.Check.allCases)
    func conformsWithSmallRuns(_ check: StoreConformance.Check) async throws {
        try await StoreConformance { table in
            try SQLiteStore.temporary(table: table, settings: SQLiteSettings(unindexedRows: 150))
        }.run(check)
    }
}
