public import TocsinCore

/// The features of a closed window, measured in the series' own long-run level and scale so that windows of different
/// sensors can share one forest.
public enum WindowFeatures {
    public static let names = [
        "mean", "standard_deviation", "range", "slope", "mean_absolute_change", "autocorrelation",
        "mean_crossing_rate", "minimum", "maximum",
    ]
    /// The values of one row.
    public static let width = names.count
    /// Windows with fewer readings are not scored: their statistics are noise.
    public static let minimumCount = 8.0

    /// Appends the row of window `row`; false, and nothing appended, when it has too few readings or the series no
    /// baseline yet (`Bank.baseline(of:)`).
    ///
    /// - Parameter span: the window's length; the slope counts as the change over it.
    public static func append(
        _ windows: WindowBatch, row: Int, baseline: (level: Double, scale: Double)?, span: Span64,
        to rows: inout [Double]
    ) -> Bool {
        guard let baseline, baseline.scale > 0,
            windows.value(.count, row: row) >= minimumCount
        else { return false }
        let unit = 1 / baseline.scale
        rows.append((windows.value(.mean, row: row) - baseline.level) * unit)
        rows.append(windows.value(.standardDeviation, row: row) * unit)
        rows.append(windows.value(.range, row: row) * unit)
        rows.append(windows.value(.slope, row: row) * span.seconds * unit)
        rows.append(windows.value(.meanAbsoluteChange, row: row) * unit)
        rows.append(windows.value(.autocorrelation, row: row))
        rows.append(windows.value(.meanCrossingRate, row: row))
        rows.append((windows.value(.minimum, row: row) - baseline.level) * unit)
        rows.append((windows.value(.maximum, row: row) - baseline.level) * unit)
        return true
    }
}
