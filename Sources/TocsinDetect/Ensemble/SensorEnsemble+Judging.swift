internal import TocsinCore

extension SensorEnsemble {
    /// One metric: novelty decides.
    mutating func single(
        _ time: Timestamp, _ values: Span<Double>, into findings: inout [EnsembleFinding]
    ) -> Double {
        guard !series.isEmpty, values.count > 0,
            let answer = series[0].observe(values[0], time: time.nanoseconds)
        else { return 0 }
        let score = answer.novelty.score / series[0].threshold
        if series[0].detector.isReady { history.observe(score) }
        guard score >= 1 else { return score }
        var finding = finding(.pattern, metric: 0, time: time, score: score)
        finding.start = Timestamp(nanoseconds: answer.start)
        finding.value = answer.value
        (finding.expectedLow, finding.expectedHigh) = series[0].detector.usualBand()
        finding.evidence = Self.strongest(answer.novelty)
        let reach = Self.leastExcess * (finding.expectedHigh - finding.expectedLow)
        let isNear =
            answer.value >= finding.expectedLow - reach && answer.value <= finding.expectedHigh + reach
        if finding.evidence == .value, isNear, score < Self.decisive { return 1.0.nextDown }
        finding.contributions[0].share = 1
        finding.isContinuation = series[0].sinceMark < UInt16(NoveltyDetector.defaultQuiet)
        series[0].mark()
        findings.append(finding)
        return score
    }

    /// Several metrics: the chart decides; bank and novelty tip the scales.
    mutating func row(
        _ time: Timestamp, _ values: Span<Double>, _ evidence: Span<Double>, width: Int,
        into findings: inout [EnsembleFinding]
    ) -> Double {
        let correction = naturalLog(Double(max(self.width, 1)))
        var (bank, novelty) = (0.0, 0.0)
        for metric in 0..<width {
            if metric < evidence.count { bank = max(bank, evidence[metric]) }
            guard usesNovelty else { continue }
            _ = series[metric].observe(values[metric], time: time.nanoseconds)
            novelty = max(novelty, (series[metric].raw - correction) / series[metric].threshold)
        }
        guard let reading = chart?.observe(values), chart?.isReady == true else { return 0 }
        let share = correction / Self.bankNats
        let tipping = ((bank - share) / max(1 - share, 0.1)).clamped(0, 1) + novelty.clamped(0, 1)
        let score = reading.score + Self.lightWeight * tipping
        history.observe(score)
        let wasAlarm = isAlarm
        isAlarm = reading.isAlarm || score >= (isAlarm ? Self.release : 1)
        if score < Self.release { rising = .min } else if rising == .min { rising = time.nanoseconds }
        guard isAlarm else { return min(score, 1.0.nextDown) }
        let isDue =
            !wasAlarm
            || time.since(Timestamp(nanoseconds: lastEmission)).nanoseconds >= Self.continuationInterval.nanoseconds
        if isDue {
            lastEmission = time.nanoseconds
            findings.append(multivariate(time, values, score: score, isContinuation: wasAlarm))
        }
        return max(score, 1)
    }

    private func multivariate(
        _ time: Timestamp, _ values: Span<Double>, score: Double, isContinuation: Bool
    ) -> EnsembleFinding {
        var finding = finding(.multivariate, metric: 0, time: time, score: score)
        if let chart {
            for metric in 0..<chart.width {
                let share = EnsembleFinding.Share(metric: metric, share: chart.share(of: metric))
                EnsembleFinding.insert(share, into: &finding.contributions)
            }
            finding.metric = finding.contributions[0].metric
            (finding.expectedLow, finding.expectedHigh) = chart.band(of: finding.metric)
        }
        if finding.metric < values.count { finding.value = values[finding.metric] }
        if rising != .min { finding.start = Timestamp(nanoseconds: rising) }
        finding.isContinuation = isContinuation
        return finding
    }

    private func finding(_ kind: AnomalyKind, metric: Int, time: Timestamp, score: Double) -> EnsembleFinding {
        EnsembleFinding(
            kind: kind, metric: metric, evidence: .combination, start: time, time: time, value: .nan, expectedLow: .nan,
            expectedHigh: .nan, score: score / (score + 1), pValue: history.pValue(score),
            contributions: EnsembleFinding.noShares, isContinuation: false)
    }

    private static func strongest(_ novelty: Novelty) -> EnsembleFinding.Evidence {
        let parts: InlineArray<4, Double> = [
            novelty.value, novelty.step, novelty.distribution, novelty.shape,
        ]
        var most = 0
        for part in 1..<4 where parts[part] > parts[most] { most = part }
        return EnsembleFinding.Evidence(rawValue: UInt8(most)) ?? .value
    }
}
