internal import ArgumentParser
internal import TocsinApp
internal import TocsinCore
internal import TocsinEvaluation

struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Judges detectors on labelled recordings, beside published results.",
        discussion: """
            Suites:
            \(suites)
            The path is a suite's folder or the folder that holds all of them; `types` makes its own streams and needs \
            none. Rows of a stream are scored in order, and no score depends on a later row.

            Examples:
              tocsin evaluate nab recordings/
              tocsin evaluate skab recordings/skab --detector bank,forest --details
              tocsin evaluate types --amplitude 5 --json types.json
              tocsin evaluate nab recordings/ --detector default --plots pictures/
              tocsin evaluate list
            """)

    private static var suites: String {
        let width = Evaluation.suites.map(\.name.count).max() ?? 0
        return Evaluation.suites.map { suite in
            "  \(suite.name)\(String(repeating: " ", count: width + 2 - suite.name.count))\(suite.oneLine)\n"
        }.joined()
    }

    @Argument(
        help: "One of the suites above, or list: the detectors there are.",
        completion: .list(Evaluation.suites.map(\.name)))
    var suite: String

    @Argument(help: "Folder of the recordings.", completion: .directory)
    var path: String?

    @Option(name: .long, help: ArgumentHelp("Only these; default: all that fit the suite.", valueName: "name,…"))
    var detector: String?

    @Flag(name: .long, help: "Also the figures of each file.")
    var details = false

    @OptionGroup var output: BenchOutput

    @Option(name: .long, help: "Seeds of the suites that repeat.")
    var seeds = 5

    @Option(name: .long, help: "types: size of the faults in standard deviations of the noise.")
    var amplitude = 5.0

    @Option(
        name: .long, help: "Draws each recording of a stream suite with the detectors' marks into this folder.",
        completion: .directory)
    var plots: String?

    func validate() throws {
        guard seeds > 0 else { throw ValidationError("--seeds must be 1 or more") }
        guard amplitude.isFinite, amplitude > 0 else { throw ValidationError("--amplitude must be above 0") }
        let known = Evaluation.suites.map(\.name)
        guard suite == "list" || known.contains(suite) else {
            throw ValidationError("there is no suite \(suite); choose from \(known.joined(separator: ", "))")
        }
        if path == nil, suite != "types", suite != "list" {
            throw ValidationError("\(suite) needs the folder of its recordings")
        }
    }

    func run() async throws {
        try await Terminal.run {
            if suite == "list" { return Self.list() }
            var options = Evaluation.Options()
            options.seeds = seeds
            options.amplitude = amplitude
            if let plots {
                let pictures = try EvaluationPlots(folder: plots)
                options.onAnswers = { try pictures.draw($0, $1) }
            }
            let names = (detector ?? "").split(separator: ",").map(String.init)
            let line = Bench.progress
            let report = try Evaluation.run(
                suite: suite, path: path ?? "", detectors: names, options: options,
                progress: { done, total in line?("\(done) of \(total)") })
            var json = JSONWriter()
            report.write(to: &json)
            try Bench.show(report.text(details: details), json: json.bytes, to: output.json)
        }
    }

    private static func list() {
        let streams = EvaluatedDetector.all.map { ($0.name, $0.oneLine) }
        let rows = EvaluatedRowModel.all.map { ($0.name, $0.oneLine) }
        let width = (streams + rows).map(\.0.count).max() ?? 0
        for (title, entries) in [("Streams and tables", streams), ("smoke, occupancy, cmapss", rows)] {
            print("\(title):")
            for (name, oneLine) in entries {
                print("  \(name)\(String(repeating: " ", count: width + 2 - name.count))\(oneLine)")
            }
        }
    }
}
