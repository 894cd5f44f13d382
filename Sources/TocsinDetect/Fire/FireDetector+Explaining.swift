public import TocsinCore

extension FireDetector {
    /// Why the last event alarms: what moved, from where to where, in words, or nil where it gave no cause. About 10 µs:
    /// for events with a step.
    public func explain() -> FireExplanation? {
        guard let time = latch.previous, assessment.cause != nil else { return nil }
        var moved: [(place: Int, strength: Double)] = []
        for place in channels.indices where channels[place].isJudged(at: time, learning: settings.learningSeconds) {
            let role = metrics.channels[place].role
            let departure = channels[place].departure
            let strength = role.countsBothWays ? abs(departure) : departure
            if role.group != .none, strength >= settings.departure / 2 { moved.append((place, strength)) }
        }
        moved.sort { $0.strength > $1.strength }
        let violation = excess.map(limits.violation)
        var reasons = violation.map { [String($0.sentence.dropLast())] } ?? []
        for (place, _) in moved.prefix(4) where place != violation?.column { reasons.append(reason(place)) }
        if assessment.cause == .forest {
            reasons.append(
                "the forest that learnt from earlier fires gives this pattern of change "
                    + "\(FireText.number((assessment.probability * 100).rounded())) %")
            if moved.isEmpty, let place = strongestMetric() { moved.append((place, 1)) }
        }
        guard let first = violation?.column ?? moved.first?.place else { return nil }
        let band = band(first, violation)
        var shares = moved.prefix(5).map { ($0.place, $0.strength) }
        // A limit reached counts as much as all the rest.
        if let column = violation?.column {
            let rest = shares.reduce(0) { $0 + ($1.0 == column ? 0 : $1.1) }
            shares.removeAll { $0.0 == column }
            shares.insert((column, max(rest, 1)), at: 0)
        }
        let sum = shares.reduce(0) { $0 + $1.1 }
        return FireExplanation(
            sentence: reasons.joined(separator: "; ") + ".", reasons: reasons, metric: metrics.channels[first].name,
            value: values[first].isNaN ? level(first, channels[first].fast) : values[first], expectedLow: band.low,
            expectedHigh: band.high,
            contributions: shares.map { Contribution(name: metrics.channels[$0.0].name, share: $0.1 / sum) })
    }

    private func level(_ place: Int, _ signal: Double) -> Double { metrics.channels[place].role.value(signal) }

    /// The metric that moved most, of those that count.
    private func strongestMetric() -> Int? {
        channels.indices.filter { metrics.channels[$0].role.group != .none && channels[$0].learned >= 0 }
            .max { abs(channels[$0].departure) < abs(channels[$1].departure) }
    }

    /// "PM2.5 rose from 1.8 to 32 µg/m³ within a minute", "TVOC[ppb] is 9 times its normal".
    private func reason(_ place: Int) -> String {
        let channel = channels[place]
        let metric = metrics.channels[place]
        let now = values[place].isNaN ? level(place, channel.fast) : values[place]
        let before = level(place, channel.minute)
        let usual = level(place, channel.slow)
        let swings = FireText.number(abs(channel.departure).rounded())
        if metric.role.countsBothWays {
            return "\(metric.name) moved from \(FireText.number(before)) to \(FireText.number(now)) within a minute, "
                + "\(swings) times its usual swing"
        }
        let unit = metric.unit.isEmpty ? "" : " \(metric.unit)"
        var text =
            "\(metric.name) rose from \(FireText.number(before)) to \(FireText.number(now))\(unit) within a minute"
        if metric.role.group != .heat, usual > 0, now >= 3 * usual {
            text += ", \(FireText.number((now / usual).rounded())) times its normal"
        }
        return text
    }

    /// Where the metric was expected: around its last minute, and below a limit that it broke.
    private func band(_ place: Int, _ violation: SafetyLimits.Violation?) -> (low: Double, high: Double) {
        let channel = channels[place]
        let role = metrics.channels[place].role
        guard channel.learned >= settings.learningSeconds else {
            return (-.infinity, violation?.rule.kind == .above ? violation?.rule.limit ?? .nan : .nan)
        }
        let width = settings.departure * max(channel.swing, role.floor)
        return (role.value(channel.minute - width), role.value(channel.minute + width))
    }

    /// A verdict of kind `fire` for what `observe` has just said, or nil without a step that is one. Limits speak under
    /// their own name, so that nothing that is switched off for models switches them off.
    public func verdict(_ assessment: FireAssessment, sensor: SensorID, at time: Timestamp) -> Verdict? {
        guard assessment.step == .raised || assessment.step == .continued, let why = explain() else { return nil }
        // Nominal: normal changes would be exponential in their usual swing; a limit is no matter of chance.
        let pValue = assessment.cause == .limit ? 1e-9 : max(exponential(-assessment.evidence * 2), 1e-9)
        return Verdict(
            sensor: sensor, series: nil, kind: .fire, detector: assessment.cause == .limit ? .safetyLimits : .fire,
            start: assessment.since, time: time, value: why.value, expectedLow: why.expectedLow,
            expectedHigh: why.expectedHigh, score: assessment.score, pValue: min(pValue, 0.5),
            contributions: why.contributions, isContinuation: assessment.step == .continued, reason: why.sentence)
    }
}
