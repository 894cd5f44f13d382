internal import Logging
internal import TocsinAlerts
public import TocsinConfiguration
internal import TocsinCore

/// `tocsin alert flush`: sends what waits in the data folder of a program that has ended, and does nothing else.
public struct AlertFlushRun: Sendable {
    /// How one channel, or one escalation through it, ended.
    public struct Lane: Sendable {
        public var name: String
        public var delivered: Int
        /// Refused for good: dead letters.
        public var failed: Int
        public var waiting: Int
        public var lastError: String?
    }

    private let configuration: TocsinConfiguration

    public init(configuration: TocsinConfiguration) { self.configuration = configuration }

    /// Tries everything once, past quiet hours and cooldown; whatever it is, it is not too old to be told. What people are
    /// told comes as a list where it is much. What is not taken waits on.
    /// - Returns: the lanes for which something waited.
    /// - Throws: `TocsinError` when a program runs on the folder, or something waits for a channel that is not configured.
    public func run() async throws -> [Lane] {
        let path = configuration.toldPath
        let lock = try DataFolderLock(configuration.data.directory)
        defer { withExtendedLifetime(lock) {} }
        let waiting = OutboxFile.look(at: path).waiting.filter { $0.value > 0 }
        guard !waiting.isEmpty else { return [] }
        let logger = Logger(label: "tocsin") { _ in SwiftLogNoOpLogHandler() }
        let clock = SystemClock()
        let plan = AlertChannels(configuration: configuration, clock: clock, logger: logger)
        let channels = try plan.make().map { ($0.channel, Self.eager($0.policy)) }
        // Zones are not known here, and what waits has been routed already.
        let escalations = plan.escalations.map { AlertEscalation(after: $0.delay, channels: $0.channels) }
        let known = Set(
            channels.map(\.0.name)
                + escalations.enumerated().flatMap { number, escalation in
                    escalation.channels.map { AlertDispatcher.escalationName(number, channel: $0) }
                })
        let unknown = waiting.keys.filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else {
            throw TocsinError(
                .configuration,
                "messages wait for channels that are not configured: \(unknown.joined(separator: ", "))",
                place: path, remedy: "give the configuration of the tocsin that ran there with --config")
        }
        let dispatcher = AlertDispatcher(
            channels: channels, escalations: escalations, outbox: try OutboxFile(existing: path),
            context: AlertContext(link: { [link = configuration.alerts.link.map { DashboardLink($0) }] in
                link?.text(to: $0)
            }), clock: clock, logger: logger)
        dispatcher.finish()
        await dispatcher.run()
        _ = await dispatcher.keep()
        return zip(dispatcher.status, dispatcher.counts).filter { waiting[$0.0.lane] != nil }.map { status, counts in
            Lane(
                name: status.lane, delivered: counts.delivered, failed: counts.failed, waiting: status.waiting,
                lastError: status.lastError)
        }
    }

    private static func eager(_ policy: LanePolicy) -> LanePolicy {
        var policy = policy
        policy.quiet = nil
        policy.cooldown = .seconds(0)
        policy.giveUpAfter = .days(36_500)
        policy.rate?.gathering = .seconds(0)
        return policy
    }
}
