internal import Logging
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
internal import TocsinSpool

/// The objects of a replay: names, store and an engine with the detectors that are asked. Nobody is told of anything.
struct ReplayPipeline: Sendable {
    let configuration: TocsinConfiguration
    let clock: any WallClock = SystemClock()
    let table: SeriesTable
    let store: any Store
    let engine: Engine
    /// What the engine was built with.
    let settings: EngineSettings
    private let durability: EngineDurability?

    /// Opens the store and builds the engine; nothing runs yet.
    /// - Parameters:
    ///   - usesSavedModels: false lets every forest learn from this input alone, so that a replay repeats itself.
    ///   - observer: shown every outcome after it is durable.
    /// - Throws: `TocsinError` when the data folder, the database or a model cannot be used.
    init(
        configuration: TocsinConfiguration, options: ReplayOptions, usesSavedModels: Bool, usesSpool: Bool,
        logger: Logger, observer: @escaping @Sendable (BatchOutcome) -> Void
    ) async throws {
        self.configuration = configuration
        let given = try ReplayModels.load(options.models)
        try DataFolder.create(at: configuration.data.directory)
        table = SeriesTable(maxSeries: configuration.engine.maxSeries)
        store = try StoreAccess(configuration).writing(table: table)
        let relay = ConditionRelay()
        durability =
            try usesSpool ? Durability.open(configuration, table: table, logger: logger, relay: relay) : nil
        // A model of fire or of sequences is trained by a person: a replay asks it too.
        var saved = await SavedModels.load(from: store, logger: logger)
        if !usesSavedModels { saved.forests = [:] }
        saved.take(given)
        var settings = try EngineSettings(configuration, isLive: false)
        settings.fire.model = saved.fire
        settings.sequences.models = saved.sequences
        options.detector.apply(to: &settings)
        self.settings = settings
        engine = Engine(
            settings: settings, table: table, store: store, clock: clock, durability: durability,
            forests: saved.forests, observer: observer,
            onConditionChange: { condition in
                switch condition {
                case .stalled(let reason), .spooling(let reason):
                    logger.error("nothing can be stored; it waits", metadata: ["reason": "\(reason)"])
                case .running, .draining: break
                }
            },
            onNote: { logger.log(level: $0.isProblem ? .error : .notice, "\($0.text)") },
            generation: UInt64(bitPattern: clock.now().nanoseconds))
        relay.connect(to: engine)
    }

    /// Closes what was opened; to be called when the engine has ended.
    func close() async throws {
        await durability?.spool.close()
        try await store.close()
    }
}
