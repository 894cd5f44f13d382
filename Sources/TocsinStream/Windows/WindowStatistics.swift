public import TocsinCore

/// The statistics of one window, of `n` readings with values `x` in time order at times `t` (seconds), mean `m`.
///
/// They agree with NumPy and SciPy within 1e-9 (`StatisticsAgreementTests`, scripts/make-statistics-fixtures.py). A
/// sum without bounds runs over all readings. NaN where a denominator is 0 or readings are too few.
///
/// - `count`: n. `sum`: Σ x. `mean`: m = Σ x / n.
/// - `variance`: Σ (x - m)² / (n - 1), n ≥ 2; `numpy.var(ddof=1)`. `standardDeviation`: its square root.
/// - `minimum`, `maximum`, `range` = maximum - minimum.
/// - `median`, `p5`, `p25`, `p75`, `p95`: the value of rank q (n - 1), linear between neighbours; type 7 of Hyndman &
///   Fan, "Sample Quantiles in Statistical Packages", Am. Stat. 50, 1996; `numpy.percentile`.
/// - `interquartileRange`: p75 - p25; `scipy.stats.iqr`.
/// - `medianAbsoluteDeviation`: the median of |x - median|, not scaled; Hampel, "The Influence Curve and Its Role in
///   Robust Estimation", JASA 69, 1974; `scipy.stats.median_abs_deviation`.
/// - `skewness`: g1 = (Σ (x - m)³ / n) / (Σ (x - m)² / n)^1.5, biased; `scipy.stats.skew`. NaN for a constant window.
/// - `kurtosis`: g2 = n Σ (x - m)⁴ / (Σ (x - m)²)² - 3, biased excess; `scipy.stats.kurtosis`. NaN for a constant
///   window.
/// - `first`, `last`, `change` = last - first.
/// - `slope`: Σ (t - mean t)(x - m) / Σ (t - mean t)², units a second; least squares, `scipy.stats.linregress`.
/// - `rootMeanSquare`: √(Σ x² / n). `crestFactor`: max |x| / rootMeanSquare; both as in vibration analysis (ISO
///   13373-2).
/// - `meanAbsoluteChange`: Σ |x[i+1] - x[i]| / (n - 1), n ≥ 2.
/// - `meanCrossingRate`: changes of the sign of x - m, divided by n - 1; a zero takes the sign before it, leading
///   zeros none. Kedem, "Spectral Analysis and Discrimination by Zero-Crossings", Proc. IEEE 74, 1986.
/// - `autocorrelation`: r1 = Σ (x[i] - m)(x[i+1] - m) / Σ (x - m)²; Box & Jenkins, "Time Series Analysis", 1970.
/// - `coefficientOfVariation`: standardDeviation / |m|.
/// - `completeness`: n / (window size / typical interval), at most 1. The typical interval between readings is
///   learned, an exponentially weighted mean of winsorised intervals: each moves the estimate by an eighth of its
///   distance, which counts up to a quarter of the estimate.
public struct WindowStatistics: Sendable {
    private var row = InlineArray<28, Double>(repeating: .nan)

    /// The value of one statistic.
    public subscript(_ statistic: WindowStatistic) -> Double { row[statistic.rawValue] }

    /// - Parameters:
    ///   - sortedKeys: ordered keys of the values, ascending, from `SortedRuns.mergedStart` on.
    ///   - expectedCount: window size divided by the typical interval; NaN where unknown.
    init(_ moments: WindowMoments, sortedKeys: Span<UInt64>, expectedCount: Double) {
        setMoments(moments)
        setOrder(OrderStatistics(start: SortedRuns.mergedStart, count: moments.count), sortedKeys)
        setShape(moments)
        setSequence(moments)
        let peak = max(abs(self[.minimum]), abs(self[.maximum]))
        set(.crestFactor, self[.rootMeanSquare] > 0 ? peak / self[.rootMeanSquare] : .nan)
        let completeness = Double(moments.count) / expectedCount
        set(.completeness, completeness > 1 ? 1 : completeness)
    }

    private mutating func set(_ statistic: WindowStatistic, _ value: Double) { row[statistic.rawValue] = value }

    private mutating func setMoments(_ moments: WindowMoments) {
        let count = Double(moments.count)
        set(.count, count)
        set(.sum, moments.sum)
        set(.mean, moments.mean)
        set(.rootMeanSquare, (moments.secondMoment / count + moments.mean * moments.mean).squareRoot())
        guard moments.count >= 2 else { return }
        let variance = moments.secondMoment / (count - 1)
        set(.variance, variance)
        set(.standardDeviation, variance.squareRoot())
        if moments.mean != 0 { set(.coefficientOfVariation, variance.squareRoot() / abs(moments.mean)) }
    }

    private mutating func setOrder(_ order: OrderStatistics, _ keys: Span<UInt64>) {
        set(.minimum, order.value(0, keys))
        set(.maximum, order.value(order.count - 1, keys))
        set(.range, self[.maximum] - self[.minimum])
        set(.p5, order.quantile(0.05, keys))
        set(.p25, order.quantile(0.25, keys))
        set(.median, order.quantile(0.5, keys))
        set(.p75, order.quantile(0.75, keys))
        set(.p95, order.quantile(0.95, keys))
        set(.interquartileRange, self[.p75] - self[.p25])
        set(.medianAbsoluteDeviation, order.medianAbsoluteDeviation(from: self[.median], keys))
    }

    private mutating func setShape(_ moments: WindowMoments) {
        guard moments.secondMoment > 0 else { return }
        let count = Double(moments.count)
        let variance = moments.secondMoment / count
        set(.skewness, moments.thirdMoment / count / (variance * variance.squareRoot()))
        set(.kurtosis, moments.fourthMoment / count / (variance * variance) - 3)
        set(.autocorrelation, moments.lagProducts / moments.secondMoment)
    }

    private mutating func setSequence(_ moments: WindowMoments) {
        set(.first, moments.first)
        set(.last, moments.last)
        set(.change, moments.last - moments.first)
        guard moments.count >= 2 else { return }
        let steps = Double(moments.count - 1)
        set(.meanAbsoluteChange, moments.absoluteChange / steps)
        set(.meanCrossingRate, Double(moments.meanCrossings) / steps)
        if moments.timeMoment > 0 { set(.slope, moments.timeProducts / moments.timeMoment) }
    }

    /// Appends the statistics to the columns of a batch, in the order of `WindowStatistic.allCases`.
    func append(to columns: inout [Double]) {
        unsafe row.span.withUnsafeBufferPointer { unsafe columns.append(contentsOf: $0) }
    }
}
