/// How often values at least as high came before: the causal p-value of each score of a recording.
///
/// Conformal (Vovk 2005): (1 + earlier scores at least as high) / (1 + earlier scores). On scores without drift it is
/// uniform, whatever the detector; it cannot be smaller than one over the number of scores. n log n for n scores.
public enum RecentShare {
    /// - Parameter scores: in order of time; NaN is passed over and gets NaN.
    public static func pValues(_ scores: [Double]) -> [Double] {
        let ordered = Set(scores.filter { !$0.isNaN }).sorted()
        // Fenwick tree over ranks: counts of the scores so far.
        var tree = [Int](repeating: 0, count: ordered.count + 1)
        var count = 0
        return scores.map { score in
            guard !score.isNaN else { return .nan }
            let rank = Self.rank(of: score, in: ordered)
            var lower = 0
            var index = rank
            while index > 0 {
                lower += tree[index]
                index -= index & -index
            }
            let p = Double(1 + count - lower) / Double(1 + count)
            index = rank + 1
            while index < tree.count {
                tree[index] += 1
                index += index & -index
            }
            count += 1
            return p
        }
    }

    /// How many are lower.
    private static func rank(of score: Double, in ordered: [Double]) -> Int {
        var low = 0
        var high = ordered.count
        while low < high {
            let middle = (low + high) / 2
            if ordered[middle] < score { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
