#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
public import Logging
internal import NIOCore
public import ServiceLifecycle
public import TocsinCore
public import TocsinEngine

/// The one port: API, live stream, metrics, ingest and dashboard.
public struct APIServer: Service, CustomStringConvertible {
    public var description: String { "server" }

    public struct Settings: Sendable {
        /// Bind address; 127.0.0.1 keeps it on this machine.
        public var host: String
        /// 0 = any free port; the real one is told to `onReady`.
        public var port: Int
        public var maxBodyBytes: Int
        /// Who may send readings; none = everybody.
        public var ingestKeys: [IngestKey]
        /// Where `Idempotency-Key`s are kept over a restart; nil = nowhere.
        public var idempotencyFile: String?
        /// For how long an alarm can be shelved at most.
        public var shelveLimit: Span64

        public init(
            host: String = "127.0.0.1", port: Int = 8080, maxBodyBytes: Int = 16 << 20, ingestKeys: [IngestKey] = [],
            idempotencyFile: String? = nil, shelveLimit: Span64 = .hours(24)
        ) {
            self.host = host
            self.port = port
            self.maxBodyBytes = maxBodyBytes
            self.ingestKeys = ingestKeys
            self.idempotencyFile = idempotencyFile
            self.shelveLimit = shelveLimit
        }
    }

    private let application: Application<RouterResponder<BasicRequestContext>>
    private let hub: LiveHub
    private let settings: Settings

    private static let shutdownPatience = Duration.seconds(5)
    /// Connections at a time; further ones wait in the system's queue.
    private static let maximumConnections = 2000
    /// A connection without a request, or with one that does not go on coming, is closed after this time: those that say
    /// nothing must not keep others out. Longer than a body may take, so that one that does not come is answered.
    private static let idleTimeout = TimeAmount.seconds(75)

    /// - Parameters:
    ///   - alerts: what becomes of the alerts, and of the program's own alarms.
    ///   - answer: answers questions over the lake with one JSON array; nil = there is none.
    ///   - decode: how a posted body becomes a batch; nil switches `POST /ingest` off.
    ///   - onReady: called with the real port once the server listens.
    public init(
        settings: Settings, engine: Engine, store: any Store, table: SeriesTable, overview: OverviewMonitor,
        clock: any WallClock, logger: Logger, alerts: any AlertDesk,
        decode: IngestDecoder?,
        answer: (@Sendable (LakeQuestion) async throws -> [UInt8])? = nil,
        onReady: @escaping @Sendable (Int) async -> Void
    ) {
        let router = Router(context: BasicRequestContext.self)
        router.middlewares.add(ProblemMiddleware())
        RecordRoutes(store: store).add(to: router)
        FeedbackRoutes(engine: engine, store: store).add(to: router)
        AlarmRoutes(engine: engine, store: store, clock: clock, shelveLimit: settings.shelveLimit, desk: alerts)
            .add(to: router)
        AlertRoutes(desk: alerts).add(to: router)
        StatusRoutes(engine: engine, overview: overview, desk: alerts).add(to: router)
        LiveRoutes(hub: engine.hub, table: table).add(to: router)
        DashboardRoutes().add(to: router)
        if let answer { LakeRoutes(answer: answer).add(to: router) }
        if let decode {
            let intake = IngestIntake(
                engine: engine, maxBodyBytes: settings.maxBodyBytes, keys: settings.ingestKeys,
                idempotencyFile: settings.idempotencyFile, clock: clock, logger: logger, decode: decode)
            IngestRoute(intake: intake).add(to: router)
            InfluxRoute(intake: intake).add(to: router)
            OpenTelemetryRoute(intake: intake).add(to: router)
        }
        self.settings = settings
        hub = engine.hub
        application = Application(
            responder: router.buildResponder(),
            server: .continuing(idleTimeout: Self.idleTimeout, maxBodyBytes: settings.maxBodyBytes),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: "tocsin",
                availableConnectionsDelegate: MaximumAvailableConnections(Self.maximumConnections)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? settings.port) },
            logger: logger)
    }

    /// Serves until graceful shutdown; live connections are ended first, so that it does not wait for them.
    /// - Throws: `TocsinError(.network)` when the port is in use or may not be bound.
    public func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask {
                    try await gracefulShutdown()
                    hub.finish()
                    // Answers on their way may be finished; a client that does not take its own is not waited for.
                    try await Task.sleep(for: Self.shutdownPatience)
                }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            return
        } catch let error as IOError {
            let remedy =
                switch error.errnoCode {
                case EADDRINUSE:
                    "another program listens there, perhaps another tocsin; stop it, or choose another port (server.port, --port; 0 = any free one)"
                case EACCES: "ports below 1024 need extra rights; choose a higher one (server.port, --port)"
                default: "check server.host and server.port"
                }
            throw TocsinError(
                .network, "cannot listen on this address", place: "\(settings.host):\(settings.port)",
                remedy: remedy, cause: error)
        } catch let error as SocketAddressError {
            throw TocsinError(
                .network, "this is no address of this machine", place: "\(settings.host):\(settings.port)",
                remedy: "check server.host (--host): 127.0.0.1 for this machine only, 0.0.0.0 for all", cause: error)
        }
    }
}
