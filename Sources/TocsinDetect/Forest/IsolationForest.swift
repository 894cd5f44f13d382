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
/// Training 100 trees on 256 samples takes about 7 ms, one row about 1 µs, a batch much less a row.
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
    public let calibration: ScoreCalibration
    let depth: Int
    let scaler: FeatureScaler
    // Complete trees, `1 << depth` slots each; the layout is described in CTocsinKernels.h.
    let features: [Int32]
    let thresholds: [Float]
    let lengths: [Float]
    /// Training samples in each leaf, for contributions.
    let leafSizes: [UInt16]

    /// Number of features of a row.
    public var width: Int { featureNames.count }

    /// Which hand-written body of the batch kernel to use.
    public enum Kernel: CaseIterable, Sendable {
        case portable, avx2, avx512

        /// The fastest one this processor has.
        public static var best: Kernel {
            switch tk_best_body() {
            case tk_body_avx512: .avx512
            case tk_body_avx2: .avx2
            default: .portable
            }
        }

        /// Those this processor can run.
        public static var available: [Kernel] {
            switch best {
            case .portable: [.portable]
            case .avx2: [.portable, .avx2]
            case .avx512: [.portable, .avx2, .avx512]
            }
        }

        /// Whether this processor can run it.
        var isAvailable: Bool { body.rawValue <= tk_best_body().rawValue }

        var body: tk_body {
            switch self {
            case .portable: tk_body_portable
            case .avx2: tk_body_avx2
            case .avx512: tk_body_avx512
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
