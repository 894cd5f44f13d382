/// Quantiles and median absolute deviation of values in ascending order, of which there is at least one.
enum OrderStatistics {
    /// Linear interpolation between the neighbours of rank `q (n - 1)` (Hyndman & Fan type 7). `quantile` lies in 0…1.
    @inline(__always)
    static func quantile(_ quantile: Double, of sorted: Span<Double>) -> Double {
        let rank = quantile * Double(sorted.count - 1)
        let below = Int(rank)
        let low = sorted[below]
        if below + 1 >= sorted.count { return low }
        return low + (rank - Double(below)) * (sorted[below + 1] - low)
    }

    static func medianAbsoluteDeviation(from median: Double, of sorted: Span<Double>) -> Double {
        let upper = deviation(rank: sorted.count / 2, from: median, sorted)
        if sorted.count % 2 == 1 { return upper }
        return (deviation(rank: sorted.count / 2 - 1, from: median, sorted) + upper) / 2
    }

    /// The deviation from `center` with `rank` smaller ones, in log n steps: the `rank + 1` values nearest to the
    /// center stand side by side, and over all such spans the greater of the two end deviations is least where they
    /// cross.
    private static func deviation(rank: Int, from center: Double, _ sorted: Span<Double>) -> Double {
        var low = 0
        var high = sorted.count - 1 - rank
        while low < high {
            let middle = (low + high) / 2
            let crosses = sorted[middle + rank] - center >= center - sorted[middle]
            if crosses { high = middle } else { low = middle + 1 }
        }
        let here = max(center - sorted[low], sorted[low + rank] - center)
        if low == 0 { return here }
        return min(here, max(center - sorted[low - 1], sorted[low - 1 + rank] - center))
    }
}
