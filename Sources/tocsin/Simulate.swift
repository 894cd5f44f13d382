public import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore
public import TocsinSimulator

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes labelled readings of imagined sensors: same seed, same bytes.",
        discussion: """
            Profiles: plant (5 sensors, temperature and humidity every 12 s, every fifth event a fault), machine \
            (temperature, pressure, vibration), fleet (10,000 sensors at 1 reading/s, narrow form), smoke (the columns of \
            the smoke detection data set, with fires).

            Examples:
              tocsin simulate --profile plant --max-events 100
              tocsin simulate --profile fleet --max-events 2000000 --to fleet.json --seed 7
              tocsin simulate --profile machine --speed 60 --to http://127.0.0.1:8080/ingest
              tocsin simulate --profile fleet --speed 0 --to kafka://localhost:9092/sensor-events
              tocsin simulate --profile plant --to 'mqtt://localhost:1883/plant/{sensor_id}?qos=1'
              tocsin simulate --profile machine --kinds drift,stuck --amplitude drift=4:8 --duration drift=10m:1h --labels
            """)

    @Option(name: .long, help: "plant, machine, fleet or smoke.")
    var profile: SimulatorProfile = .plant

    @Option(name: .long, help: "Number of sensors. Default: the profile's own.")
    var sensors: Int?

    @Option(name: .long, help: "From one event of a sensor to its next, e.g. 12s, 500ms. Default: the profile's own.")
    var interval: DurationArgument?

    @Option(name: .long, help: "Same seed and options, same bytes.")
    var seed: UInt64 = 1

    @Option(
        name: .long,
        help: "Time of the first event (RFC 3339 or epoch). Default: 2025-10-01T00:00:00Z, or now when paced.")
    var start: TimeArgument?

    @Option(name: .long, help: "Share of each sensor's time under an injected anomaly, 0 to 0.95.")
    var anomalyRate: Double?

    @Option(name: .long, help: "Kinds to inject: spike,drift,stuck,noise,silence (smoke: fire); none for clean data.")
    var kinds: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Strength of a kind in sigmas of the noise, e.g. spike=5:8.", valueName: "kind=low:high"))
    var amplitude: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Length of a kind's episodes, e.g. drift=10m:1h.", valueName: "kind=low:high"))
    var duration: [String] = []

    @Option(name: .long, help: "wide, narrow or csv. Default: the profile's own.")
    var format: SimulatorFormat?

    @Flag(name: .long, help: "Adds anomaly_injected and anomaly_type to each event.")
    var labels = false

    @Option(
        name: .long, help: "Writes the injected episodes (the ground truth) to this file as JSON lines.",
        completion: .file())
    var episodes: String?

    @Option(name: .long, help: "Events per second of real time; wins over --speed.")
    var rate: Double = 0

    @Option(name: .long, help: "Times real time; 0 = as fast as possible. Default: 0 with --max-events, otherwise 1.")
    var speed: Double?

    @Option(name: .long, help: "Ends after so many events; 0 = never.")
    var maxEvents = 0

    @OptionGroup var sink: SinkOptions

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        try await Terminal.run {
            guard maxEvents >= 0, rate >= 0, rate.isFinite, (speed ?? 0) >= 0, (speed ?? 0).isFinite else {
                throw ValidationError("--max-events, --rate and --speed must not be negative")
            }
            let speed = speed ?? (maxEvents > 0 ? 0 : 1)
            let pacing = SimulateRun.Pacing(speed: speed, rate: rate, maxEvents: maxEvents)
            let isPaced = speed > 0 || rate > 0
            let to = sink.to ?? "-"
            let run = try SimulateRun(
                settings: try settings(start: isPaced ? SystemClock().now() : nil), pacing: pacing,
                to: try sink.settings(to, options), episodesPath: episodes)
            let display = SendDisplay(isQuiet: to == "-" || sink.quiet)
            let summary = try await display.watch { try await run.run(progress: $0) }
            if to != "-" { display.end(summary) }
        }
    }

    private func settings(start standard: Timestamp?) throws -> SimulatorSettings {
        var settings = SimulatorSettings(profile: profile, seed: seed)
        if let start = start?.time ?? standard { settings.start = start }
        if let sensors { settings.sensors = sensors }
        if let interval { settings.interval = interval.span }
        if let anomalyRate { settings.anomalyRate = anomalyRate }
        if let format { settings.format = format }
        settings.includeLabels = labels
        if let kinds {
            settings.injections =
                try kinds == "none"
                ? []
                : kinds.split(separator: ",").map { word in
                    guard let kind = AnomalyKind(name: String(word)) else {
                        throw ValidationError("--kinds does not know '\(word)'")
                    }
                    return settings.injections.first { $0.kind == kind } ?? Injection(kind)
                }
            if settings.injections.isEmpty { settings.anomalyRate = 0 }
        }
        for text in amplitude {
            let (index, low, high) = try parts(text, of: settings, option: "--amplitude")
            guard let low = Double(low), let high = Double(high), low <= high else {
                throw ValidationError("--amplitude takes kind=low:high in sigmas, not '\(text)'")
            }
            settings.injections[index].amplitude = low...high
        }
        for text in duration {
            let (index, low, high) = try parts(text, of: settings, option: "--duration")
            guard
                let low = DurationArgument(argument: low)?.span, let high = DurationArgument(argument: high)?.span,
                low <= high
            else { throw ValidationError("--duration takes kind=low:high such as drift=10m:1h, not '\(text)'") }
            settings.injections[index].duration = low...high
        }
        return settings
    }

    private func parts(
        _ text: String, of settings: SimulatorSettings, option: String
    ) throws -> (index: Int, low: String, high: String) {
        let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard halves.count == 2, let kind = AnomalyKind(name: halves[0]) else {
            throw ValidationError("\(option) takes kind=low:high, not '\(text)'")
        }
        guard let index = settings.injections.firstIndex(where: { $0.kind == kind }) else {
            throw ValidationError("\(option): '\(kind.name)' is not injected here; add it to --kinds")
        }
        let bounds = halves[1].split(separator: ":", maxSplits: 1).map(String.init)
        guard let low = bounds.first else { throw ValidationError("\(option) takes kind=low:high, not '\(text)'") }
        return (index, low, bounds.count == 2 ? bounds[1] : low)
    }
}

extension SimulatorProfile: ExpressibleByArgument {}
extension SimulatorFormat: ExpressibleByArgument {}

/// A length of time such as 12s, 500ms, 10m.
struct DurationArgument: ExpressibleByArgument {
    var span: Span64

    init?(argument: String) {
        guard let span = Span64(text: argument) else { return nil }
        self.span = span
    }
}

/// RFC 3339 or a count since 1970.
struct TimeArgument: ExpressibleByArgument {
    var time: Timestamp

    init?(argument: String) {
        guard let time = Timestamp(text: argument) else { return nil }
        self.time = time
    }
}
