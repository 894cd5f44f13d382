internal import TocsinCore

/// An LSTM autoencoder of runs of feature rows: what it cannot reconstruct is unlike what it learned from.
///
/// ```swift
/// let model = try SequenceAutoencoder.train(segments: [rows], names: names)
/// var scores = SequenceScores()
/// model.score(batch: lastFiftyRows, scratch: scratch, into: &scores)
/// if scores.errors[0] >= model.threshold { … }
/// ```
/// The detector of Malhotra et al. 2016 with a threshold at a quantile of the errors of held-out normal rows.
public struct SequenceAutoencoder: Sendable {
    /// How to train; the defaults are those of the usual 128-64-64-128 model.
    public struct Settings: Sendable {
        /// Units of the encoder's layers; the decoder has the same backwards. Default 128, 64.
        public var units: [Int]
        /// Rows of a sequence. Default 50.
        public var steps: Int
        /// How many of the last steps of a sequence count in its error; 0 = all. With a few, alarms come and go sooner.
        /// Default 0.
        public var scoredSteps: Int
        /// Passes over the training sequences at most. Default 50.
        public var epochs: Int
        /// Sequences per step of the optimiser. Default 64.
        public var batchSize: Int
        /// Of Adam. Default 0.001.
        public var learningRate: Double
        /// Epochs without a better validation loss after which training ends. Default 5.
        public var patience: Int
        /// The quantile of the validation errors that is the threshold. Default 0.995.
        public var thresholdQuantile: Double
        /// Gradients longer than this are shortened to it (Pascanu et al. 2013). Default 1.
        public var maximumGradient: Double
        /// More training sequences than this are thinned out evenly. Default 20,000.
        public var maximumSequences: Int
        /// Threads; 0 = all cores. The model does not depend on it. Default 0.
        public var threads: Int
        public var seed: UInt64

        public init(
            units: [Int] = [128, 64], steps: Int = 50, scoredSteps: Int = 0, epochs: Int = 50, batchSize: Int = 64,
            learningRate: Double = 0.001, patience: Int = 5, thresholdQuantile: Double = 0.995,
            maximumGradient: Double = 1, maximumSequences: Int = 20_000, threads: Int = 0, seed: UInt64 = 1
        ) {
            self.units = units
            self.steps = steps
            self.scoredSteps = scoredSteps
            self.epochs = epochs
            self.batchSize = batchSize
            self.learningRate = learningRate
            self.patience = patience
            self.thresholdQuantile = thresholdQuantile
            self.maximumGradient = maximumGradient
            self.maximumSequences = maximumSequences
            self.threads = threads
            self.seed = seed
        }
    }

    /// What is known after an epoch of training; losses are mean squared errors of standardised features.
    public struct Progress: Sendable, Equatable {
        /// From 1 on.
        public var epoch: Int
        public var loss: Double
        public var validationLoss: Double
        /// Whether this is the best epoch so far; the model of the best one is kept.
        public var isBest: Bool
        public var trainingSequences: Int
        public var validationSequences: Int
    }

    /// The features that the rules of this project feed it with, one row a window.
    public static let windowFeatures = ["mean", "standard_deviation", "minimum", "maximum", "count", "range"]

    public let featureNames: [String]
    public let network: SequenceNetwork
    /// Errors at or above it are anomalous.
    public let threshold: Double
    /// The errors on held-out rows.
    public let tail: ErrorTail
    /// The last steps whose errors count, 1...`shape.steps`.
    public let scoredSteps: Int
    let scaler: StandardScaler

    public var shape: SequenceShape { network.shape }

    init(
        names: [String], network: SequenceNetwork, scoredSteps: Int, threshold: Double, tail: ErrorTail,
        scaler: StandardScaler
    ) {
        featureNames = names
        self.network = network
        self.scoredSteps = scoredSteps
        self.threshold = threshold
        self.tail = tail
        self.scaler = scaler
    }

    /// Probability of an error at least this high on normal rows, 0...1.
    public func pValue(_ error: Double) -> Double { tail.pValue(error) }
}
