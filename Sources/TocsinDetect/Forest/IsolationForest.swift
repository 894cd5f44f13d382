internal import CTocsinKernels

/// Isolation Forest: anomalies are few and different, so random cuts isolate them after few steps.
///
/// Liu, Ting and Zhou, "Isolation Forest", ICDM 2008: the score is 2^(−E(h)/c(n)), about 0.5 for ordinary rows, towards
/// 1 for rows that are isolated early. Every feature is centred and scaled by training median and interquartile range
/// first (the method itself does not mind, 32-bit thresholds do), and a missing feature (NaN) becomes the median.
///
/// ```swift
/// let forest = try IsolationForest.train(rows: flat, names: ["temperature", "humidity"], settings: .init(), seed: 1)
/// forest.score([85, 12])   // 0.78
/// ```
/// Training 100 trees on 256 samples takes about 5 ms, one row about 1 µs, a row of a batch about 0.1 µs a core.
public struct IsolationForest: Sendable {
    /// How a forest is trained.
    public struct Settings: Sendable {
        /// Default 100, as in the paper: path lengths have converged by then.
        public var trees: Int
        /// Rows per tree without replacement. Default 256, as in the paper: more only masks anomalies.
        public var sampleSize: Int
        /// Far outliers in the training rows (and rows the caller suspects) are thinned to at most this share, and the
        /// calibration leaves them out. nil trains on all rows, as in the paper. Default nil.
        public var outlierShare: Double?

        public init(trees: Int = 100, sampleSize: Int = 256, outlierShare: Double? = nil) {
            self.trees = trees
            self.sampleSize = sampleSize
            self.outlierShare = outlierShare
        }
    }

    public let featureNames: [String]
    public let trees: Int
    public let sampleSize: Int
    /// How scores spread on normal training rows.
    public internal(set) var calibration: ScoreCalibration
    let depth: Int
    let scaler: FeatureScaler
    // Complete trees, `1 << depth` slots each; the layout is described in CTocsinKernels.h.
    private(set) var features: [Int32]
    private(set) var thresholds: [Float]
    private(set) var lengths: [Float]
    /// Training samples in each leaf, for contributions.
    private(set) var leafSizes: [UInt16]
    /// Path lengths as whole steps of `1 / stepsPerUnit`, at most 65,535: sums are exact, whatever their order. The
    /// rounding moves a score by about one in a million.
    private(set) var steps: [Int32]
    private let stepsPerUnit: Float
    /// −ln 2 / (steps per unit × trees × mean path length): the logarithm of the score of a sum of 1.
    let unit: Double
    /// nil where the trees do not fit the words or the processor has no use for them.
    private(set) var words: WordForest?

    init(
        featureNames: [String], trees: Int, sampleSize: Int, calibration: ScoreCalibration, depth: Int,
        scaler: FeatureScaler, features: [Int32], thresholds: [Float], lengths: [Float], leafSizes: [UInt16]
    ) {
        self.featureNames = featureNames
        self.trees = trees
        self.sampleSize = sampleSize
        self.calibration = calibration
        self.depth = depth
        self.scaler = scaler
        self.features = features
        self.thresholds = thresholds
        self.lengths = lengths
        self.leafSizes = leafSizes
        // The largest power of two that keeps the longest path there can be within 16 bits.
        var perUnit: Float = 0x1p-40
        let longest = max(lengths.max() ?? 0, Float(Double(depth) + Self.meanPathLength(sampleSize)))
        while longest * perUnit * 2 <= 65_535 { perUnit *= 2 }
        stepsPerUnit = perUnit
        steps = lengths.map { Int32(($0 * perUnit).rounded()) }
        unit = -0.693_147_180_559_945_3 / (Double(perUnit) * Double(trees) * Self.meanPathLength(sampleSize))
        words = WordForest(
            trees: trees, depth: depth, width: featureNames.count, features: features, thresholds: thresholds,
            lengths: steps)
    }

    /// Puts the builder's only tree, of the same scale and sample size, in the place of another.
    mutating func replace(tree: Int, by builder: TreeBuilder) {
        let slots = 1 << depth
        guard builder.features.count == slots, tree < trees else { return }
        for slot in 0..<slots {
            features[tree << depth + slot] = builder.features[slot]
            thresholds[tree << depth + slot] = builder.thresholds[slot]
            lengths[tree << depth + slot] = builder.lengths[slot]
            leafSizes[tree << depth + slot] = builder.leafSizes[slot]
            steps[tree << depth + slot] = Int32((builder.lengths[slot] * stepsPerUnit).rounded())
        }
        // Derived anew they would cost more than they save before the next tree comes.
        words = nil
    }

    /// Number of features of a row.
    public var width: Int { featureNames.count }

    /// Which hand-written body of the batch kernel to use; all give the same scores.
    public enum Kernel: CaseIterable, Sendable {
        case portable, avx2
        /// Look-ups in memory, 16 rows side by side.
        case avx512
        /// Permutations of registers, 32 rows side by side: for at most 16 features and trees of at most 256 samples.
        case avx512bw

        /// The fastest one this processor has.
        public static var best: Kernel {
            if tk_has_word_forest() != 0 { return .avx512bw }
            switch tk_best_body() {
            case tk_body_avx512: return .avx512
            case tk_body_avx2: return .avx2
            default: return .portable
            }
        }

        /// Those this processor can run.
        public static var available: [Kernel] { allCases.filter(\.isAvailable) }

        /// Whether this processor can run it.
        var isAvailable: Bool {
            self == .avx512bw ? tk_has_word_forest() != 0 : body.rawValue <= tk_best_body().rawValue
        }

        /// What walks a forest that does not fit the kernel of words, too.
        var body: tk_body {
            switch self {
            case .portable: tk_body_portable
            case .avx2: tk_body_avx2
            case .avx512, .avx512bw: tk_body_avx512
            }
        }
    }

    /// Mean path length of an unsuccessful search in a binary search tree of `count` rows: c(n) of the paper.
    static func meanPathLength(_ count: Int) -> Double {
        switch count {
        case ...1: 0
        case 2: 1
        default:
            2 * (naturalLog(Double(count - 1)) + 0.577_215_664_901_532_9) - 2 * Double(count - 1) / Double(count)
        }
    }
}
