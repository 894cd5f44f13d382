internal import ArgumentParser
internal import TocsinBench
internal import TocsinMeasure

struct BenchScaling: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaling",
        abstract: "What a reading costs as the number of sensors grows.",
        discussion: """
            Runs `tocsin bench memory` in a process of its own for each number of sensors and shows CPU time a reading and \
            memory. A million sensors take several minutes and about 2 GiB.

            Examples:
              tocsin bench scaling
              tocsin bench scaling --sensors 10,1000,100000 --warm-up 120 --json scaling.json
            """)

    @OptionGroup var options: BenchConfiguration
    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Numbers of sensors, apart by commas.")
    var sensors = "10,100,1000,10000,100000,1000000"

    @Option(name: .long, help: "Readings measured for each, at least (and at least 20 s of event time).")
    var readings = 2_000_000

    @Option(
        name: .long, help: "Seconds of event time before measuring. Default: 330, longer than every default window.")
    var warmUp: Int?

    func run() async throws {
        try await Terminal.run {
            let flags =
                options.flags + (warmUp.map { ["--warm-up", "\($0)"] } ?? [])
            let bench = try ScalingBench(
                sensors: try ScalingBench.numbers(sensors), readings: readings, flags: flags, progress: Bench.progress)
            let report = try bench.run()
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
