public import Logging
public import TocsinConfiguration
public import TocsinConnectors
public import TocsinCore
internal import TocsinDetect
public import TocsinEngine
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

    /// Opens the store, loads the saved forests and builds the engine around them; nothing runs yet.
    /// - Parameters:
    ///   - isLive: true goes by the wall clock as well; false is replay.
    ///   - tellsAlerts: replay of old recordings should not wake anybody.
    ///   - usesSavedModels: false lets every forest learn from this input alone, so that a replay repeats itself.
    ///   - usesSpool: whether input is made durable in the spool, and the state in checkpoints.
    ///   - observer: shown every outcome after it is durable.
    /// - Throws: `TocsinError` when the data folder or the database cannot be used.
    public init(
        configuration: TocsinConfiguration, isLive: Bool, tellsAlerts: Bool, usesSavedModels: Bool = true,
        usesSpool: Bool,
        clock: any WallClock,
        logger: Logger, observer: (@Sendable (BatchOutcome) -> Void)? = nil
    ) async throws {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        try DataFolder.create(at: configuration.data.directory)
        table = SeriesTable(maxSeries: configuration.engine.maxSeries)
        store = try StoreAccess(configuration).writing(table: table)
        let channels = tellsAlerts ? AlertChannels.make(configuration, clock: clock) : []
        let relay = ConditionRelay()
        durability =
            try usesSpool
            ? Durability.open(configuration, table: table, logger: logger, relay: relay) : nil
        let journal = try durability.map { try AlertFile(path: configuration.toldPath, spool: $0.spool.id) }
        dispatcher = AlertDispatcher(
            channels: channels, clock: clock, logger: logger, journal: journal)
        // A model of fire or of sequences is trained by a person: a replay asks it too.
        let saved = await SavedModels.load(from: store, logger: logger)
        var settings = try EngineSettings(configuration, isLive: isLive)
        settings.fire.model = saved.fire
        settings.sequences.models = saved.sequences
        engine = Engine(
            settings: settings, table: table, store: store, clock: clock, durability: durability,
            forests: usesSavedModels ? saved.forests : [:],
            listeners: [dispatcher], observer: observer,
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
    }

    /// Closes what was opened; to be called when the engine has ended.
    public func close() async throws {
        await durability?.spool.close()
        try await store.close()
    }
}

/// Builds the alert channels that the configuration names.
enum AlertChannels {
    static func make(
        _ configuration: TocsinConfiguration, clock: any WallClock
    ) -> [(channel: any AlertChannel, policy: AlertDispatcher.Policy)] {
        var channels: [(channel: any AlertChannel, policy: AlertDispatcher.Policy)] = []
        let alerts = configuration.alerts
        if alerts.consoleEnabled { channels.append((ConsoleChannel(), AlertDispatcher.Policy(retries: 0))) }
        if alerts.file.enabled {
            let channel = FileChannel(path: configuration.alertsFilePath, clock: clock)
            channels.append((channel, AlertDispatcher.Policy()))
        }
        for (number, webhook) in alerts.webhooks.enumerated() {
            let channel = WebhookChannel(
                name: "webhook-\(number + 1)", url: webhook.url.value,
                headers: webhook.headers.map { ($0.key, $0.value.value) }.sorted { $0.0 < $1.0 },
                secret: webhook.secret?.value, timeout: .nanoseconds(webhook.timeout.nanoseconds),
                client: OutgoingHTTP.client)
            let policy = AlertDispatcher.Policy(retries: webhook.retries, cooldown: webhook.cooldown)
            channels.append((channel, policy))
        }
        return channels
    }
}
