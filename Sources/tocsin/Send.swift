internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends recordings to Kafka, MQTT, HTTP or a file, at the pace of their own times.",
        discussion: """
            Files may be JSON lines, JSON arrays or CSV, plain or gzip; a folder stands for the files in it, - for \
            standard input. Each message is sent as one JSON object, a row of CSV with the header's names; a message that \
            names no sensor gets the file's name. Which fields are sensor and time stands in input.mapping of the \
            configuration, as for tocsin run. The order is kept. A receiver that is away is waited for.

            Examples:
              tocsin send smoke.csv --to kafka://localhost:9092/sensor-events --speed 60x
              tocsin send recordings/ --to 'mqtt://localhost:1883/site/{sensor_id}' --restamp --loop
              tocsin send plant.csv.gz --to http://127.0.0.1:8080/ingest --speed 0
              tocsin send plant.csv --to kafka://localhost:9092 --skip 120000
            """)

    @Argument(help: "Files, folders, or - for standard input.", completion: .file())
    var files: [String]

    @OptionGroup var sink: SinkOptions

    @Option(name: .long, help: "Times the original pace, e.g. 60x or 0.5; 0 = as fast as possible.")
    var speed = SpeedArgument(factor: 1)

    @Option(name: .long, help: "Messages per second of those that have no time.")
    var rate = 1000.0

    @Option(name: .long, help: "Longest pause between two messages, e.g. 10s; longer gaps are cut to it.")
    var maxPause: DurationArgument?

    @Option(name: .long, help: "Ends after so many messages; 0 = all.")
    var limit = 0

    @Option(name: .long, help: "Passes over the first messages: those that an earlier run says are safe.")
    var skip = 0

    @Flag(
        name: .long, help: "Begins again at the end, for ever (with --restamp, or the receiver knows them all already)."
    )
    var loop = false

    @Flag(name: .long, help: "Gives every message the time at which it is sent.")
    var restamp = false

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        guard limit >= 0, skip >= 0 else { throw ValidationError("--limit and --skip must not be negative") }
        guard rate >= 0, rate.isFinite else { throw ValidationError("--rate must not be negative") }
    }

    func run() async throws {
        try await Terminal.run {
            guard let to = sink.to else {
                throw ValidationError(
                    "--to is missing: kafka://…, mqtt://…, http://…, a file, or - for standard output")
            }
            var send = SendRun.Options()
            send.speed = speed.factor
            send.rate = rate
            send.longestPause = maxPause?.span
            send.limit = limit
            send.skip = skip
            send.isLooped = loop
            send.isRestamped = restamp
            let loaded = try options.load()
            let run = try SendRun(
                configuration: loaded.configuration, paths: files, to: try sink.settings(to, options), options: send)
            let display = SendDisplay(isQuiet: to == "-" || sink.quiet, skipped: skip)
            let report = try await display.watch { try await run.run(progress: $0) }
            if report.unreadable > 0 {
                Terminal.complain(
                    "\(report.unreadable) messages were not sent because they cannot be read; the first: "
                        + (report.firstFault ?? ""))
            }
            display.end(report.summary)
            if report.summary.isInterrupted { throw ExitCode(130) }
        }
    }
}

/// `60x`, `60`, `0.5`.
struct SpeedArgument: ExpressibleByArgument, CustomStringConvertible {
    var factor: Double

    init(factor: Double) { self.factor = factor }

    init?(argument: String) {
        let text = argument.hasSuffix("x") ? String(argument.dropLast()) : argument
        guard let factor = Double(text), factor >= 0, factor.isFinite else { return nil }
        self.factor = factor
    }

    var description: String { "\(factor == factor.rounded() ? String(Int(min(factor, 1e15))) : String(factor))x" }
    var defaultValueDescription: String { description }
}
