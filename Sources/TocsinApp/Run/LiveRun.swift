public import Logging
internal import ServiceLifecycle
internal import Synchronization
public import TocsinConfiguration
internal import TocsinAlerts
internal import TocsinConnectors
public import TocsinCore
internal import TocsinDecode
internal import TocsinEngine
internal import TocsinKafka
internal import TocsinServer

/// `tocsin run` and `tocsin demo`: sources, engine, server and alerts until SIGTERM or SIGINT.
public struct LiveRun: Sendable {
    /// Released with the process. The spool and SQLite have locks of their own; a run on PostgreSQL without a spool has none.
    private let lock: DataFolderLock
    private let pipeline: Pipeline
    private let lake: Lake?
    private let history: Span64
    private let isDemo: Bool
    private let announce: @Sendable (String) -> Void

    /// - Parameters:
    ///   - history: what simulator sources deliver at once, so that charts are not empty.
    ///   - isDemo: simulated plants send several times a second, so that something happens at once.
    ///   - announce: told the dashboard's address once it can be opened.
    public init(
        configuration: TocsinConfiguration, history: Span64 = .seconds(0), isDemo: Bool = false, logger: Logger,
        announce: @escaping @Sendable (String) -> Void
    ) async throws {
        let clock = SteadyClock(onStep: { seconds in
            logger.warning(
                "the machine's clock was set; arrivals are dated by its new time from now on",
                metadata: ["seconds": "\(seconds.rounded())"])
        })
        try DataFolder.create(at: configuration.data.directory)
        lock = try DataFolderLock(configuration.data.directory)
        pipeline = try await Pipeline(
            configuration: configuration, isLive: true, tellsAlerts: true, usesSpool: configuration.spool.enabled,
            clock: clock, logger: logger)
        // Before the engine runs: the spool keeps what bronze has not got.
        lake = try await Lake(pipeline)
        self.history = history
        self.isDemo = isDemo
        self.announce = announce
    }

    /// Runs until the first signal, then drains: server and sources stop, the engine writes what is inside, alerts are
    /// delivered. A second signal ends the process at once with status 130.
    public func run() async throws {
        let engine = pipeline.engine
        let board = ConnectorBoard()
        let overview = OverviewMonitor(
            engine: engine, store: pipeline.store, clock: pipeline.clock, connectors: board)
        board.add { [dispatcher = pipeline.dispatcher] in dispatcher.connectors }
        // Before any source decodes: names get the ids they had.
        let positions = try await engine.prepare()
        let sources = try SourceFactory(
            pipeline: pipeline, history: history, isDemo: isDemo, positions: positions, board: board
        ).sources()
        let system = SystemWatch(pipeline: pipeline, board: board)
        let server = server(overview, system.desk)
        // Shut down from the last to the first: server, sources, then the engine drains, then the alerts.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: DispatcherService(dispatcher: pipeline.dispatcher)),
            .init(service: EngineService(engine: engine)),
            .init(service: RetentionService(pipeline: pipeline)),
            .init(service: MemoryService()),
            .init(
                service: LiveTicker(
                    engine: engine, overview: overview, table: pipeline.table,
                    interval: pipeline.configuration.server.live.interval,
                    heartbeat: pipeline.configuration.server.live.heartbeat)),
        ]
        if let output = pipeline.output {
            // Before the engine: it ends after it, and sends what its drain brings forth.
            services.insert(.init(service: KafkaOutputService(output: output)), at: 1)
            board.add { [output.connector] }
        }
        services.append(.init(service: system))
        if let lake {
            services += [
                .init(service: LakeWriterService(lake: lake, table: pipeline.table)),
                .init(service: LakeUploadService(lake: lake)),
                .init(service: LakeRefreshService(lake: lake, interval: pipeline.configuration.lake.etlInterval)),
                .init(service: LakeStatusService(lake: lake, overview: overview)),
            ]
        }
        for (number, source) in sources.enumerated() {
            let service = SourceService(
                source: source, identity: SourceFactory.identity(number), engine: engine, overview: overview,
                logger: pipeline.logger)
            services.append(.init(service: service))
        }
        services.append(.init(service: server))
        let group = ServiceGroup(configuration: .init(services: services, logger: pipeline.logger))
        // Ended below; awaits signals as long as the group runs.
        let signals = Task { await Signals.obey(group, first: { engine.prepareToFinish() }) }
        defer { signals.cancel() }
        do {
            try await group.run()
        } catch {
            try? await pipeline.close()
            throw error
        }
        try await pipeline.close()
        let metrics = engine.metrics.snapshot
        if metrics.spooled > 0 {
            pipeline.logger.notice(
                "readings wait in the spool for the next start", metadata: ["readings": "\(metrics.spooled)"])
        }
        pipeline.logger.notice(
            "stopped", metadata: ["stored": "\(metrics.stored)", "dead_lettered": "\(metrics.deadLettered)"])
    }

    private func server(_ overview: OverviewMonitor, _ system: SystemDesk) -> APIServer {
        let settings = pipeline.configuration.server
        let decoders = DecoderFactory(configuration: pipeline.configuration)
        let table = pipeline.table
        let clock = pipeline.clock
        let skipped = SkippedValues()
        overview.connectors.count(skippedOf: "http") { skipped.count }
        let decode: IngestDecoder = { body, format, sequence, received in
            let origin = TocsinCore.Origin(
                source: SourceID(0), sourceName: "http", position: sequence, received: received)
            return decoders.decodeWhole(body, format: format, origin: origin, table: table, skipped: skipped)
        }
        let store: any Store =
            lake.map { lake in
                TieredStore(
                    recent: pipeline.store, lake: LakeHistory(lake.place),
                    policy: pipeline.configuration.store.retention, clock: clock, logger: pipeline.logger)
            } ?? pipeline.store
        let answer = lake.map { lake in
            let answers = LakeAnswers(lake.place)
            return { @Sendable (question: LakeQuestion) in try await answers.answer(question) }
        }
        let announce = announce
        let host = settings.host
        return APIServer(
            settings: .init(
                host: host, port: settings.port, maxBodyBytes: settings.maxBodyBytes,
                ingestKeys: settings.ingestKeys.map { key in
                    IngestKey(
                        name: key.name, secret: key.key.value,
                        readingsPerSecond: key.readingsPerSecond > 0 ? key.readingsPerSecond : nil)
                }, idempotencyFile: pipeline.configuration.data.directory + "/idempotency.log",
                shelveLimit: pipeline.configuration.alarms.shelveLimit),
            engine: pipeline.engine, store: store, table: table, overview: overview,
            clock: clock, logger: pipeline.logger,
            alerts: LiveAlertDesk(dispatcher: pipeline.dispatcher, facts: pipeline.facts, system: system),
            decode: settings.ingestEnabled ? decode : nil, answer: answer,
            onReady: { port in
                let shown = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host
                announce("http://\(shown.contains(":") ? "[\(shown)]" : shown):\(port)/")
            })
    }
}

