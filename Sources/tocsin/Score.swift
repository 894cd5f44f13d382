public import ArgumentParser
public import TocsinApp
internal import TocsinJobs

struct Score: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Scores every row of a CSV file, never looking ahead.",
        discussion: """
            Writes time,score,p_value,is_anomaly,kind: one row for each row of the input, in its order; a row that cannot \
            be read gets an empty score. Scores are 0 to 1, high = anomalous. Scoring the first n rows alone gives the \
            same first n rows of output.

            Examples:
              tocsin score machine.csv --time timestamp --values value --out scores.csv
              tocsin score plant.csv --time ts --values temperature,humidity --group-by device
              tocsin score plant.csv --time ts --values temperature,humidity --model plant.forest
              tocsin score smoke.csv --time UTC --values "TVOC[ppb],PM2.5,Temperature[C]" --detector fire
              tocsin score pump.csv --time ts --values flow,pressure,current --detector asset-chart --train-rows 400
            """)

    @Argument(help: "CSV file with a header, plain or gzip; - for standard input.", completion: .file())
    var file: String

    @Option(name: .long, help: "Column with the time.")
    var time: String

    @Option(name: .long, help: ArgumentHelp("Columns to score, separated by commas.", valueName: "column,…"))
    var values: String

    @Option(name: .long, help: "Column that names the sensor: each has its own history.")
    var groupBy: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "default (everything, as the engine does), bank, event-forest, novelty, or fire and random-forest for smoke "
                + "and fire sensors; or one of tocsin evaluate list, fitted on the first --train-rows rows of each sensor. "
                + "What judges windows (window-forest, a trained LSTM) is for tocsin replay.", valueName: "name"))
    var detector = ScoringChoice.byRow(.standard)

    @Option(name: .long, help: "Rows that are learnt from before scoring begins (bank and novelty know by themselves).")
    var trainRows = 1000

    @Option(
        name: .long,
        help: "Model file of tocsin train --out (forest or random-forest), used as it is from the first row on.",
        completion: .file())
    var model: String?

    @Option(name: .long, help: "Output file; - for standard output.", completion: .file())
    var out = "-"

    @Option(
        name: .long, help: "Draws values, scores and findings of one sensor into this file (.svg).",
        completion: .file(extensions: ["svg"]))
    var plot: String?

    func validate() throws {
        guard trainRows >= 16 else { throw ValidationError("--train-rows must be 16 or more") }
        guard !values.split(separator: ",").isEmpty else { throw ValidationError("--values names no column") }
    }

    func run() async throws {
        try await Terminal.run {
            let columns = values.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }.map(String.init)
            let summary = try ScoreRun(
                .init(
                    path: file, timeColumn: time, valueColumns: columns, groupColumn: groupBy, detector: detector,
                    trainRows: trainRows, modelPath: model, output: out, plot: plot)
            ).run()
            Terminal.complain(
                "\(summary.rows) rows, \(summary.anomalous) anomalous, \(summary.unreadable) unreadable")
            for problem in summary.problems { Terminal.complain("  \(problem)") }
        }
    }
}

extension ScoringChoice: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { names }
    public var defaultValueDescription: String { "default" }
}
