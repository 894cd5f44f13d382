/// Which threshold first flags each row.
struct ThresholdBins {
    /// For each row the first threshold (from the highest) at or below its score.
    private(set) var binOfRow: [Int]
    /// Rows flagged at each threshold.
    private(set) var flagged: [Int]
    /// Labelled rows flagged at each threshold.
    private(set) var labelledFlagged: [Int]
    let positives: Int

    init(order: ScoreOrder, thresholds: Int) {
        let count = order.rows.count
        // numpy.linspace(0, count - 1, thresholds).astype(int), rounding included.
        let step = thresholds > 1 ? Double(count - 1) / Double(thresholds - 1) : 0
        binOfRow = Array(repeating: thresholds - 1, count: count)
        flagged = Array(repeating: count, count: thresholds)
        labelledFlagged = Array(repeating: order.positives, count: thresholds)
        positives = order.positives
        var place = 0
        var labelled = 0
        for bin in 0..<thresholds {
            let isLast = bin == thresholds - 1 && thresholds > 1
            let index = isLast ? count - 1 : min(Int(Double(bin) * step), count - 1)
            while place < count, order.rows[place].score >= order.rows[index].score {
                binOfRow[order.rows[place].row] = bin
                labelled += order.rows[place].isLabelled ? 1 : 0
                place += 1
            }
            flagged[bin] = place
            labelledFlagged[bin] = labelled
        }
        // With one threshold the rows below it are never flagged.
        for rest in order.rows[place...] { binOfRow[rest.row] = thresholds }
    }
}
