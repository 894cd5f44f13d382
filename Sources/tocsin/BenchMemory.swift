internal import ArgumentParser
internal import TocsinBench
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinMeasure

struct BenchMemory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory",
        abstract: "What the engine holds in memory for each series, and whether it keeps up.",
        discussion: """
            Drives sensors of one metric and one reading a second each through the real engine, as decoded columns (what \
            decoding costs, `tocsin bench pipeline` shows), and shows bytes a series by part and the process's memory. \
            Nothing is stored unless asked for.

            Examples:
              tocsin bench memory --sensors 100000
              tocsin bench memory --sensors 1000000 --paced --seconds 180
              tocsin bench memory --sensors 10000 --persist --json memory.json
            """)

    @OptionGroup var options: BenchConfiguration
    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Number of sensors.")
    var sensors = 10_000

    @Option(name: .long, help: "Seconds of event time that are measured.")
    var seconds = 60

    @Option(name: .long, help: "Seconds of event time before. Default: 330, when paced 0.")
    var warmUp: Int?

    @Flag(name: .long, help: "In real time; says how far it fell behind.")
    var paced = false

    @Flag(name: .long, help: "Stores windows and anomalies in SQLite, in a temporary folder.")
    var persist = false

    func run() async throws {
        try await Terminal.run {
            var settings = MemorySettings()
            settings.sensors = sensors
            settings.seconds = seconds
            settings.warmUpSeconds = warmUp
            settings.isPaced = paced
            settings.persists = persist
            let bench = MemoryBench(
                settings: settings, configuration: try options.load(), progress: Bench.progress)
            let report = try await bench.run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
