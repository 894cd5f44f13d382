import Testing
import TocsinCore
import TocsinTestKit

/// The store that other tests use keeps small records as a real one does.
@Suite struct MemoryStoreTests {
    @Test(arguments: [StoreConformance.Check.jobs, .qualityReports, .checkpoints])
    func conforms(_ check: StoreConformance.Check) async throws {
        try await StoreConformance { _ in MemoryStore() }.run(check)
    }
}
