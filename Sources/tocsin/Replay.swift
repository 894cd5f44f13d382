public import ArgumentParser
public import TocsinApp
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
              tocsin replay plant.csv --detector bank --plots pictures/
              tocsin replay pump.csv --detector shingle-clusters --train-rows 400
              tocsin replay plant.csv --detector lstm --model temperature=plant.lstm
              tocsin simulate --profile machine --labels --max-events 50000 | tocsin replay - --json
            """)

    @Argument(help: "Files, folders, or - for standard input.", completion: .file())
    var files: [String]

    @OptionGroup var options: ConfigurationOptions

    @Option(
        name: .long,
        help: "Column or field with the truth (0/1, or a word for the kind): adds precision, recall, F1 and delay.")
    var labels: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "default (everything that is configured), or one of the engine's detectors alone: bank, event-forest, "
                + "window-forest, ensemble (novelty and asset chart), fire, random-forest or lstm; or one of tocsin "
                + "evaluate list, fitted on the first --train-rows rows of each sensor. What it finds goes through the "
                + "same rules and incidents.", valueName: "name"))
    var detector = ReplayDetector.engine(.configured)

    @Option(name: .long, help: "Rows of each sensor that a detector of tocsin evaluate list learns from.")
    var trainRows = 1000

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Model file of tocsin train --out; of an LSTM with its metric, as temperature=FILE. May be repeated.",
            valueName: "[metric=]file"), completion: .file())
    var model: [String] = []

    @Option(
        name: .long,
        help: "Draws each sensor's whole recording with band, findings and incidents into this folder (.svg).",
        completion: .directory)
    var plots: String?

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

    func validate() throws {
        guard trainRows >= 16 else { throw ValidationError("--train-rows must be 16 or more") }
    }

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
            configuration: loaded.configuration, paths: files,
            options: ReplayOptions(detector: detector, trainRows: trainRows, models: model, plots: plots),
            evaluatesLabels: labels != nil,
            usesSavedModels: useModels, usesSpool: spool, logger: logger, progress: progress)
        let report = try await replay.run()
        if progress != nil { ProgressBar.clear() }
        print(json ? String(decoding: report.json.dropLast(), as: UTF8.self) : report.table)
    }
}

extension ReplayDetector: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { names }
    public var defaultValueDescription: String { name }
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
