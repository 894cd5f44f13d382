public import TocsinCore

/// Turns a window's forest score into a verdict.
public enum WindowVerdict {
    /// The verdict on a window of a series, or nil when the rules say it is normal.
    ///
    /// - Parameters:
    ///   - row: the window's features; asked for only where there is a verdict.
    ///   - start: when the window began.
    ///   - time: when it ended: the verdict is found then.
    public static func judge(
        score: Double, row: @autoclosure () -> [Double], sensor: SensorID, series: SeriesID, start: Timestamp,
        time: Timestamp,
        forest: IsolationForest, rules: ForestRules = .window
    ) -> Verdict? {
        guard rules.isAnomalous(score, forest: forest) else { return nil }
        return Verdict(
            sensor: sensor, series: series, kind: .pattern, detector: .windowForest, start: start, time: time,
            value: score, expectedLow: 0, expectedHigh: forest.calibration.threshold(pValue: rules.maximumPValue),
            score: score, pValue: forest.calibration.pValue(score), contributions: forest.contributions(of: row()))
    }
}
