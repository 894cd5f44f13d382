/// A forest's score of one row with its calibrated probability.
public struct ForestScore: Sendable, Equatable {
    /// 0…1, high = anomalous.
    public var score: Double
    /// Probability of a score at least this high on normal rows.
    public var pValue: Double

    public init(_ score: Double, forest: IsolationForest) {
        self.score = score
        pValue = forest.calibration.pValue(score)
    }
}
