internal import TocsinCore

/// The seasons a series may have: an hour, a day, a week, where its autocorrelation bears them out.
enum SeasonPeriods {
    /// Slots of a season that are still remembered one by one.
    static let longest = 10_080

    /// The periods in slots, ascending.
    ///
    /// A season of p slots shows as a correlation at lag p that is notable and higher than at half of it; a slow wander
    /// has one that only falls.
    static func likely(in series: RegularSeries) -> [Int] {
        let values = bounded(series.values)
        var periods: [Int] = []
        for span in [Span64.hours(1), .days(1), .days(7)] where span.nanoseconds / series.step.nanoseconds >= 4 {
            let period = series.slots(in: span)
            guard period <= longest, period <= series.count / 3 else { continue }
            let whole = correlation(values, lag: period)
            guard whole > 0.2, whole > correlation(values, lag: period / 2) + 0.05 else { continue }
            periods.append(period)
        }
        return periods
    }

    /// What lies far outside the quartiles is drawn in; missing values stay NaN.
    private static func bounded(_ values: [Double]) -> [Double] {
        let sorted = values.filter(\.isFinite).sorted()
        let low = quantile(sorted: sorted, 0.25)
        let high = quantile(sorted: sorted, 0.75)
        let reach = high > low ? 3 * (high - low) : .infinity
        return values.map { $0.isFinite ? $0.clamped(low - reach, high + reach) : .nan }
    }

    /// Of the values with those `lag` slots before, over the pairs that are there; 0 where nothing varies.
    private static func correlation(_ values: [Double], lag: Int) -> Double {
        var (n, x, y, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        // Sums of squares of large numbers lose the small differences.
        guard let origin = values.first(where: \.isFinite) else { return 0 }
        for place in max(lag, 0)..<max(values.count, lag) {
            let (a, b) = (values[place] - origin, values[place - lag] - origin)
            guard a.isFinite, b.isFinite else { continue }
            n += 1
            x += a
            y += b
            xx += a * a
            yy += b * b
            xy += a * b
        }
        let spread = (xx - x * x / max(n, 1)) * (yy - y * y / max(n, 1))
        return n > 8 && spread > 0 ? (xy - x * y / n) / spread.squareRoot() : 0
    }
}
