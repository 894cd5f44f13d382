internal import TocsinCore
internal import TocsinDetect

/// `ShingleSubspace` or `ShingleClusters`, metric by metric; the score of a row is its most surprising metric's.
struct ShingleDetector: SeriesDetector {
    enum View { case subspace, clusters }
    /// e^-8 of the windows of an exponential tail.
    let threshold = 8.0
    private let view: View
    private var subspaces: [ShingleSubspace]
    private var clusters: [ShingleClusters]

    init(_ view: View, width: Int) {
        self.view = view
        subspaces = .init(repeating: ShingleSubspace(), count: width)
        clusters = .init(repeating: ShingleClusters(), count: width)
    }

    mutating func fit(_ rows: MetricRows) { _ = score(rows) }

    mutating func score(_ rows: MetricRows) -> [Double] {
        var scores = [Double](repeating: 0, count: rows.count)
        for (metric, column) in rows.columns.enumerated() where metric < subspaces.count {
            for row in column.indices {
                let surprise =
                    switch view {
                    case .subspace: subspaces[metric].observe(column[row])
                    case .clusters: clusters[metric].observe(column[row])
                    }
                scores[row] = max(scores[row], surprise)
            }
        }
        return scores
    }
}
