internal import ArgumentParser
internal import TocsinBench
internal import TocsinCore

struct BenchModels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "How fast the detectors alone are: bank, Isolation Forest, Random Forest, LSTM autoencoder.",
        discussion: """
            Rows are made on the spot. scripts/bench-models runs this beside scikit-learn and ONNX Runtime.

            Examples:
              tocsin bench models
              tocsin bench models --model forest --repeat 9 --json -
            """)

    @OptionGroup var output: BenchOutput

    @Option(name: .customLong("repeat"), help: "Runs of everything; the median counts.")
    var repeats = 5

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Only these: \(ModelBenchmark.Model.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "name,…"))
    var model: String?

    func run() async throws {
        try await Terminal.run {
            var settings = ModelBenchmark.Settings()
            settings.repeats = repeats
            if let model {
                settings.models = try model.split(separator: ",").map { name in
                    guard let known = ModelBenchmark.Model(rawValue: String(name)) else {
                        throw ValidationError("there is no model \(name) to measure")
                    }
                    return known
                }
            }
            let report = try ModelBenchmark.run(settings, progress: Bench.progress)
            try Bench.show(report.text, json: report.json, to: output.json)
        }
    }
}
