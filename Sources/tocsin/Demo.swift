internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A simulated plant, live, with the dashboard: nothing to set up.",
        discussion: """
            Five sensors report temperature and humidity; about every fifth event is a fault. Ten minutes of history are \
            delivered at once, so that the charts are not empty and the models have learnt.

            Examples:
              tocsin demo
              tocsin demo --profile machine --port 9000
              tocsin demo --data-dir ./demo-data          keeps the data
            """)

    @Option(name: .long, help: "plant, machine, fleet or smoke.")
    var profile = "plant"

    @Option(
        name: .long, help: "Port of the dashboard; 0 = any free one. Default: 8080, or a free one when it is taken.")
    var port: Int?

    @Option(
        name: .long, help: "Keeps the data in this folder; otherwise it is deleted at the end.", completion: .directory)
    var dataDir: String?

    @Option(name: .long, help: "Number of sensors; 0 = the profile's own.")
    var sensors = 0

    @Option(name: .long, help: "Seed of the simulation: the same seed gives the same values.")
    var seed: UInt64 = 1

    func run() async throws {
        ProcessMemory.limitArenas()
        try await Terminal.run {
            let folder = try dataDir ?? DataFolder.temporary()
            defer { if dataDir == nil { DataFolder.removeTemporary(folder) } }
            let port = port ?? (PortProbe.isFree(8080) ? 8080 : 0)
            let loaded = try ConfigurationLoader(
                file: nil, environment: Terminal.environment,
                flags: ["data.directory": folder, "server.port": "\(port)", "store.kind": "sqlite"]
            ).load()
            var configuration = loaded.configuration
            guard let profile = TocsinConfiguration.Source.Profile(rawValue: profile) else {
                throw ValidationError("--profile is plant, machine, fleet or smoke, not '\(profile)'")
            }
            var source = TocsinConfiguration.Source(kind: .simulator, name: "simulator")
            source.profile = profile
            source.sensors = sensors
            source.seed = seed
            source.speed = 1
            configuration.sources = [source]
            let logger = Logs.bootstrap(configuration.log)
            let run = try await LiveRun(
                configuration: configuration, history: .minutes(10), isDemo: true, logger: logger
            ) {
                print("Dashboard: \($0)")
                print("Ctrl-C ends it\(dataDir == nil ? "; the data is in \(folder) until then" : "").")
            }
            try await run.run()
        }
    }
}
