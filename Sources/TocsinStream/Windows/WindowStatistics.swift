internal import CTocsinKernels
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
    ///   - sorted: the values, ascending; at least one.
    ///   - expectedCount: window size divided by the typical interval; NaN where unknown.
    init(_ moments: tk_moments, first: Double, last: Double, sorted: Span<Double>, expectedCount: Double) {
        let count = Double(sorted.count)
        setMoments(moments, count: count, mean: first + moments.mean_offset)
        setOrder(sorted)
        setShape(moments, count: count)
        setSequence(moments, count: count, first: first, last: last)
        let peak = max(abs(self[.minimum]), abs(self[.maximum]))
        set(.crestFactor, self[.rootMeanSquare] > 0 ? peak / self[.rootMeanSquare] : .nan)
        let completeness = count / expectedCount
        set(.completeness, completeness > 1 ? 1 : completeness)
    }

    @inline(__always)
    private mutating func set(_ statistic: WindowStatistic, _ value: Double) { row[statistic.rawValue] = value }

    private mutating func setMoments(_ moments: tk_moments, count: Double, mean: Double) {
        set(.count, count)
        set(.sum, moments.sum)
        set(.mean, mean)
        set(.rootMeanSquare, (moments.second / count + mean * mean).squareRoot())
        guard count >= 2 else { return }
        let variance = moments.second / (count - 1)
        set(.variance, variance)
        set(.standardDeviation, variance.squareRoot())
        if mean != 0 { set(.coefficientOfVariation, variance.squareRoot() / abs(mean)) }
    }

    private mutating func setOrder(_ sorted: Span<Double>) {
        set(.minimum, sorted[0])
        set(.maximum, sorted[sorted.count - 1])
        set(.range, self[.maximum] - self[.minimum])
        set(.p5, OrderStatistics.quantile(0.05, of: sorted))
        set(.p25, OrderStatistics.quantile(0.25, of: sorted))
        set(.median, OrderStatistics.quantile(0.5, of: sorted))
        set(.p75, OrderStatistics.quantile(0.75, of: sorted))
        set(.p95, OrderStatistics.quantile(0.95, of: sorted))
        set(.interquartileRange, self[.p75] - self[.p25])
        set(.medianAbsoluteDeviation, OrderStatistics.medianAbsoluteDeviation(from: self[.median], of: sorted))
    }

    private mutating func setShape(_ moments: tk_moments, count: Double) {
        guard moments.second > 0 else { return }
        let variance = moments.second / count
        set(.skewness, moments.third / count / (variance * variance.squareRoot()))
        set(.kurtosis, moments.fourth / count / (variance * variance) - 3)
        set(.autocorrelation, moments.lag_products / moments.second)
    }

    private mutating func setSequence(_ moments: tk_moments, count: Double, first: Double, last: Double) {
        set(.first, first)
        set(.last, last)
        set(.change, last - first)
        guard count >= 2 else { return }
        set(.meanAbsoluteChange, moments.absolute_change / (count - 1))
        set(.meanCrossingRate, Double(moments.crossings) / (count - 1))
        if moments.time_second > 0 { set(.slope, moments.time_products / moments.time_second) }
    }

    /// Appends the statistics to the columns of a batch, in the order of `WindowStatistic.allCases`.
    func append(to columns: inout [Double]) {
        unsafe row.span.withUnsafeBufferPointer { unsafe columns.append(contentsOf: $0) }
    }
}
