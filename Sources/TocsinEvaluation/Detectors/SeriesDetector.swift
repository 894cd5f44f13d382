internal import TocsinCore

/// What a detector is told before it sees data.
public struct SeriesContext: Sendable {
    public var metricNames: [String]
    /// The values that can occur, metric by metric; nil where a detector has to find out. NAB's official mode tells it.
    public var ranges: [ClosedRange<Double>]?
    /// Rows of a table have no order; rows of a stream have.
    public var isTable: Bool
    public var seed: UInt64

    public init(
        metricNames: [String], ranges: [ClosedRange<Double>]? = nil, isTable: Bool = false, seed: UInt64 = 1
    ) {
        self.metricNames = metricNames
        self.ranges = ranges
        self.isTable = isTable
        self.seed = seed
    }

    public var width: Int { metricNames.count }
}

/// A detector under judgement: fitted on the first rows of a recording, then given the rest in order.
///
/// Scores: higher is more anomalous; as far as a detector has probabilities they are -log10 p. A score may depend on
/// the fitted rows, on its own row and on rows before it, never on later ones.
public protocol SeriesDetector: Sendable {
    /// A row is flagged when its score is at or above it; fixed by the detector itself, known after `fit`.
    var threshold: Double { get }
    /// Learns from rows meant to be normal; without rows it starts cold.
    mutating func fit(_ rows: MetricRows) throws
    /// One score per row; rows that it cannot judge yet get 0. Called once, with the rows that follow those of `fit`.
    mutating func score(_ rows: MetricRows) throws -> [Double]
}

/// The registry: adding a detector is one entry here.
public struct EvaluatedDetector: Sendable {
    /// What a detector can be run on.
    public struct Fields: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// One metric in time order.
        public static let univariate = Fields(rawValue: 1)
        /// Several metrics in time order.
        public static let multivariate = Fields(rawValue: 2)
        /// Rows without order.
        public static let table = Fields(rawValue: 4)
        public static let streams: Fields = [.univariate, .multivariate]
        public static let all: Fields = [.univariate, .multivariate, .table]
    }

    public let name: String
    public let oneLine: String
    public let fields: Fields
    public let make: @Sendable (SeriesContext) -> any SeriesDetector

    public init(
        name: String, oneLine: String, fields: Fields, make: @escaping @Sendable (SeriesContext) -> any SeriesDetector
    ) {
        self.name = name
        self.oneLine = oneLine
        self.fields = fields
        self.make = make
    }

    public static let all: [EvaluatedDetector] = [
        EvaluatedDetector(
            name: "default", oneLine: "what runs when nothing is configured: novelty, and across metrics a chart",
            fields: .streams
        ) { DefaultDetector(width: $0.width) },
        EvaluatedDetector(
            name: "bank", oneLine: "tier 1 as the engine runs it, one series a metric", fields: .streams
        ) { BankDetector($0) },
        EvaluatedDetector(
            name: "forest", oneLine: "Isolation Forest, 100 trees of 256 rows; univariate: shingles of 16", fields: .all
        ) { ForestDetector($0) },
        EvaluatedDetector(
            name: "forest-hindsight", oneLine: "the forest fitted on the rows it scores: a floor, not a detector",
            fields: .all
        ) { ForestDetector($0, fitsScoredRows: true) },
        EvaluatedDetector(
            name: "online-forest",
            oneLine: "Isolation Forest that follows the stream and forgets, about 4,096 rows back",
            fields: .streams
        ) { OnlineForestDetector($0) },
        EvaluatedDetector(
            name: "pca-error", oneLine: "what the components of 90 % of the variance leave over",
            fields: [.multivariate, .table]
        ) { _ in ComponentErrorDetector() },
        EvaluatedDetector(
            name: "novelty", oneLine: "what a series has not done before: pattern memory, entropy, shingle clusters",
            fields: .streams
        ) { NoveltyStreamDetector(width: $0.width) },
        EvaluatedDetector(
            name: "asset-chart", oneLine: "smoothed T² across the metrics of an asset, wandering forgiven",
            fields: .multivariate
        ) { _ in AssetChartDetector() },
        EvaluatedDetector(
            name: "principal-subspace", oneLine: "T² and residual of the principal components, smoothed",
            fields: .multivariate
        ) { _ in PrincipalSubspaceDetector() },
        EvaluatedDetector(
            name: "shingle-subspace", oneLine: "minor components of the last 24 values", fields: .streams
        ) { ShingleDetector(.subspace, width: $0.width) },
        EvaluatedDetector(
            name: "shingle-clusters", oneLine: "distance of the last 24 values to 16 centres", fields: .streams
        ) { ShingleDetector(.clusters, width: $0.width) },
        EvaluatedDetector(
            name: "lstm", oneLine: "reconstruction error of an LSTM autoencoder of the last 50 rows", fields: .streams
        ) { SequenceDetector($0) },
        EvaluatedDetector(
            name: "windowed-gaussian", oneLine: "NAB's simple detector: normal distribution of the last 6,400 values",
            fields: .streams
        ) { PerMetricDetector(WindowedGaussian(), width: $0.width) },
        EvaluatedDetector(name: "random", oneLine: "random scores: what chance reaches", fields: .all) {
            RandomDetector(seed: $0.seed)
        },
        EvaluatedDetector(name: "null", oneLine: "never fires", fields: .all) { _ in NullDetector() },
    ]

    /// Whether no score depends on a later row; false only for a floor to compare with.
    public var isCausal: Bool { name != "forest-hindsight" }

    /// The entry of a name.
    ///
    /// - Throws: `TocsinError(.usage)` that lists the names there are.
    public static func named(_ name: String) throws -> EvaluatedDetector {
        guard let found = all.first(where: { $0.name == name }) else {
            throw TocsinError(
                .usage, "there is no detector \(name)",
                remedy: "choose from \(all.map(\.name).joined(separator: ", "))")
        }
        return found
    }
}
