internal import ArgumentParser
internal import TocsinBench
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinMeasure

struct BenchLatency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "How long a reading takes over HTTP until it is durable, judged, and on the screen.",
        discussion: """
            Open loop: requests are due at fixed times, and everything counts from the due time, also what waits for this \
            sender (no coordinated omission). Measured to the 202 answer (durable), to the anomaly event of a reading far \
            off (its verdict is stored when it is published), and to the readings event on /live.
            Without --url a server of its own is started with a temporary data folder. Sender and server share the \
            machine: what the sender takes of it is shown.

            Examples:
              tocsin bench latency --rate 100000 --seconds 30
              tocsin bench latency --idle
              tocsin bench latency --rate 50000 --webhook
              tocsin bench latency --url http://127.0.0.1:8080 --rate 5000 --batch 10
              tocsin bench latency --rate 50000 --set server.live.interval=50ms
            """)

    @OptionGroup var options: BenchConfiguration
    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Readings a second.")
    var rate = 10_000.0

    @Option(name: .long, help: "Seconds measured, after a warm-up of a tenth of it.")
    var seconds = 20.0

    @Option(name: .long, help: "Readings a request.")
    var batch = 100

    @Option(name: .long, help: "Connections kept open.")
    var connections = 64

    @Option(name: .long, help: "Sensors among which the load is spread.")
    var sensors = 1000

    @Option(name: .long, help: "A running server, http://host:port. Default: one is started.")
    var url: String?

    @Flag(name: .long, help: "One reading alone every 200 ms: the latency of an idle system.")
    var idle = false

    @Flag(name: .long, help: "Tells a webhook of every alarm, and measures until it has it.")
    var webhook = false

    func run() async throws {
        try await Terminal.run {
            var settings = LatencySettings()
            settings.rate = rate
            settings.seconds = seconds
            settings.batch = batch
            settings.connections = idle ? 1 : connections
            settings.sensors = sensors
            settings.url = url
            settings.isIdle = idle
            settings.hasWebhook = webhook
            settings.flags = options.flags
            guard url == nil || settings.flags.isEmpty else {
                throw ValidationError(
                    "--set and --config are for the server that is started; --url names a running one")
            }
            let report = try LatencyBench(settings: settings, progress: Bench.progress).run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
