/// Random Forest: many decision trees, each grown on a random draw of the rows with a random choice of features at
/// every node; their mean is the answer.
///
/// Breiman, "Random Forests", Machine Learning 45, 2001; grown on histograms of at most 255 bins a feature (as in
/// Ke and others, "LightGBM", NIPS 2017), which changes no tree where a feature has no more values than that.
///
/// ```swift
/// let fit = try RandomForest.classifier(rows: flat, names: ["light", "co2"], labels: occupied, seed: 1)
/// fit.forest.predict([420, 900])     // 0.97: the probability of class 1
/// fit.forest.outOfBagError           // 0.02
/// ```
/// A missing value (NaN) goes to the side that served best in training. The out-of-bag error of rows that follow one
/// another in time flatters; give `groups` (recording, machine) to draw whole groups, and test on another recording.
public struct RandomForest: Sendable {
    public enum Task: UInt8, Sendable { case classification, regression }

    /// What a row counts in training by its class.
    public enum ClassWeights: Sendable, Equatable {
        case equal
        /// rows / (classes × rows of the class): every class counts as much as any other.
        case balanced
        /// One per class, finite and not negative.
        case given([Double])
    }

    /// How a forest is trained.
    public struct Settings: Sendable {
        /// 1…2000. Default 100.
        public var trees: Int
        /// Features tried at a node; nil = √features for classes, a third of them for regression.
        public var tries: Int?
        /// Rows of each side of a split, at least 1; nil = 1 for classes, 5 for regression.
        public var minimumLeafRows: Int?
        /// 1…64. Default 32.
        public var maximumDepth: Int
        public var classWeights: ClassWeights
        /// Measures `Fit.permutationImportance`, about as long again as the training. Default false.
        public var measuresPermutation: Bool
        /// At most so many at once; 0 = all cores. The forest does not depend on it.
        public var threads: Int

        public init(
            trees: Int = 100, tries: Int? = nil, minimumLeafRows: Int? = nil, maximumDepth: Int = 32,
            classWeights: ClassWeights = .equal, measuresPermutation: Bool = false, threads: Int = 0
        ) {
            self.trees = trees
            self.tries = tries
            self.minimumLeafRows = minimumLeafRows
            self.maximumDepth = maximumDepth
            self.classWeights = classWeights
            self.measuresPermutation = measuresPermutation
            self.threads = threads
        }
    }

    /// A trained forest with what only its training rows can tell.
    public struct Fit: Sendable {
        public let forest: RandomForest
        /// Per training row `outputs` values by the trees that did not see it; NaN where every tree did.
        public let outOfBag: [Double]
        /// Per feature, how much the out-of-bag error (share of wrong rows; mean squared error) grows when its values
        /// are shuffled, averaged over the trees; empty unless `measuresPermutation`.
        public let permutationImportance: [Double]
    }

    public let task: Task
    public let featureNames: [String]
    /// Classes told apart; 0 for regression.
    public let classes: Int
    /// Share of wrong rows, or root mean squared error, of the rows out of bag; NaN when there was none.
    public internal(set) var outOfBagError: Double
    /// Per feature, its share of all impurity (Gini or variance) that splits took away; sums to 1, or all 0. It favours
    /// features of many values.
    public let impurityImportance: [Double]
    let bins: FeatureBins
    /// First node of each tree.
    let starts: [UInt32]
    let nodes: [UInt64]
    /// `outputs` a node; only those of leaves are used.
    let values: [Float]
    /// nil where the processor or the number of features has no use for them.
    let bytes: ByteForest?

    init(
        task: Task, featureNames: [String], classes: Int, outOfBagError: Double, impurityImportance: [Double],
        bins: FeatureBins, starts: [UInt32], nodes: [UInt64], values: [Float]
    ) {
        self.task = task
        self.featureNames = featureNames
        self.classes = classes
        self.outOfBagError = outOfBagError
        self.impurityImportance = impurityImportance
        self.bins = bins
        self.starts = starts
        self.nodes = nodes
        self.values = values
        bytes = ByteForest(nodes: nodes, starts: starts, width: featureNames.count)
    }

    public var trees: Int { starts.count }
    public var width: Int { featureNames.count }
    /// Numbers a prediction has: 1 for regression (the value) and for two classes (the probability of class 1), else a
    /// probability for each class.
    public var outputs: Int { Self.outputs(task, classes: classes) }

    static func outputs(_ task: Task, classes: Int) -> Int { task == .classification && classes > 2 ? classes : 1 }
}

/// A node in 8 bytes: where its left child is (the right one follows), which feature, and which bins go right.
///
/// A value goes right where `bin &- offset > threshold`, so offset 0 sends a missing value (bin 0) left and offset 1
/// sends it right. A leaf is its own left child and lets none go right.
enum PackedNode {
    static func leaf(_ index: Int) -> UInt64 { make(left: index, feature: 0, threshold: 255, offset: 0) }

    static func make(left: Int, feature: Int, threshold: UInt8, offset: UInt8) -> UInt64 {
        UInt64(UInt32(truncatingIfNeeded: left)) | UInt64(UInt16(truncatingIfNeeded: feature)) << 32
            | UInt64(threshold) << 48 | UInt64(offset) << 56
    }

    @inline(__always) static func left(_ node: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: node) }
    @inline(__always) static func feature(_ node: UInt64) -> Int { Int(UInt16(truncatingIfNeeded: node >> 32)) }
    @inline(__always) static func threshold(_ node: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: node >> 48) }
    @inline(__always) static func offset(_ node: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: node >> 56) }

    @inline(__always) static func next(_ node: UInt64, _ bin: UInt8) -> UInt32 {
        left(node) &+ (bin &- offset(node) > threshold(node) ? 1 : 0)
    }
}
