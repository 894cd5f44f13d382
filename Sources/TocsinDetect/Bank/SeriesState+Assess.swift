internal import TocsinCore

extension SeriesState {
    /// All that happens at a reading of the series that is number `index` of the bank.
    @inline(__always)
    mutating func take(
        _ value: Double, time: Int64, highWater: Int64, source: SourceID, range: ValidRange,
        parameters: BankParameters, index: Int, deadlines: inout DeadlineIndex
    ) -> Assessment {
        self.source = UInt8(clamping: source.index)
        let (gap, next) = arrive(highWater: highWater, parameters: parameters)
        if next < deadline { deadlines.lower(index, to: next) }
        deadline = next
        return assess(value, time: time, gap: gap, range: range, parameters: parameters)
    }

    /// Scores a reading, then learns it, and says which verdict is due.
    @inline(__always)
    mutating func assess(
        _ raw: Double, time: Int64, gap: Float, range: ValidRange, parameters: BankParameters
    ) -> Assessment {
        var result = Assessment(value: raw, time: time)
        guard raw.isFinite else { return result }
        guard count == 0 || time >= lastTime else {
            // Too late for everything that depends on order.
            if !range.contains(raw), parameters.allows(.range) {
                result.report(.range, surprise: parameters.surpriseLimit)
            }
            result.finish(parameters)
            return result
        }
        // Differences of clamped values stay finite.
        let value = raw.clamped(-1e300, 1e300)
        if count == 0 { start(value, time: time) }
        let residual = residual(value, gap: gap)
        result.isLearning = isLearning(parameters)
        let isJudged = !result.isLearning && moves >= 8 && conditions.contains(.notBinary)
        if count > 0 {
            result.surprise = residual.surprise
            let reach = Double(spikeLimit) * residual.deviation
            if spikeLimit > 0 {
                result.expectedLow = residual.prediction - reach
                result.expectedHigh = residual.prediction + reach
            }
        }

        // While learning, outliers are kept out silently, so that a spike just before the end is not the first anchor.
        let isOutlier = moves >= 8 && count >= 16 && residual.z > Double(spikeLimit)
        if value != 0, value != 1 { conditions.insert(.notBinary) }
        let isStuck = followRun(value, time: time, isJump: isOutlier, parameters: parameters)
        learn(value, residual: residual, isOutlier: isOutlier)
        previous = value
        lastTime = time
        count = count == .max ? .max : count + 1

        if isOutlier || isStuck || blockFill == Self.blockLength - 1 || !range.contains(raw)
            || !conditions.isDisjoint(with: [.range, .noise])
        {
            conclude(
                &result, value, residual: residual, isOutlier: isOutlier, isStuck: isStuck, isJudged: isJudged,
                range: range, parameters: parameters)
        } else {
            if outliers > 0 { endOutliers(isJudged: isJudged) }
            blockFill += 1
        }
        result.finish(parameters)
        return result
    }

    /// What happens at few readings: one in sixteen closes a block, fewer are outliers or belong to a condition. Kept
    /// out of line, so that the others do not pay for its variables.
    @inline(never)
    private mutating func conclude(
        _ result: inout Assessment, _ value: Double, residual: Residual, isOutlier: Bool, isStuck: Bool,
        isJudged: Bool, range: ValidRange, parameters: BankParameters
    ) {
        let time = lastTime
        var block: BlockFinding?
        if isOutlier {
            let before = residual.prediction
            if followOutlier(value, time: time, residual: residual, isJudged: isJudged) == .newLevel, isJudged,
                parameters.allows(.drift),
                parameters.isWorthwhile(residual.difference, level: before)
            {
                block = startDrift(
                    time: time, surprise: 2 * residual.surprise, before: before,
                    margin: Double(spikeLimit) * residual.deviation)
            }
        } else {
            endOutliers(isJudged: isJudged)
        }
        blockFill += 1
        if blockFill == Self.blockLength {
            let closed = closeBlock(time: time, parameters: parameters)
            if isJudged { block = block ?? closed }
        }
        decide(
            &result, residual: residual, isOutlier: isOutlier && isJudged, isStuck: isStuck, block: block, range: range,
            parameters: parameters)
    }

