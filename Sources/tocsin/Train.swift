public import ArgumentParser
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore
public import TocsinJobs

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model on a recording, or on what the store holds.",
        discussion: """
            Models:
              forest         Isolation Forest on all metrics of an event and their ratios; counters, times and labels are
                             left out
              random-forest  for smoke and fire sensors: learns how fires begin from labelled recordings (--labels), one
                             sensor or file for each
              lstm           autoencoder on runs of windows, one for each metric; layers and training by detection.lstm.*
                             or LSTM_UNITS, SEQUENCE_LENGTH, EPOCHS, BATCH_SIZE, ANOMALY_THRESHOLD
            Without --out the model goes into the data folder, and `tocsin run` uses it from its first event on. Every
            report says how the model does on time that it has not seen.

            Examples:
              tocsin train plant.csv --data-dir ./tocsin-data
              tocsin train plant.csv --out plant.forest --set detection.forest.trees=200
              tocsin train --from store --model lstm --metric temperature
              tocsin train kitchen.csv hall.csv --model random-forest --labels "Fire Alarm"
              tocsin score new.csv --time ts --values temperature,humidity --model plant.forest
            """)

    @Argument(help: "Files, folders, or - for standard input.", completion: .file())
    var files: [String] = []

    @Option(name: .long, help: "forest, random-forest or lstm.")
    var model = ModelChoice.forest

    @Option(name: .long, help: "A file, or store: the raw events of the data folder.", completion: .file())
    var from: [String] = []

    @Option(name: .long, help: "Column or field with the truth (0/1, or a word for the kind).")
    var labels: String?

    @Option(name: .long, help: "lstm: this metric only.")
    var metric: String?

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .long, help: "Writes the model to this file instead.", completion: .file())
    var out: String?

    func validate() throws {
        guard !files.isEmpty || !from.isEmpty else {
            throw ValidationError("name what to learn from: files, or --from store")
        }
        guard !(from.contains("store") && (from.count > 1 || !files.isEmpty)) else {
            throw ValidationError("the store and files cannot be mixed in one training")
        }
        guard metric == nil || model == .lstm else { throw ValidationError("--metric belongs to --model lstm") }
    }

    func run() async throws {
        try await Terminal.run {
            let loaded = try options.load(labels.map { ["input.mapping.labelColumn": $0] } ?? [:])
            let run = TrainRun(
                configuration: loaded.configuration, model: model,
                from: from == ["store"] ? .store : .files(files + from), metric: metric,
                to: out.map { .file($0) } ?? .store)
            let isShown = Terminal.errorsAreShown
            let result = try await run.run { line in if isShown { Terminal.write("\r\u{1B}[K\(line)") } }
            if isShown { Terminal.write("\r\u{1B}[K") }
            for model in result.models {
                Self.line("model", "\(model.record.name) version \(model.record.version)")
                for entry in model.report { Self.line(entry.name, entry.text) }
                for warning in model.warnings { Self.line("note", warning) }
            }
            Self.line("events", "\(result.events)\(result.leftOut > 0 ? " (\(result.leftOut) left out)" : "")")
            Self.line("time", "\((result.seconds * 100).rounded() / 100) s")
            Self.line("written to", out ?? StoreAccess(loaded.configuration).place)
        }
    }

    private static func line(_ name: String, _ text: String) {
        print(name + String(repeating: " ", count: max(1, 15 - name.count)) + text)
    }
}

extension ModelChoice: ExpressibleByArgument {}
