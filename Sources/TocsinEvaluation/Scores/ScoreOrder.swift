/// Rows sorted by score, the most anomalous first; NaN counts as minus infinity, the two zeros as equal.
///
/// O(n log n); ties stay in row order, so a result never depends on the sort.
struct ScoreOrder {
    struct Row {
        var score: Double
        var row: Int
        var isLabelled: Bool
    }

    /// Only the rows both arrays have.
    let rows: [Row]
    let positives: Int

    init(scores: [Double], labels: [Bool]) {
        let count = min(scores.count, labels.count)
        var rows: [Row] = []
        rows.reserveCapacity(count)
        var positives = 0
        for row in 0..<count {
            rows.append(Row(score: Self.comparable(scores[row]), row: row, isLabelled: labels[row]))
            positives += labels[row] ? 1 : 0
        }
        rows.sort { $0.score > $1.score || ($0.score == $1.score && $0.row < $1.row) }
        self.rows = rows
        self.positives = positives
    }

    static func comparable(_ score: Double) -> Double { score.isNaN ? -.infinity : score }

    /// Calls `body` after each group of equal scores with the rows taken so far, labelled and not.
    func forEachThreshold(_ body: (_ threshold: Double, _ truePositives: Int, _ falsePositives: Int) -> Void) {
        var truePositives = 0
        var falsePositives = 0
        for (place, row) in rows.enumerated() {
            if row.isLabelled { truePositives += 1 } else { falsePositives += 1 }
            if place + 1 == rows.count || rows[place + 1].score != row.score {
                body(row.score, truePositives, falsePositives)
            }
        }
    }
}
