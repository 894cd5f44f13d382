internal import ArgumentParser
internal import TocsinBench
internal import TocsinConfiguration
internal import TocsinCore

struct BenchPipeline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "What a reading costs in each stage, and how fast the whole line is.",
        discussion: """
            Each stage runs alone on one thread over the decoded input; the whole line is `tocsin replay` in a process of \
            its own, with everything on. Of several runs the one in the middle counts. The input is held in memory: about \
            250 bytes a reading.

            Stages: decode, validate, deduplicate, bank, windows, forest, shard (the three before it as the engine runs \
            them), join (forests, alarms, names), persist (SQLite), spool (the durable queue in front of the engine).
            Allocations per reading are shown where they are counted: see Benchmarks/README.md.

            Examples:
              tocsin bench pipeline
              tocsin bench pipeline --stages decode,bank,windows --repeat 5
              tocsin bench pipeline --input recordings/ --cumulative --json figures.json
              tocsin bench pipeline --set store.storeEvents=true --stages persist
            """)

    @OptionGroup var options: BenchConfiguration
    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Readings to make when there is no --input.")
    var readings = 2_000_000

    @Option(name: .long, help: "Sensors to make them of, one reading a second each.")
    var sensors = 10_000

    @Option(name: .long, help: "A folder of recordings, or one file, plain JSON or CSV.", completion: .directory)
    var input: String?

    @Option(name: .long, help: "Names apart by commas. Default: all.")
    var stages: String?

    @Option(name: .customLong("repeat"), help: "Runs of everything.")
    var repeats = 3

    @Flag(name: .long, help: "Also one after the other on one thread: decode, + validate, + shard, + join, + persist.")
    var cumulative = false

    @Flag(name: .long, help: "Stages only.")
    var noWholeLine = false

    func run() async throws {
        try await Terminal.run {
            var settings = PipelineBench.Settings()
            settings.readings = readings
            settings.sensors = sensors
            settings.input = input
            if let stages { settings.stages = try PipelineStage.list(stages) }
            settings.repeats = repeats
            settings.isCumulative = cumulative
            settings.includesWholeLine = !noWholeLine
            settings.flags = options.flags
            let configuration = try options.load(["store.storeEvents": "false"])
            let bench = PipelineBench(
                settings: settings, configuration: configuration, progress: Bench.progress)
            let report = try await bench.run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
