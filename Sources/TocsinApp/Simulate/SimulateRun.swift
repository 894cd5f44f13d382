internal import TocsinConnectors
internal import TocsinCore
public import TocsinSimulator

/// `tocsin simulate`: simulated readings into a file, a server or a broker.
public struct SimulateRun: Sendable {
    public struct Pacing: Sendable {
        /// Times real time; 0 = as fast as possible.
        public var speed: Double
        /// Events per second of real time; 0 = as `speed` says. Wins over `speed`.
        public var rate: Double
        /// 0 = without end.
        public var maxEvents: Int

        public init(speed: Double, rate: Double, maxEvents: Int) {
            self.speed = speed
            self.rate = rate
            self.maxEvents = maxEvents
        }
    }

    private let settings: SimulatorSettings
    private let pacing: Pacing
    private let sink: any ReadingSink
    private let episodesPath: String?
    private let obeysSignals: Bool
    private static let step = Duration.milliseconds(20)

    /// - Throws: `TocsinError` for a sink that cannot be opened.
    public init(
        settings: SimulatorSettings, pacing: Pacing, to sink: SinkSettings, episodesPath: String?,
        obeysSignals: Bool = true
    ) throws {
        self.sink = try sink.makeSink()
        self.settings = settings
        self.pacing = pacing
        self.episodesPath = episodesPath
        self.obeysSignals = obeysSignals
    }

    /// - Throws: `SendFailure` when the receiver refuses.
    public func run(progress: (@Sendable (SendProgress) -> Void)? = nil) async throws -> SendSummary {
        var settings = settings
        // A row says nothing without its header, so brokers get objects.
        if sink.wants.messages, settings.format == .csv { settings.format = .wide }
        let simulator = try Simulator(settings)
        let episodes = try episodesPath.map { try FileWriter(path: $0) }
        let flow = SendFlow(sink: sink, obeysSignals: obeysSignals, progress: progress)
        return try await flow.run { outlet in try await produce(simulator, episodes, outlet) }
    }

    private func produce(_ start: Simulator, _ episodes: FileWriter?, _ outlet: SendOutlet) async throws {
        var simulator = start
        var splitter = MessageSplitter()
        let clock = ContinuousClock()
        let begun = clock.now
        let first = simulator.nextTime
        var events = 0
        var size = 0
        while pacing.maxEvents == 0 || events < pacing.maxEvents {
            try Task.checkCancellation()
            var wanted = sink.wants.chunkMessages
            if pacing.maxEvents > 0 { wanted = min(wanted, pacing.maxEvents - events) }
            var limit = Simulator.latestTime
            let elapsed = (clock.now - begun).inSeconds
            if pacing.rate > 0 {
                wanted = min(wanted, max(0, Int(min(elapsed * pacing.rate, 1e15)) - events))
            } else if pacing.speed > 0 {
                limit = first.advanced(by: Span64(nanoseconds: Int64(min(elapsed * pacing.speed * 1e9, 9e18))))
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            let chunk = simulator.next(into: &bytes, maxEvents: wanted, until: limit)
            guard chunk.events > 0 else {
                if simulator.nextTime >= Simulator.latestTime { break }
                try await clock.sleep(for: Self.step)
                continue
            }
            size = max(size, bytes.count + 1024)
            try await outlet.send(message(bytes, chunk.events, isFirst: events == 0, simulator.header, &splitter))
            events += chunk.events
            try episodes?.write(Self.lines(chunk.episodes))
        }
    }

    private func message(
        _ bytes: consuming [UInt8], _ events: Int, isFirst: Bool, _ header: [UInt8], _ splitter: inout MessageSplitter
    ) -> ReadingChunk {
        if sink.wants.messages { return splitter.chunk(bytes) }
        // The simulator itself has put the header before its first rows.
        return ReadingChunk(text: bytes, count: events, header: isFirst ? [] : header, isCSV: !header.isEmpty)
    }

    private static func lines(_ episodes: [InjectedEpisode]) -> [UInt8] {
        var json = JSONWriter()
        for episode in episodes {
            json.object {
                $0.field("sensor_id", episode.sensor)
                $0.field("metric", episode.metric)
                $0.field("kind", episode.kind.name)
                $0.field("start", episode.start)
                $0.field("end", episode.end)
                $0.field("amplitude", episode.amplitude ?? .nan)
            }
            json.newline()
        }
        return json.bytes
    }
}
