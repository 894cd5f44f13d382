/// Median and quartiles, and a spread that a few wild values do not change.
public struct RobustSummary: Sendable {
    public var count: Int
    public var median: Double
    public var lowQuartile: Double
    public var highQuartile: Double
    /// 1.4826 times the median absolute deviation: the standard deviation where values are normal. Where more than half
    /// of the values are equal, the mean absolute deviation times 1.2533 instead; 0 only where all are equal.
    public var spread: Double

    /// nil where no value is finite.
    public init?(_ values: some Sequence<Double>) {
        let sorted = values.filter(\.isFinite).sorted()
        guard !sorted.isEmpty else { return nil }
        count = sorted.count
        median = Self.quantile(sorted, 0.5)
        lowQuartile = Self.quantile(sorted, 0.25)
        highQuartile = Self.quantile(sorted, 0.75)
        let centre = median
        let deviations = sorted.map { abs($0 - centre) }.sorted()
        let typical = 1.4826 * Self.quantile(deviations, 0.5)
        spread = typical > 0 ? typical : 1.2533 * deviations.reduce(0, +) / Double(deviations.count)
    }

    /// How many spreads a value lies above the median, at most 99 either way.
    public func distance(_ value: Double) -> Double {
        let difference = value - median
        guard difference != 0 else { return 0 }
        // A series that never moved has no spread of its own; rounding errors are no movement.
        let least = max(abs(median) * 1e-9, 1e-300)
        return min(max(difference / max(spread, least), -99), 99)
    }

    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
        return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
    }
}
