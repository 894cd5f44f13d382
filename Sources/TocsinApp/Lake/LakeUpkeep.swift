#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinLake

/// Compaction and retention of the lake, by one process at a time.
struct LakeUpkeep: Sendable {
    private let configuration: TocsinConfiguration
    private let place: LakePlace
    private let clock: any WallClock

    init(_ configuration: TocsinConfiguration, place: LakePlace, clock: any WallClock) {
        self.configuration = configuration
        self.place = place
        self.clock = clock
    }

    /// - Throws: `TocsinError` when another process works on this lake, or its place is away.
    func run(
        patience: Duration = .zero, onProgress: @escaping @Sendable (ETLProgress) -> Void = { _ in }
    ) async throws -> CompactionResult {
        let lock = try await ETLLock.take(configuration, patience: patience)
        defer { lock.release() }
        // First: what cannot be compacted, for want of memory for one, must not keep old days for ever.
        var ages: [LakeLayer: Span64] = [:]
        ages[.bronze] = configuration.lake.bronzeAge
        ages[.silver] = configuration.lake.silverAge
        ages[.gold] = configuration.lake.goldAge
        _ = try await LakeRetention(ages: ages).apply(to: place.storage, now: clock.now())
        var settings = CompactionSettings(workFolder: configuration.lakeStatePath + "/compaction")
        settings.files = configuration.lake.compactAbove
        settings.memoryBytes = Int64(configuration.lake.memory)
        settings.duckdb = place.duckdb
        // One that was sent before a kill is sent again: merged with others meanwhile, its rows would be there twice.
        settings.leftAlone = try UploadQueue.names(in: configuration.lakeStatePath + "/outgoing")
        // What a killed process has half written is written again before it may be put together.
        let isWhole = access(configuration.lakeStatePath + "/bronze/intent", F_OK) != 0
        return
            isWhole
            ? try await Compaction(settings, storage: place.storage, clock: clock).run(onProgress: onProgress)
            : CompactionResult()
    }
}