/// The engine under the life cycle of the process.
struct EngineService: Service, CustomStringConvertible {
    var description: String { "engine" }
    let engine: Engine

    func run() async throws {
        // A task of its own, awaited right below: when another service fails this one is cancelled, and what is inside
        // the engine must still be written.
        let work = Task { try await engine.run() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await work.value
        } onCancelOrGracefulShutdown: {
            engine.finish()
        }
    }
}

/// Alerts: the last to stop, so that what the engine's drain raises is still told.
struct DispatcherService: Service, CustomStringConvertible {
    var description: String { "alerts" }
    /// A slow receiver with much to hear must not keep the process: supervisors kill after a while.
    private static let patience = Span64.seconds(5)
    let dispatcher: AlertDispatcher

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await dispatcher.run()
        } onCancelOrGracefulShutdown: {
            dispatcher.finish(within: Self.patience)
        }
    }
}

/// One source: after its end its sensors are not expected to go on; its failure is logged and ends the process, because a plant whose data has
/// stopped must not look healthy.
struct SourceService: Service, CustomStringConvertible {
    var description: String { "source \(source.name)" }
    let source: any Source
    let identity: SourceID
    let engine: Engine
    let overview: OverviewMonitor
    let logger: Logger

    func run() async throws {
        logger.info("source started", metadata: ["source": "\(source.name)"])
        do {
            let isFinished = try await cancelWhenGracefulShutdown {
                do {
                    try await source.run(delivery: engine)
                    return true
                } catch is CancellationError {
                    return false
                }
            }
            guard isFinished else { return }
            logger.notice("source ended", metadata: ["source": "\(source.name)"])
            overview.note(source: source.name, isRunning: false)
            _ = try await engine.endOfInput(of: identity).wait()
            // The group takes a service that ends by itself while another is shut down for one that has failed.
            try? await gracefulShutdown()
        } catch {
            logger.error("source failed", metadata: ["source": "\(source.name)", "error": "\(error)"])
            throw error
        }
    }
}

/// Applies the retention policy at start and every ten minutes.
struct RetentionService: Service, CustomStringConvertible {
    var description: String { "retention" }
    let pipeline: Pipeline
    private static let interval = Duration.seconds(600)
    private static let retryInterval = Duration.seconds(5)

    func run() async throws {
        let policy = pipeline.configuration.store.retention
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let deleted = try await pipeline.store.applyRetention(policy, now: pipeline.clock.now())
                    let total = deleted.values.reduce(0, +)
                    if total > 0 {
                        pipeline.logger.info(
                            "retention deleted rows",
                            metadata: .init(uniqueKeysWithValues: deleted.map { ($0.key, "\($0.value)") }))
                    }
                } catch let error as TocsinError where error.isRetriable {
                    pipeline.logger.warning("retention is tried again soon", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: Self.retryInterval)
                    continue
                } catch {
                    if Task.isCancelled { return }
                    pipeline.logger.error("retention failed", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
