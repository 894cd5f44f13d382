internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine

struct Tune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Finds the score at which a recording raises at most so many alarms a day.",
        discussion: """
            Replays the recording with every finding, and takes the weakest away until the busiest asset (a sensor, unless \
            assets are configured) has at most --per-day alarms a day on average. Fire and values outside their range are \
            never taken away. The rules that come out are printed for the configuration file. A recording of ordinary days, \
            a week or more, tells most.

            Examples:
              tocsin tune last-week.csv.gz --per-day 3
              tocsin tune recordings/ --config tocsin.yaml --per-day 0.5
            """)

    @Argument(help: "Files, folders, or - for standard input.", completion: .file())
    var files: [String]

    @Option(name: .long, help: "Warnings a day and asset at most.")
    var perDay = 3.0

    @Flag(name: .long, help: "Uses the data folder's saved models instead of learning from this recording alone.")
    var useModels = false

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        guard perDay.isFinite, perDay >= 0 else { throw ValidationError("--per-day must be 0 or more") }
    }

    func run() async throws {
        try await Terminal.run {
            let folder = try options.dataDir ?? DataFolder.temporary()
            defer { if options.dataDir == nil { DataFolder.removeTemporary(folder) } }
            var flags = ["store.storeEvents": "false", "data.directory": folder]
            if options.logLevel == nil, Terminal.environment["LOG_LEVEL"] == nil { flags["log.level"] = "warning" }
            let loaded = try options.load(flags)
            let logger = Logs.bootstrap(loaded.configuration.log)
            var progress: (@Sendable (ReplayProgress) -> Void)?
            if Terminal.errorsAreShown { progress = { ProgressBar.show($0) } }
            let tune = try await TuneRun(
                configuration: loaded.configuration, paths: files, perDay: perDay, usesSavedModels: useModels,
                logger: logger, progress: progress)
            let result = try await tune.run()
            if progress != nil { ProgressBar.clear() }
            show(result)
        }
    }

    private func show(_ result: TuneRun.Result) {
        print("\(result.readings) readings of \(Self.text(result.days)) days, \(result.findings) findings")
        if result.days < 2 { print("less than two days: the thresholds say little about other days") }
        for part in result.classes {
            print("\n\(part.sensorClass.isEmpty ? "all sensors" : "class \(part.sensorClass)"), \(part.assets) assets")
            print("  alarms now            \(part.alarmsBefore), busiest asset \(Self.text(part.worstBefore)) a day")
            guard part.threshold > 0 else {
                print("  at most \(Self.text(perDay)) a day is kept without a threshold")
                continue
            }
            print(
                "  with score \(Self.text(part.threshold)) and up  \(part.alarmsAfter), busiest asset \(Self.text(part.worstAfter)) a day"
            )
            if part.worstAfter > perDay { print("  no score keeps the budget: look at the busiest asset itself") }
            let dropped = part.dropped.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key.name)" }
            print("  no longer told        \(dropped.isEmpty ? "nothing" : dropped.joined(separator: ", "))")
            if part.critical > 0 { print("  always told           \(part.critical) of fire or range") }
        }
        let rules = result.classes.filter { $0.threshold > 0 }
        guard !rules.isEmpty else { return }
        print("\nFor the configuration file:\n\nrules:")
        for part in rules {
            let target = part.sensorClass.isEmpty ? "  - sensor: \"*\"" : "  - class: \(part.sensorClass)"
            // Rounded down: the weakest finding that is to be told must stay.
            print("\(target)\n    minimumScore: \((part.threshold * 10_000).rounded(.down) / 10_000)")
        }
    }

    private static func text(_ number: Double) -> String { "\((number * 100).rounded() / 100)" }
}
