internal import ArgumentParser
internal import TocsinApp
internal import TocsinBench
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinMeasure

struct BenchLake: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lake",
        abstract: "How fast the lake is written and worked up, and what its writer costs the pipeline.",
        discussion: """
            bronze: a spool's records to Parquet, with nothing else to do. pipeline: the whole line (decode to stored \
            verdicts, raw input durable) in turn without and with the lake's writer beside it. etl: bronze to silver and \
            hourly aggregates, from messages of four readings and of one; with --python a small file also by the same job \
            in pandas.
            Needs DuckDB's library; --set lake.library names it where it is not found.

            Examples:
              tocsin bench lake
              tocsin bench lake --parts pipeline --readings 10000000 --repeat 5
              tocsin bench lake --parts etl --python venv/bin/python3 --json lake.json
              tocsin bench lake --set lake.threads=1 --parts bronze
            """)

    @OptionGroup var options: BenchConfiguration
    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Readings to make for bronze and pipeline when there is no --input.")
    var readings = 5_000_000

    @Option(
        name: .long, help: "For bronze and pipeline: a folder of recordings, or one file, plain JSON or CSV.",
        completion: .directory)
    var input: String?

    @Option(name: .long, help: "Readings to make for each run of etl.")
    var etlReadings = 20_000_000

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only these: \(LakeBenchSettings.Part.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name,…"))
    var parts: String?

    @Option(name: .customLong("repeat"), help: "Runs of everything; the median counts.")
    var repeats = 3

    @Option(name: .long, help: "A Python with pandas and pyarrow, for the same job beside etl.", completion: .file())
    var python: String?

    @Option(name: .long, help: "Where the temporary folder is made. Default: TMPDIR.", completion: .directory)
    var folder: String?

    func run() async throws {
        // As `tocsin run` and `tocsin replay` do.
        ProcessMemory.limitArenas()
        try await Terminal.run {
            var settings = LakeBenchSettings()
            settings.readings = readings
            settings.input = input
            settings.etlReadings = etlReadings
            if let parts { settings.parts = try LakeBenchSettings.Part.list(parts) }
            settings.repeats = repeats
            settings.python = python
            settings.folder = folder
            let bench = LakeBench(
                settings: settings, configuration: try options.load(["store.storeEvents": "false"]),
                progress: Bench.progress)
            let report = try await bench.run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
