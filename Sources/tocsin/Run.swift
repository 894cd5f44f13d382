internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs sources, detection, alerts, API and dashboard until SIGTERM or Ctrl-C.",
        discussion: """
            Without a configuration file it listens on http://127.0.0.1:8080 for POST /ingest and keeps its data in \
            ./tocsin-data. The first signal drains and ends with 0; a second one ends at once with 130.

            Examples:
              tocsin run
              tocsin run --config tocsin.yaml --port 9000
              LOG_LEVEL=debug tocsin run --set engine.shards=4
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .long, help: "Port of API and dashboard; 0 = any free one (server.port).")
    var port: Int?

    @Option(name: .long, help: "Address to listen on (server.host).")
    var host: String?

    func run() async throws {
        ProcessMemory.limitArenas()
        try await Terminal.run {
            var flags: [String: String] = [:]
            if let port { flags["server.port"] = "\(port)" }
            if let host { flags["server.host"] = host }
            let loaded = try options.load(flags)
            let logger = Logs.bootstrap(loaded.configuration.log)
            let run = try await LiveRun(configuration: loaded.configuration, logger: logger) {
                print("Dashboard: \($0)")
            }
            try await run.run()
        }
    }
}
