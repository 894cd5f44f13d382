internal import TocsinCore

extension SeriesState {
    /// Scores a reading of which nothing is to be learned. Only clocks go on, and the range condition, so that it is
    /// said at intervals as ever.
    mutating func judge(
        _ raw: Double, time: Int64, highWater: Int64, range: ValidRange, parameters: BankParameters
    ) -> Assessment {
        var result = Assessment(value: raw, time: time)
        guard count > 0 else { return result }
        let seconds = advance(highWater: highWater)
        patience = intervals < 20 ? .infinity : silenceLimit(parameters)
        guard raw.isFinite else { return result }
        let value = raw.clamped(-1e300, 1e300)
        let residual = residual(value, gap: interval > 0 ? seconds / interval : 0, parameters: parameters)
        result.surprise = residual.surprise
        result.isLearning = isLearning(parameters)
        if spikeLimit > 0 {
            let reach = Double(spikeLimit) * residual.deviation
            result.expectedLow = residual.prediction - reach
            result.expectedHigh = residual.prediction + reach
        }
        let isCurrent = time >= lastTime
        lastTime = max(time, lastTime)
        if range.isLeft(raw, parameters) {
            if isCurrent {
                sayRange(&result, range: range, time: time, parameters: parameters)
            } else {
                result.report(.range, surprise: parameters.surpriseLimit)
            }
        } else if isCurrent {
            conditions.remove(.range)
            if !result.isLearning, moves >= 8, conditions.contains(.notBinary), residual.z > Double(spikeLimit),
                residual.surprise >= parameters.knownSurprise,
                parameters.allows(.spike), parameters.isWorthwhile(residual.difference, level: residual.prediction)
            {
                result.report(.spike, surprise: max(residual.surprise, parameters.surpriseLimit))
            }
        }
        result.finish(parameters.surpriseLimit)
        return result
    }
}
