internal import TocsinCore
internal import TocsinDetect

/// Isolation Forest on rows of several metrics or on shingles of one; with rows to fit on it is trained once, without
/// it starts by itself and trains again as it sees more. Scores are the forest's own, 0...1; it flags by the project's
/// rules for events or windows: score and p-value must both be beyond their limits.
struct ForestDetector: SeriesDetector {
    private static let shingle = 16
    private let names: [String]
    private let isUnivariate: Bool
    private let fitsScoredRows: Bool
    private let seed: UInt64
    private var forest: IsolationForest?
    private var past: [Double] = []
    private var rules: ForestRules { isUnivariate ? .window : .event }

    /// - Parameter fitsScoredRows: fit on the rows to score, as for tables, where rows have no order.
    init(_ context: SeriesContext, fitsScoredRows: Bool = false) {
        isUnivariate = context.width == 1 && !context.isTable
        names = isUnivariate ? (0..<Self.shingle).map { "back\($0)" } : context.metricNames
        self.fitsScoredRows = fitsScoredRows || context.isTable
        seed = context.seed
    }

    var threshold: Double {
        guard let forest else { return rules.minimumScore }
        return max(rules.minimumScore, forest.calibration.threshold(pValue: rules.maximumPValue))
    }

    mutating func fit(_ rows: MetricRows) throws {
        guard !fitsScoredRows, rows.count >= 64 else { return }
        forest = try IsolationForest.train(rows: features(rows), names: names, seed: seed)
    }

    mutating func score(_ rows: MetricRows) throws -> [Double] {
        let flat = features(rows)
        if fitsScoredRows { forest = try IsolationForest.train(rows: flat, names: names, seed: seed) }
        guard let forest else { return learning(flat) }
        var raw: [Double] = []
        forest.score(rows: flat, into: &raw)
        return raw
    }

    private func learning(_ flat: [Double]) -> [Double] {
        var learner = ForestLearner(names: names, settings: .init(firstRows: 300, seed: seed))
        let width = names.count
        var scores: [Double] = []
        var part: [Double] = []
        var row = 0
        let count = flat.count / width
        // One forest at a time, so that each score is calibrated by the forest that gave it.
        while row < count {
            let end = min(count, row + min(learner.rowsUntilTraining, count))
            let forest = learner.forest
            learner.observe(rows: Array(flat[row * width..<end * width]), into: &part)
            for score in part {
                // Below the limit where the p-value of its time says no, as later forests have other calibrations.
                let isFlagged = forest.map { rules.isAnomalous(score, forest: $0) } ?? false
                let ordinary = score.isNaN ? 0 : min(score, rules.minimumScore.nextDown)
                scores.append(isFlagged ? score : ordinary)
            }
            row = end
        }
        return scores
    }

    private mutating func features(_ rows: MetricRows) -> [Double] {
        isUnivariate ? ShingledRows.flat(rows, shingle: Self.shingle, past: &past) : rows.flat
    }
}
