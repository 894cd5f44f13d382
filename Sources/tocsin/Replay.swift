internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs recordings through the engine as fast as possible and shows what would have been found.",
        discussion: """
            Files may be JSON lines, JSON arrays or CSV, plain or gzip; a folder stands for the files in it, - for \
            standard input. Windows and anomalies go to the data folder (a temporary one unless --data-dir is given); \
            raw events only with --store-events. Running it again over the same data changes nothing: rows have ids made \
            of their content.

            Examples:
              tocsin replay readings.csv.gz
              tocsin replay recordings/ --data-dir ./results
              tocsin replay smoke.csv --labels "Fire Alarm"
              tocsin simulate --profile machine --labels --max-events 50000 | tocsin replay - --json
            """)

    @Argument(help: "Files, folders, or - for standard input.", completion: .file())
    var files: [String]

    @OptionGroup var options: ConfigurationOptions

    @Option(
        name: .long,
        help: "Column or field with the truth (0/1, or a word for the kind): adds precision, recall, F1 and delay.")
    var labels: String?

    @Flag(name: .long, help: "Stores the raw events as well.")
    var storeEvents = false

    @Flag(name: .long, help: "Uses the data folder's saved models instead of learning from this recording alone.")
    var useModels = false

    @Flag(
        name: .long,
        help: "Makes the raw input durable in a spool on the way, and the state in checkpoints, as `tocsin run` does.")
    var spool = false

    @Flag(name: .long, help: "Prints the result as one JSON object.")
    var json = false

    @Flag(name: .long, help: "No progress bar.")
    var quiet = false

    func run() async throws {
        ProcessMemory.limitArenas()
        try await Terminal.run { try await replay() }
    }

    private func replay() async throws {
        let folder = try options.dataDir ?? DataFolder.temporary()
        defer { if options.dataDir == nil { DataFolder.removeTemporary(folder) } }
        var flags = ["store.storeEvents": "\(storeEvents)", "data.directory": folder]
        if let labels { flags["input.mapping.labelColumn"] = labels }
        if options.logLevel == nil, Terminal.environment["LOG_LEVEL"] == nil { flags["log.level"] = "warning" }
        let loaded = try options.load(flags)
        let logger = Logs.bootstrap(loaded.configuration.log)
        var progress: (@Sendable (ReplayProgress) -> Void)?
        if !quiet, !json, Terminal.errorsAreShown { progress = { ProgressBar.show($0) } }
        let replay = try await ReplayRun(
            configuration: loaded.configuration, paths: files, evaluatesLabels: labels != nil,
            usesSavedModels: useModels, usesSpool: spool, logger: logger, progress: progress)
        let report = try await replay.run()
        if progress != nil { ProgressBar.clear() }
        print(json ? String(decoding: report.json.dropLast(), as: UTF8.self) : report.table)
    }
}

/// One line on standard error that is written over itself.
enum ProgressBar {
    static func show(_ progress: ReplayProgress) {
        let width = 30
        let share = progress.bytesTotal > 0 ? min(1, Double(progress.bytesRead) / Double(progress.bytesTotal)) : 0
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let percent = progress.bytesTotal > 0 ? "\(Int(share * 100)) %" : "\(progress.bytesRead >> 20) MiB"
        Terminal.write(
            "\r[\(bar)] \(percent)  \(progress.readings) readings, \(Int(progress.readingsPerSecond))/s  ")
    }

    static func clear() { Terminal.write("\r\u{1B}[K") }
}
