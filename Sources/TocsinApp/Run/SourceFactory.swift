internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinServer
internal import TocsinSimulator

/// Builds the sources that the configuration names.
struct SourceFactory: Sendable {
    let pipeline: Pipeline
    /// What simulators deliver at once at their start.
    let history: Span64
    /// The demo: events of now, several a second, so that something happens at once.
    let isDemo: Bool
    /// How far an earlier process has read files and partitions.
    let positions: [String: ReadPosition]
    /// Where brokers say how they are.
    let board: ConnectorBoard

    /// The id of a configured source; 0 is HTTP.
    static func identity(_ number: Int) -> SourceID { SourceID(UInt16(clamping: number + 1)) }

    func sources() throws -> [any Source] {
        let decoders = DecoderFactory(configuration: pipeline.configuration)
        let brokers = BrokerSources(
            pipeline: pipeline, board: board, positions: positions,
            numbers: try SourceNumbers(path: pipeline.configuration.sourceNumbersPath))
        return try pipeline.configuration.sources.enumerated().map { number, source in
            let identity = Self.identity(number)
            switch source.kind {
            case .file, .folder, .stdin:
                return try FileSource(
                    name: source.name, paths: [source.kind == .stdin ? "-" : source.path ?? "-"],
                    follows: source.follow, decoding: decoders.settings(for: source), table: pipeline.table,
                    identity: identity, clock: pipeline.clock, positions: positions)
            case .kafka: return try brokers.kafka(source)
            case .mqtt: return try brokers.mqtt(source, identity: identity)
            case .simulator:
                let settings = try simulatorSettings(source)
                return SimulatorSource(
                    name: source.name, settings: settings, decoding: decoders.settings(for: source),
                    table: pipeline.table, identity: identity, clock: pipeline.clock,
                    speed: source.rate > 0
                        ? source.rate * settings.interval.seconds / Double(settings.sensors) : source.speed,
                    history: history, maxEvents: source.maxEvents)
            }
        }
    }

    private func simulatorSettings(_ source: TocsinConfiguration.Source) throws -> SimulatorSettings {
        guard let profile = SimulatorProfile(rawValue: source.profile.rawValue) else {
            preconditionFailure("the configuration and the simulator know the same profiles")
        }
        var settings = SimulatorSettings(profile: profile, seed: source.seed)
        if source.sensors > 0 { settings.sensors = source.sensors }
        if let rate = source.anomalyRate { settings.anomalyRate = rate }
        if isDemo, profile == .plant { settings.interval = .milliseconds(500) }
        settings.start = pipeline.clock.now().advanced(by: Span64(nanoseconds: -history.nanoseconds))
        try settings.validate()
        return settings
    }
}
