internal import ArgumentParser
internal import TocsinBench
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinMeasure

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures this program on this machine: stages, latency, memory, growth, models, store, lake.",
        discussion: """
            Every figure of docs/benchmarks.md can be made again with one of these. Nothing is left behind: data goes to a \
            temporary folder (TMPDIR).

            Examples:
              tocsin bench pipeline --readings 2000000
              tocsin bench latency --rate 100000 --seconds 30
              tocsin bench latency --idle
              tocsin bench memory --sensors 100000
              tocsin bench scaling --sensors 10,1000,100000
              tocsin bench store --stored 50000000
              tocsin bench lake
              tocsin bench kafka
              tocsin bench mqtt
            """,
        subcommands: [
            BenchPipeline.self, BenchLatency.self, BenchMemory.self, BenchScaling.self, BenchModels.self,
            BenchStore.self, BenchLake.self, BenchKafka.self, BenchMQTT.self,
        ])

    /// What is being done, on a terminal only, written over itself.
    static var progress: ProgressLine? {
        guard Terminal.errorsAreShown else { return nil }
        return { Terminal.write("\r\u{1B}[K\($0)") }
    }

    /// Ends the line of progress, prints the result and writes it for programs where a file was named.
    static func show(_ text: String, json: [UInt8], to path: String?) throws {
        if Terminal.errorsAreShown { Terminal.write("\r\u{1B}[K") }
        if path != "-" { print(text) }
        if let path { try ReportFile.write(json, to: path) }
    }
}

/// The configuration of what is measured: file, then environment, then flags.
struct BenchConfiguration: ParsableArguments {
    @Option(
        name: .shortAndLong, help: "YAML file of what is measured; docs/configuration.md has every key.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Sets one key, e.g. --set engine.shards=4; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    /// The same again, for a process of its own.
    var flags: [String] { (config.map { ["--config", $0] } ?? []) + set.flatMap { ["--set", $0] } }

    /// - Parameter standard: what `--set` wins over.
    func load(_ standard: [String: String] = [:]) throws -> TocsinConfiguration {
        var all = standard
        for pair in set {
            guard let equals = pair.firstIndex(of: "="), equals > pair.startIndex else {
                throw ValidationError("--set takes key=value, not '\(pair)'")
            }
            all[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return try ConfigurationLoader(file: config, environment: Terminal.environment, flags: all).load().configuration
    }
}

/// What every benchmark takes.
struct BenchOutput: ParsableArguments {
    @Option(
        name: .long, help: "Also writes all figures to this file as one JSON object; - = to standard output instead.",
        completion: .file())
    var json: String?
}
