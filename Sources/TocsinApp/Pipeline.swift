public import Logging
public import TocsinAlerts
public import TocsinConfiguration
public import TocsinCore
internal import TocsinDetect
public import TocsinEngine
internal import TocsinKafka
internal import TocsinSpool

/// The objects that every way of running shares: names, store, engine, alerts.
public struct Pipeline: Sendable {
    public let configuration: TocsinConfiguration
    public let clock: any WallClock
    public let logger: Logger
    public let table: SeriesTable
    public let store: any Store
    public let engine: Engine
    public let dispatcher: AlertDispatcher
    let durability: EngineDurability?
    let facts: SensorFacts
    /// Results for Kafka; nil = none are sent.
    let output: KafkaOutput?

    /// Opens the store, loads the saved forests and builds the engine around them; nothing runs yet.
    /// - Parameters:
    ///   - isLive: true goes by the wall clock as well; false is replay.
    ///   - tellsAlerts: replay of old recordings should not wake anybody.
    ///   - usesSpool: whether input is made durable in the spool, and the state in checkpoints.
    ///   - sendsResults: whether results go to Kafka, where the configuration asks for it; nil = as `isLive`: a replay's
    ///   are for the screen.
    ///   - observer: shown every outcome after it is durable.
    /// - Throws: `TocsinError` when the data folder or the database cannot be used.
    public init(
        configuration: TocsinConfiguration, isLive: Bool, tellsAlerts: Bool, usesSpool: Bool,
        clock: any WallClock, logger: Logger, sendsResults: Bool? = nil,
        observer: (@Sendable (BatchOutcome) -> Void)? = nil
    ) async throws {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        try DataFolder.create(at: configuration.data.directory)
        table = SeriesTable(maxSeries: configuration.engine.maxSeries)
        store = try StoreAccess(configuration).writing(table: table)
        let channels = AlertChannels(configuration: configuration, clock: clock, logger: logger)
        let relay = ConditionRelay()
        durability =
            try usesSpool
            ? Durability.open(configuration, table: table, logger: logger, relay: relay) : nil
        let outbox: any AlertOutbox =
            tellsAlerts
            ? try durability.map { try OutboxFile(path: configuration.toldPath, spool: $0.spool.id) } ?? MemoryOutbox()
            : MemoryOutbox()
        let facts = SensorFacts(table: table)
        self.facts = facts
        let link = configuration.alerts.link.map { DashboardLink($0) }
        dispatcher = AlertDispatcher(
            channels: tellsAlerts ? try channels.make() : [], routing: channels.routing,
            escalations: tellsAlerts ? channels.escalations : [], outbox: outbox,
            context: AlertContext(
                zone: { facts.zone($0) }, details: { facts.details($0) }, link: { link?.text(to: $0) }),
            clock: clock,
            logger: logger)
        let output =
            sendsResults ?? isLive
            ? try KafkaOutput.open(configuration, table: table, clock: clock, logger: logger) : nil
        self.output = output
        let saved = await SavedModels.load(from: store, logger: logger)
        var settings = try EngineSettings(configuration, isLive: isLive)
        settings.fire.model = saved.fire
        settings.sequences.models = saved.sequences
        settings.validation.excerpt = { [decoders = DecoderFactory(configuration: configuration), table] in
            decoders.excerpts($0, $1, $2, table: table)
        }
        engine = Engine(
            settings: settings, table: table, store: store, clock: clock, durability: durability,
            forests: saved.forests,
            listeners: [dispatcher], observer: observer,
            outlet: output.map { $0.outlet(isLive: isLive) },
            onConditionChange: { condition in
                switch condition {
                case .stalled(let reason):
                    logger.error(
                        "nothing can be made durable; input waits, nothing is lost", metadata: ["reason": "\(reason)"])
                case .spooling(let reason):
                    logger.error(
                        "the store takes nothing; input goes on into the spool", metadata: ["reason": "\(reason)"])
                case .running, .draining: logger.notice("the store takes work again")
                }
            },
            onNote: { note in
                logger.log(level: note.isProblem ? .error : .notice, "\(note.text)")
            }, liveHistory: configuration.server.live.history,
            generation: UInt64(bitPattern: clock.now().nanoseconds))
        relay.connect(to: engine)
        facts.connect(to: engine)
    }

    /// Closes what was opened; to be called when the engine has ended.
    public func close() async throws {
        await output?.close()
        await durability?.spool.close()
        try await store.close()
    }
}
