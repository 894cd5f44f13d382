internal import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinJobs

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains an Isolation Forest on the events of a recording.",
        discussion: """
            The features are all metrics of an event and their ratios; counters, times and labels are left out. Without \
            --out the model goes into the data folder, and `tocsin run` uses it from its first event on. The report says \
            how much of the last fifth of the recording, which the trial model has not seen, would be flagged.

            Examples:
              tocsin train plant.csv --data-dir ./tocsin-data
              tocsin train plant.csv --out plant.forest --set detection.forest.trees=200
              tocsin score new.csv --time ts --values temperature,humidity --model plant.forest
            """)

    @Argument(help: "Files, folders, or - for standard input.", completion: .file())
    var files: [String]

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .long, help: "Writes the model to this file instead.", completion: .file())
    var out: String?

    func run() async throws {
        try await Terminal.run {
            let loaded = try options.load()
            let run = TrainRun(
                configuration: loaded.configuration, paths: files, destination: out.map { .file($0) } ?? .store)
            let result = try await run.run()
            let report = result.report
            print("model          \(result.name) version \(result.version)")
            print("rows           \(report.rows)\(result.leftOut > 0 ? " (\(result.leftOut) left out)" : "")")
            print("features       \(report.features.joined(separator: ", "))")
            print("forest         \(report.trees) trees of \(report.sampleSize) samples")
            print("threshold      \((report.threshold * 1000).rounded() / 1000)")
            print("flagged        \((report.flaggedShare * 10_000).rounded() / 100) % of the last fifth")
            print("time           \((result.seconds * 100).rounded() / 100) s")
            print("written to     \(out ?? loaded.configuration.storePath)")
        }
    }
}
