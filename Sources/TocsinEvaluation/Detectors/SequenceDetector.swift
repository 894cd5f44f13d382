internal import TocsinDetect

/// `SequenceAutoencoder` with 64 and 32 units, at most 20 epochs and 1,500 sequences: half the size of its defaults, so
/// that all suites together take a minute. Several metrics: their rows; one: the six features of windows of 16 rows every
/// 4 rows, as there are no closed windows here. Up to 50 steps, fewer where there is little to fit on; the score is the
/// error of the last 10.
struct SequenceDetector: SeriesDetector {
    private static let window = 16
    private static let hop = 4
    private let names: [String]
    private let isUnivariate: Bool
    private let seed: UInt64
    private var model: SequenceAutoencoder?
    /// The last fitted rows, which the first sequences reach back to.
    private var past: MetricRows?

    init(_ context: SeriesContext) {
        isUnivariate = context.width == 1
        names = isUnivariate ? SequenceAutoencoder.windowFeatures : context.metricNames
        seed = context.seed
    }

    var threshold: Double { model?.threshold ?? .infinity }

    mutating func fit(_ rows: MetricRows) throws {
        past = rows
        let flat = features(rows)
        // At least 16 sequences in the last fifth, by which training stops.
        let count = flat.count / names.count
        let steps = min(50, count / 12, count / 5 - 15)
        guard steps >= 4 else { return }
        model = try SequenceAutoencoder.train(
            segments: [flat], names: names,
            settings: .init(
                units: [64, 32], steps: steps, scoredSteps: min(steps, 10), epochs: 20, batchSize: 32,
                learningRate: 0.003,
                maximumSequences: 1500, threads: 1, seed: seed))
    }

    mutating func score(_ rows: MetricRows) throws -> [Double] {
        // A cold start: the first rows are learnt from and not judged.
        let learnt = past == nil ? rows.coldStart : 0
        if learnt > 0 { try fit(rows.prefix(learnt)) }
        guard let model else { return Array(repeating: 0, count: rows.count) }
        let before = learnt > 0 ? 0 : past?.count ?? 0
        let all = joined(rows, before: before)
        let reach = isUnivariate ? Self.window + (model.shape.steps - 1) * Self.hop : model.shape.steps
        let hop = isUnivariate ? Self.hop : 1
        var scores = SequenceScores()
        model.score(rows: features(all), scratch: SequenceScratch(), into: &scores)
        return rows.times.indices.map { row in
            let sequence = (before + row + 1 - reach) / hop
            guard row >= learnt, before + row + 1 >= reach, sequence < scores.errors.count else { return 0 }
            return scores.errors[sequence]
        }
    }

    private func joined(_ rows: MetricRows, before: Int) -> MetricRows {
        guard before > 0, let past else { return rows }
        return MetricRows(times: past.times + rows.times, columns: zip(past.columns, rows.columns).map { $0 + $1 })
    }

    private func features(_ rows: MetricRows) -> [Double] {
        guard isUnivariate, let column = rows.columns.first else { return rows.flat }
        guard column.count >= Self.window else { return [] }
        var flat: [Double] = []
        for start in stride(from: 0, through: column.count - Self.window, by: Self.hop) {
            let known = column[start..<start + Self.window].filter(\.isFinite)
            let count = Double(known.count)
            let mean = known.reduce(0, +) / count
            let squares = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let (low, high) = (known.min() ?? .nan, known.max() ?? .nan)
            flat += [mean, (squares / count).squareRoot(), low, high, count, high - low]
        }
        return flat
    }
}
