internal import TocsinCore
internal import TocsinDetect

/// `NoveltyDetector`, metric by metric; the score of a row is its most surprising metric's. It is not told ranges: its
/// own learned range does better.
struct NoveltyStreamDetector: SeriesDetector {
    let threshold = NoveltyDetector.defaultThreshold
    private var detectors: [NoveltyDetector]

    init(width: Int) { detectors = .init(repeating: NoveltyDetector(), count: width) }

    mutating func fit(_ rows: MetricRows) { _ = score(rows) }

    mutating func score(_ rows: MetricRows) -> [Double] {
        var scores = [Double](repeating: 0, count: rows.count)
        for (metric, column) in rows.columns.enumerated() where metric < detectors.count {
            for row in column.indices { scores[row] = max(scores[row], detectors[metric].observe(column[row]).score) }
        }
        return scores
    }
}
