internal import TocsinCore
internal import TocsinDetect

extension SensorFinding {
    /// The finding as a verdict, with the names of its metrics.
    func verdict(_ names: SeriesNames) -> Verdict {
        let isSingle = finding.kind == .pattern
        let series = finding.metric < metrics.count ? metrics[finding.metric] : metrics.first
        var verdict = Verdict(
            sensor: sensor, series: series, kind: finding.kind, detector: isSingle ? .novelty : .assetChart,
            start: finding.start, time: finding.time, value: finding.value, expectedLow: finding.expectedLow,
            expectedHigh: finding.expectedHigh, score: finding.score, pValue: finding.pValue,
            contributions: isSingle ? [] : contributions(names), isContinuation: finding.isContinuation,
            reason: finding.evidence.words)
        verdict.quiet = quiet
        return verdict
    }

    private func contributions(_ names: SeriesNames) -> [Contribution] {
        var named: [Contribution] = []
        for place in finding.contributions.indices {
            let share = finding.contributions[place]
            guard share.share != 0, share.metric < metrics.count else { continue }
            named.append(Contribution(name: names.metricName(of: metrics[share.metric]), share: share.share))
        }
        return named
    }
}

extension EnsembleFinding.Evidence {
    var words: String {
        switch self {
        case .value: "values that were never seen before"
        case .step: "a step that was never made before"
        case .distribution: "a mix of values that was never seen before"
        case .shape: "a shape that was never seen before"
        case .combination: "metrics that do not go together as usual"
        }
    }
}
