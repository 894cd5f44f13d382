/// When a forest's score is called anomalous: the decision, apart from score and calibration.
public struct ForestRules: Sendable, Equatable {
    /// The score must be at least this improbable on normal rows.
    public var maximumPValue: Double
    /// And at least this high: on data without structure the calibration alone would flag the edge of the normal.
    public var minimumScore: Double

    public init(maximumPValue: Double, minimumScore: Double) {
        self.maximumPValue = maximumPValue
        self.minimumScore = minimumScore
    }

    /// For single events. Measured false verdicts: 5 in 86,000 normal events of a plant stream with 20 % anomalies
    /// (all of which are found), 9 in 50,000 unlabelled events of an environmental log.
    public static let event = ForestRules(maximumPValue: 1e-3, minimumScore: 0.6)
    /// For windows, which are many and overlap: stricter.
    public static let window = ForestRules(maximumPValue: 1e-4, minimumScore: 0.65)

    public func isAnomalous(_ score: ForestScore) -> Bool {
        score.score >= minimumScore && score.pValue <= maximumPValue
    }

    /// From a batch score; false for NaN (not scored).
    public func isAnomalous(_ score: Double, forest: IsolationForest) -> Bool {
        score >= minimumScore && isAnomalous(ForestScore(score, forest: forest))
    }
}
