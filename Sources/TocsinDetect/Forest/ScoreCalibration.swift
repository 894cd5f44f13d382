/// From a forest's score to the probability of one at least as high on normal rows.
///
/// Up to the 90 % quantile the empirical distribution of the training scores (64 quantiles), beyond it an exponential
/// tail with the mean excess of the top tenth. The tail is an extrapolation: below about 1/rows it orders, it does
/// not count.
public struct ScoreCalibration: Sendable, Equatable {
    static let points = 64
    /// The quantiles 0, 1/63, … 1 of the scores of normal training rows, ascending.
    let quantiles: [Double]
    /// The 90 % quantile and the mean excess over it.
    let tailStart: Double
    let tailScale: Double

    init(quantiles: [Double], tailStart: Double, tailScale: Double) {
        self.quantiles = quantiles
        self.tailStart = tailStart
        self.tailScale = tailScale
    }

    init(scores: [Double]) {
        let sorted = scores.sorted()
        quantiles = (0..<Self.points).map { quantile(sorted: sorted, Double($0) / Double(Self.points - 1)) }
        let start = quantile(sorted: sorted, 0.9)
        let above = sorted.filter { $0 > start }
        let excess = above.reduce(0) { $0 + $1 - start } / Double(max(above.count, 1))
        tailStart = start
        // A floor, so that equal training scores do not make the next digit a certainty.
        tailScale = max(excess, 0.002)
    }

    /// Probability of a score at least this high on normal rows, 0…1.
    public func pValue(_ score: Double) -> Double {
        guard score <= tailStart else {
            return score.isNaN ? .nan : 0.1 * exponential(-(score - tailStart) / tailScale)
        }
        var low = 0
        var high = quantiles.count - 1
        guard score > quantiles[low] else { return 1 }
        // Invariant: quantiles[low] < score <= quantiles[high].
        guard score <= quantiles[high] else { return 0.1 }
        while high - low > 1 {
            let middle = (low + high) / 2
            if quantiles[middle] < score { low = middle } else { high = middle }
        }
        let width = quantiles[high] - quantiles[low]
        let rank = Double(low) + (width > 0 ? (score - quantiles[low]) / width : 1)
        return max(1 - rank / Double(Self.points - 1), 0.1)
    }

    /// The score whose p-value is `pValue`.
    public func threshold(pValue: Double) -> Double {
        guard pValue < 0.1 else { return quantile(sorted: quantiles, 1 - pValue) }
        return tailStart - tailScale * naturalLog(max(pValue, 1e-300) / 0.1)
    }
}
