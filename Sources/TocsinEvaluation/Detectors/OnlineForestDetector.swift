internal import Glibc
internal import TocsinDetect

/// `OnlineForest` on rows of several metrics or on shingles of one; scores are -log10 p.
struct OnlineForestDetector: SeriesDetector {
    private static let shingle = 16
    let threshold = 3.0
    private let isUnivariate: Bool
    private var forest: OnlineForest
    private var past: [Double] = []

    init(_ context: SeriesContext) {
        isUnivariate = context.width == 1
        forest = OnlineForest(
            names: isUnivariate ? (0..<Self.shingle).map { "back\($0)" } : context.metricNames,
            settings: .init(seed: context.seed))
    }

    mutating func fit(_ rows: MetricRows) { _ = score(rows) }

    mutating func score(_ rows: MetricRows) -> [Double] {
        let flat = isUnivariate ? ShingledRows.flat(rows, shingle: Self.shingle, past: &past) : rows.flat
        let width = forest.names.count
        var scores: [Double] = []
        scores.reserveCapacity(rows.count)
        var one: [Double] = []
        for row in 0..<rows.count {
            // Row by row: each is judged by the calibration of its time.
            let calibration = forest.forest?.calibration
            forest.observe(rows: Array(flat[row * width..<(row + 1) * width]), into: &one)
            let pValue = one.first.flatMap { $0.isNaN ? nil : calibration?.pValue($0) } ?? 1
            scores.append(-log10(max(pValue, 1e-300)))
        }
        return scores
    }
}

/// The last values of one metric side by side.
enum ShingledRows {
    /// - Parameter past: the values before these rows; before the beginning the first value stands.
    static func flat(_ rows: MetricRows, shingle: Int, past: inout [Double]) -> [Double] {
        guard let column = rows.columns.first, let first = past.last ?? column.first else { return rows.flat }
        let back = shingle - 1
        let values = (past.isEmpty ? Array(repeating: first, count: back) : past) + column
        past = values.suffix(back)
        var flat: [Double] = []
        flat.reserveCapacity(column.count * shingle)
        for row in column.indices { flat.append(contentsOf: values[row...row + back]) }
        return flat
    }
}
