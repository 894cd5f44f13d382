internal import TocsinCore
internal import TocsinDetect

/// Saved models of every kind but the Isolation Forest, with bytes changed and a checksum that holds. The first byte
/// chooses which.
enum SavedModels {
    static func run(_ input: [UInt8]) {
        var input = Input(input)
        let kind = Int(input.byte()) % bases.count
        let bytes = ModelTarget.sealed(input.changed(bases[kind]))
        switch kind {
        case 0, 1: forest(bytes, &input)
        case 2: sequence(bytes, &input)
        case 3, 4: forecast(bytes, &input)
        default: fire(bytes)
        }
    }

    private static func forest(_ bytes: [UInt8], _ input: inout Input) {
        guard let forest = try? RandomForest(saved: bytes) else { return }
        let rows = input.values(forest.width) + [Double](repeating: .nan, count: forest.width)
        let answers = forest.predict(rows: rows, threads: 1)
        check(answers == forest.predictPortably(rows: rows, threads: 1), "all kernels agree")
        check(answers.allSatisfy { !$0.isNaN }, "an answer is a number: \(answers)")
        check((try? RandomForest(saved: forest.saved())) != nil, "a forest that was read can be saved and read")
    }

    private static func sequence(_ bytes: [UInt8], _ input: inout Input) {
        guard let model = try? SequenceAutoencoder(saved: bytes) else { return }
        var scores = SequenceScores()
        let rows = input.values(model.shape.steps * model.featureNames.count)
        model.score(batch: rows, scratch: SequenceScratch(), into: &scores)
        check(scores.errors.count == 1, "a sequence has an error")
        let pValue = model.pValue(scores.errors[0])
        check(pValue >= 0 && pValue <= 1, "a probability lies in 0...1, not \(pValue) for \(scores.errors)")
        check((try? SequenceAutoencoder(saved: model.saved())) != nil, "a model that was read can be saved and read")
    }

    private static func forecast(_ bytes: [UInt8], _ input: inout Input) {
        guard var stream = try? ForecastStream(saved: bytes) else { return }
        _ = stream.forecast()
        for _ in 0..<16 where !input.isEmpty {
            let time = input.byte() & 3 == 0 ? input.number() : Int64(input.short()) * 60_000_000_000
            stream.observe(time: Timestamp(nanoseconds: time), value: input.value())
        }
        _ = stream.forecast()
        check((try? ForecastStream(saved: stream.saved())) != nil, "a forecast that was read can be saved and read")
    }

    private static func fire(_ bytes: [UInt8]) {
        guard let model = try? FireModel(saved: bytes) else { return }
        check((try? FireModel(saved: model.saved())) != nil, "a model that was read can be saved and read")
    }

    /// Small models without their checksums.
    private static let bases: [[UInt8]] = {
        let rows = (0..<120).map { Double(($0 * 37) % 101) / 4 }
        let long = (0..<2000).map { Double(($0 * 37) % 101) / 4 }
        let names = ["a", "b"]
        var settings = RandomForest.Settings(trees: 3, maximumDepth: 4)
        settings.threads = 1
        let classes = (0..<60).map { $0 % 3 }
        let sequence = SequenceAutoencoder.Settings(units: [2], steps: 3, epochs: 2, batchSize: 8, threads: 1)
        let course = (0..<400).map { Double($0 % 24) + Double(($0 * 31) % 7) / 10 }
        let series = RegularSeries(start: Timestamp(nanoseconds: 0), step: .seconds(3600), values: course)
        let choices: [Forecaster.Choice] = [.seasonalNaive, .holtWinters]
        let classifier = try? RandomForest.classifier(
            rows: rows, names: names, labels: classes, settings: settings, seed: 1)
        let regression = try? RandomForest.regression(
            rows: rows, names: names, targets: classes.map(Double.init), settings: settings, seed: 1)
        let autoencoder = try? SequenceAutoencoder.train(segments: [long], names: names, settings: sequence)
        let forecasts = choices.map { choice in
            (try? Forecaster(series, horizon: .seconds(6 * 3600), settings: .init(choice: choice)))
                .map { ForecastStream($0).saved() }
        }
        let fireRows = (0..<FireDetector.featureNames.count * 40).map { Double(($0 * 37) % 101) / 4 }
        let fire = try? RandomForest.classifier(
            rows: fireRows, names: FireDetector.featureNames, labels: (0..<40).map { $0 % 2 }, settings: settings,
            seed: 1)
        let saved: [[UInt8]?] =
            [classifier?.forest.saved(), regression?.forest.saved(), autoencoder?.saved()] + forecasts
            + [fire.flatMap { FireModel(forest: $0.forest, threshold: 0.5)?.saved() }]
        for (kind, bytes) in saved.enumerated() { check(bytes != nil, "model \(kind) can be made") }
        return saved.map { Array(($0 ?? []).dropLast(8)) }
    }()

    static var seeds: [[UInt8]] {
        bases.indices.flatMap { kind in
            [[UInt8(kind), 0, 1, 64, 1, 1, 80, 1, 1, 90, 1], [UInt8(kind), 1, 40, 0, 2, 7, 7, 1, 64, 1, 1, 80, 1]]
        }
    }
}
