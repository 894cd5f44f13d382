internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake

/// One pass of ETL as a job: with its lock, its record and its reports in the store.
struct ETLJob: Sendable {
    static let name = "etl"

    private let configuration: TocsinConfiguration
    private let place: LakePlace
    private let source: (any GoldSource)?
    /// Where record and reports go; nil = nowhere.
    private let store: (any Store)?
    private let clock: any WallClock
    var settings: ETLSettings

    init(
        _ configuration: TocsinConfiguration, place: LakePlace, source: (any GoldSource)?, store: (any Store)?,
        clock: any WallClock
    ) {
        self.configuration = configuration
        self.place = place
        self.source = source
        self.store = store
        self.clock = clock
        settings = ETLSettings(configuration, duckdb: place.duckdb)
    }

    /// - Throws: `TocsinError` when another process works on this lake. What goes wrong later is in the result's job.
    func run(
        patience: Duration = .zero, onStart: (JobRecord) -> Void = { _ in },
        onProgress: @escaping @Sendable (ETLProgress) -> Void = { _ in }
    ) async throws -> ETLResult {
        let lock = try await ETLLock.take(configuration, patience: patience)
        defer { lock.release() }
        let started = clock.now()
        let begun = JobRecord(
            id: "\(Self.name)-\(started.nanoseconds)", name: Self.name, state: .running, started: started)
        onStart(begun)
        try? await store?.saveJob(begun)
        let run = ETLRun(
            settings, storage: place.storage, source: source, transforms: configuration.lake.transforms, clock: clock)
        var result = await run.run(onProgress: onProgress)
        result.job.id = begun.id
        if let store {
            try? await store.saveJob(result.job)
            for report in result.reports { try? await store.saveQualityReport(report) }
        }
        return result
    }
}

/// One ETL, compaction or import at a time works on a lake.
enum ETLLock {
    /// A person's command waits for the running process to be done with its own pass.
    static let byHand = Duration.seconds(300)

    /// - Throws: `TocsinError` naming the process that is at work, when it still is after `patience`.
    static func take(_ configuration: TocsinConfiguration, patience: Duration) async throws -> LakeLock {
        let end = ContinuousClock.now + patience
        while true {
            do {
                return try LakeLock(folder: configuration.lakeStatePath + "/etl.lock")
            } catch {
                guard error.isRetriable, ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
