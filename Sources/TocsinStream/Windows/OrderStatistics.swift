/// Quantiles and median absolute deviation of the values whose ordered keys, ascending, are `keys[start ..< start +
/// count]`.
struct OrderStatistics {
    let start: Int
    /// Positive.
    let count: Int

    @inline(__always)
    func value(_ rank: Int, _ keys: Span<UInt64>) -> Double { OrderedKey.value(keys[start + rank]) }

    /// Linear interpolation between the neighbours of rank `q (n - 1)` (Hyndman & Fan type 7). `quantile` lies in 0…1.
    func quantile(_ quantile: Double, _ keys: Span<UInt64>) -> Double {
        let rank = quantile * Double(count - 1)
        let below = Int(rank)
        let low = value(below, keys)
        if below + 1 >= count { return low }
        return low + (rank - Double(below)) * (value(below + 1, keys) - low)
    }

    func medianAbsoluteDeviation(from median: Double, _ keys: Span<UInt64>) -> Double {
        let upper = deviation(rank: count / 2, from: median, keys)
        if count % 2 == 1 { return upper }
        return (deviation(rank: count / 2 - 1, from: median, keys) + upper) / 2
    }

    /// The deviation from `center` with `rank` smaller ones, in log n steps: the `rank + 1` values nearest to the
    /// center stand side by side, and over all such spans the greater of the two end deviations is least where they
    /// cross.
    private func deviation(rank: Int, from center: Double, _ keys: Span<UInt64>) -> Double {
        var low = 0
        var high = count - 1 - rank
        while low < high {
            let middle = (low + high) / 2
            let crosses = value(middle + rank, keys) - center >= center - value(middle, keys)
            if crosses { high = middle } else { low = middle + 1 }
        }
        let here = max(center - value(low, keys), value(low + rank, keys) - center)
        if low == 0 { return here }
        return min(here, max(center - value(low - 1, keys), value(low - 1 + rank, keys) - center))
    }
}
