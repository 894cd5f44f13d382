public import TocsinCore

/// Turns an event's forest score into a verdict.
public enum EventVerdict {
    /// The verdict on an event, or nil when the rules say it is normal. Contributions cost 0.1 ms and are computed for
    /// verdicts only.
    /// - Parameter row: the event's features; asked for only where there is a verdict.
    public static func judge(
        score: Double, row: @autoclosure () -> [Double], sensor: SensorID, time: Timestamp, forest: IsolationForest,
        rules: ForestRules = .event
    ) -> Verdict? {
        guard rules.isAnomalous(score, forest: forest) else { return nil }
        return Verdict(
            sensor: sensor, series: nil, kind: .multivariate, detector: .eventForest, start: time, time: time,
            value: score, expectedLow: 0, expectedHigh: forest.calibration.threshold(pValue: rules.maximumPValue),
            score: score, pValue: forest.calibration.pValue(score), contributions: forest.contributions(of: row()))
    }
}
