internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct ETL: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "etl", abstract: "Brings the lake up to date: bronze to silver to gold.",
        discussion: """
            What has not changed is left alone: run twice, the files are the same. It may be ended at any moment, the next \
            run goes on. tocsin run does the same by itself (lake.etlInterval); both may be used at once. \
            Exit code 1: a file could not be read, or a limit was passed; the rest is done.

            Examples:
              tocsin etl
              tocsin etl --from 2025-10-01 --to 2025-10-08 --layer gold
              tocsin etl --input ./recordings --limit duplicate=0.01 --limit out_of_range=0.001
              tocsin etl --export-sql ./transforms      then change the SQL and set lake.transforms
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(name: .long, help: "First event time: ISO 8601, or a day (UTC).")
    var from: String?
    @Option(name: .long, help: "Event time at which it ends, not included.")
    var to: String?
    @Option(name: .long, help: "silver or gold; default: both.")
    var layer: String?
    @Option(
        name: .long, help: "A file or folder of CSV and NDJSON (.gz too) that becomes bronze first.",
        completion: .file())
    var input: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Greatest share of rows, e.g. duplicate=0.01; may be repeated. Rules: duplicate, out_of_range, future, not_finite, unparsable, late.",
            valueName: "rule=share"))
    var limit: [String] = []
    @Flag(name: .long, help: "Also puts small files together and deletes what is too old.")
    var compact = false
    @Option(
        name: .long, help: "Writes the built-in SQL into this folder, and does nothing else.", completion: .directory)
    var exportSQL: String?
    @Flag(name: .long, help: "Prints one JSON object.")
    var json = false

    func validate() throws {
        if let layer, !["silver", "gold"].contains(layer) {
            throw ValidationError("--layer is silver or gold, not '\(layer)'; bronze is written as readings come")
        }
        _ = try shares()
    }

    func run() async throws {
        try await Terminal.run {
            if let exportSQL {
                let files = try ETLCommandRun.exportTransformations(to: exportSQL)
                print(files.isEmpty ? "all files are there already; none was changed" : files.joined(separator: "\n"))
                return
            }
            let loaded = try options.load()
            let logger = Logs.bootstrap(loaded.configuration.log)
            var wanted = ETLCommandRun.Options()
            wanted.start = try CaseOptions.time(from, "--from")
            wanted.end = try CaseOptions.time(to, "--to")
            wanted.layer = layer
            wanted.input = input
            wanted.isTidy = compact
            wanted.limits = try shares()
            let outcome = try await ETLCommandRun(
                configuration: loaded.configuration, logger: logger, progress: Self.show
            )
            .run(wanted)
            if Terminal.errorsAreShown { Terminal.write("\r\u{1B}[K") }
            print(
                json
                    ? outcome.json : outcome.lines.isEmpty ? "the lake is empty" : outcome.lines.joined(separator: "\n")
            )
            if !outcome.isSuccess { throw ExitCode(1) }
        }
    }

    private func shares() throws -> [String: Double] {
        var shares: [String: Double] = [:]
        for text in limit {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let share = Double(parts[1]), (0...1).contains(share) else {
                throw ValidationError("--limit takes rule=share with a share from 0 to 1, not '\(text)'")
            }
            shares[String(parts[0])] = share
        }
        return shares
    }

    private static let show: @Sendable (Double, String) -> Void = { fraction, work in
        guard Terminal.errorsAreShown else { return }
        let filled = Int(fraction * 20)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        Terminal.write("\r\u{1B}[K[\(bar)] \(Int(fraction * 100)) %  \(work)")
    }
}
