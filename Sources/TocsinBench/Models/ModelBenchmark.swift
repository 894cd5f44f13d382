public import TocsinCore
public import TocsinMeasure

/// `tocsin bench models`: how fast the detectors alone are, on rows made on the spot; `scripts/bench-models` puts the same
/// work of scikit-learn and ONNX Runtime beside it.
public enum ModelBenchmark {
    /// What is measured. A further model is one case here and one file `ModelLoops+….swift`.
    public enum Model: String, CaseIterable, Sendable {
        /// Tier 1, a reading of each sensor in turn.
        case bank
        /// Isolation Forest of 100 trees of 256 samples on 6 features.
        case forest
        /// Random Forest of 100 trees on 12 features.
        case randomForest = "random-forest"
        /// LSTM autoencoder 128-64-64-128 on 50 steps of 6 features, forward pass on one core.
        case lstm
    }

    public struct Settings: Sendable {
        public var models = Model.allCases
        /// Runs of everything; the median counts.
        public var repeats = 5
        /// One series each.
        public var sensors = [10_000, 1_000_000]
        /// Rows that the Isolation Forest is trained on.
        public var trainingRows = 1_000_000
        /// Rows of a batch.
        public var batch = 20_000

        public init() {}

        /// - Throws: `TocsinError(.usage)` for what cannot be measured.
        public func validate() throws(TocsinError) {
            guard (1...1000).contains(repeats) else { throw TocsinError(.usage, "--repeat takes 1 to 1000") }
            guard !models.isEmpty else { throw TocsinError(.usage, "there is no model to measure") }
            guard sensors.allSatisfy({ (1...10_000_000).contains($0) }) else {
                throw TocsinError(.usage, "the bank takes 1 to 10,000,000 sensors")
            }
            guard (100...20_000_000).contains(trainingRows), (100...1_000_000).contains(batch) else {
                throw TocsinError(
                    .usage, "forests take 100 to 20,000,000 rows to train on and 100 to 1,000,000 a batch")
            }
        }
    }

    /// - Throws: `TocsinError` when the settings cannot be measured or a model cannot be trained.
    public static func run(
        _ settings: Settings = Settings(), progress: ProgressLine? = nil
    ) throws -> ModelReport {
        try settings.validate()
        var report = ModelReport(repeats: settings.repeats)
        for model in settings.models {
            progress?(model.rawValue)
            switch model {
            case .bank: report.figures += ModelLoops.bank(settings)
            case .forest: report.figures += try ModelLoops.forest(settings)
            case .lstm: report.figures += try ModelLoops.sequence(settings)
            case .randomForest: report.figures += try ModelLoops.randomForest(settings)
            }
        }
        return report
    }
}
