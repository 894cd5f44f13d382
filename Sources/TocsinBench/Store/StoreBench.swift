internal import TocsinApp
internal import TocsinCore
public import TocsinMeasure

/// `tocsin bench store`: how fast events are stored, and how long listings take in a store that is full.
public struct StoreBench: Sendable {
    private let settings: StoreBenchSettings
    private let progress: ProgressLine?

    public init(settings: StoreBenchSettings, progress: ProgressLine?) {
        self.settings = settings
        self.progress = progress
    }

    /// - Throws: `TocsinError` when the settings make no sense, or the store cannot be made or used.
    public func run() async throws -> StoreReport {
        try settings.validate()
        let folder = try DataFolder.temporary(in: settings.folder)
        defer { DataFolder.removeTemporary(folder) }
        var report = StoreReport(settings: settings)
        if settings.writtenRows > 0 {
            report.writing = try await StoreWriteBench(settings: settings, folder: folder, progress: progress).run()
        }
        if settings.stored > 0 {
            report.listings = try await ListingBench(settings: settings, folder: folder, progress: progress).run()
        }
        return report
    }
}
