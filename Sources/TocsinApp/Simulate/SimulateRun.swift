internal import TocsinConnectors
internal import TocsinCore
public import TocsinSimulator

/// `tocsin simulate`: writes simulated readings to standard output, a file, or an HTTP address.
public struct SimulateRun: Sendable {
    public enum Destination: Sendable {
        case standardOutput
        case file(String)
        case http(String)
    }

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
    private let destination: Destination
    private let episodesPath: String?
    /// Events a chunk: the unit of writing, and of a POST.
    private static let chunkEvents = 4096
    private static let postEvents = 500
    private static let step = Duration.milliseconds(20)

    public init(settings: SimulatorSettings, pacing: Pacing, destination: Destination, episodesPath: String?) {
        self.settings = settings
        self.pacing = pacing
        self.destination = destination
        self.episodesPath = episodesPath
    }

    /// - Returns: events and readings written.
    public func run() async throws -> (events: Int, readings: Int) {
        var simulator = try Simulator(settings)
        let output = try SimulatorOutput(destination, format: settings.format)
        let episodes = try episodesPath.map { try FileWriter(path: $0) }
        let clock = ContinuousClock()
        let begun = clock.now
        let first = simulator.nextTime
        var events = 0
        var readings = 0
        var bytes: [UInt8] = []
        while pacing.maxEvents == 0 || events < pacing.maxEvents {
            try Task.checkCancellation()
            var wanted = output.isHTTP ? Self.postEvents : Self.chunkEvents
            if pacing.maxEvents > 0 { wanted = min(wanted, pacing.maxEvents - events) }
            var limit = Simulator.latestTime
            let elapsed = (clock.now - begun).inSeconds
            if pacing.rate > 0 {
                wanted = min(wanted, max(0, Int(min(elapsed * pacing.rate, 1e15)) - events))
            } else if pacing.speed > 0 {
                limit = first.advanced(by: Span64(nanoseconds: Int64(min(elapsed * pacing.speed * 1e9, 9e18))))
            }
            bytes.removeAll(keepingCapacity: true)
            let chunk = simulator.next(into: &bytes, maxEvents: wanted, until: limit)
            guard chunk.events > 0 else {
                if simulator.nextTime >= Simulator.latestTime { break }
                try await clock.sleep(for: Self.step)
                continue
            }
            events += chunk.events
            readings += chunk.readings
            guard try await output.write(bytes) else { break }
            try episodes?.write(Self.lines(chunk.episodes))
        }
        return (events, readings)
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

/// Where simulated bytes go.
struct SimulatorOutput: Sendable {
    private let file: FileWriter?
    private let sink: HTTPReadingSink?

    init(_ destination: SimulateRun.Destination, format: SimulatorFormat) throws {
        switch destination {
        case .standardOutput: (file, sink) = (FileWriter.standardOutput, nil)
        case .file(let path): (file, sink) = (try FileWriter(path: path), nil)
        case .http(let url):
            let type = format == .csv ? "text/csv" : "application/x-ndjson"
            (file, sink) = (nil, HTTPReadingSink(url: url, contentType: type, client: OutgoingHTTP.client))
        }
    }

    var isHTTP: Bool { sink != nil }

    /// False when the reader at the other end of a pipe has gone: the end, not an error.
    func write(_ bytes: [UInt8]) async throws -> Bool {
        if let sink {
            try await sink.send(bytes)
            return true
        }
        return try file?.write(bytes) ?? false
    }
}