    /// Too few readings for a judgement. Series slower than one reading a minute learn for up to a day and 300
    /// readings, because their day is short in readings and the first morning must not look like a failure.
    @inline(__always) private func isLearning(_ parameters: BankParameters) -> Bool {
        guard count >= parameters.learningReadings, spikeLimit > 0 else { return true }
        return count < 300 && interval >= 60 && Float(count) * interval < 86_400
    }

    @inline(never)
    private mutating func start(_ value: Double, time: Int64) {
        previous = value
        level = value
        anchor = value
        baseline = value
        lastTime = time
        runStart = time
        run = 0
    }

    /// Picks the most specific verdict: range, stuck, drift that has just been settled, spike, noise.
    private mutating func decide(
        _ result: inout Assessment, residual: Residual, isOutlier: Bool, isStuck: Bool, block: BlockFinding?,
        range: ValidRange, parameters: BankParameters
    ) {
        let time = lastTime
        if !range.contains(result.value), parameters.allows(.range) {
            if !conditions.contains(.range) { rangeStart = time }
            let isDue = enter(.range, time: time, parameters: parameters)
            result.expectedLow = range.low
            result.expectedHigh = range.high
            result.hold(
                .range, surprise: parameters.surpriseLimit, start: rangeStart, isContinuation: isDue == .again,
                isDue: isDue != .notYet)
            return
        }
        conditions.remove(.range)
        if isStuck, parameters.allows(.stuck) {
            let isDue = enter(.stuck, time: time, parameters: parameters)
            result.hold(
                .stuck, surprise: stuckSurprise, start: runStart, isContinuation: isDue == .again,
                isDue: isDue != .notYet)
            return
        }
        if let block, block.kind == .drift {
            result.expectedLow = block.low
            result.expectedHigh = block.high
            result.value = block.value
            result.hold(
                .drift, surprise: block.surprise, start: block.start, isContinuation: block.isContinuation, isDue: true)
            return
        }
        if isOutlier, parameters.allows(.spike),
            parameters.isWorthwhile(residual.difference, level: residual.prediction)
        {
            result.report(.spike, surprise: residual.surprise)
            return
        }
        guard conditions.contains(.noise) else { return }
        result.condition = .noise
        guard let block else { return }
        // The block's finding is due when the condition begins, then at intervals.
        let isDue = !block.isContinuation || time &- lastEmission >= parameters.continuationInterval
        if isDue { lastEmission = time }
        if isDue {
            result.expectedLow = block.low
            result.expectedHigh = block.high
            result.value = block.value
        }
        result.hold(
            .noise, surprise: block.surprise, start: block.start, isContinuation: block.isContinuation, isDue: isDue)
    }

    private enum Due { case now, again, notYet }

    /// Marks a lasting condition and says whether it is to be reported at this reading.
    private mutating func enter(_ condition: Conditions, time: Int64, parameters: BankParameters) -> Due {
        guard conditions.contains(condition) else {
            conditions.insert(condition)
            lastEmission = time
            return .now
        }
        guard time &- lastEmission >= parameters.continuationInterval else { return .notYet }
        lastEmission = time
        return .again
    }
}

extension Assessment {
    mutating func report(_ kind: AnomalyKind, surprise: Double) {
        self.kind = kind
        condition = kind
        self.surprise = max(self.surprise, surprise)
    }

    mutating func hold(
        _ condition: AnomalyKind, surprise: Double, start: Int64, isContinuation: Bool, isDue: Bool
    ) {
        self.condition = condition
        self.surprise = max(self.surprise, surprise)
        guard isDue else { return }
        kind = condition
        self.start = Timestamp(nanoseconds: start)
        self.isContinuation = isContinuation
    }

    @inline(__always) mutating func finish(_ parameters: BankParameters) {
        score = surprise / (surprise + parameters.surpriseLimit)
    }
}
