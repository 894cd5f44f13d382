internal import TocsinCore

extension SeriesState {
    /// What a reading asks for beyond what every reading gets.
    enum Step { case calm, eventful, late, unusable }

    /// What is known of a reading that is to be concluded.
    struct Flags: OptionSet {
        var rawValue: UInt8
        static let outlier = Flags(rawValue: 1)
        static let stuck = Flags(rawValue: 2)
        static let judged = Flags(rawValue: 4)
    }

    struct Outcome {
        var step: Step
        var flags: Flags = []
        /// The deadline may have come nearer.
        var isNearer: Bool
        var residual: Residual
    }

    /// All that happens at every reading: scores it, then learns it. A result of `calm` and `eventful` is not finished
    /// yet, and `eventful` has to be concluded: one reading in sixteen closes a block, fewer are outliers or belong to a
    /// condition.
    @inline(always)
    mutating func take(
        _ raw: Double, time: Int64, highWater: Int64, range: ValidRange, parameters: BankParameters,
        into result: inout Assessment
    ) -> Outcome {
        // First, because divisions take long and what comes of these is needed last.
        let rates = learningRates
        let (gap, isNearer) = arrive(highWater: highWater, parameters: parameters)
        result = Assessment(value: raw, time: time)
        let isInRange = range.contains(raw)
        guard raw.isFinite else { return Outcome(step: .unusable, isNearer: isNearer, residual: .none) }
        guard count == 0 || time >= lastTime else { return Outcome(step: .late, isNearer: isNearer, residual: .none) }
        // Differences of clamped values stay finite.
        let value = raw.atMost(1e300).atLeast(-1e300)
        if count == 0 { start(value, time: time) }
        let residual = residual(value, gap: gap, parameters: parameters)
        var flags: Flags = []
        result.isLearning = isLearning(parameters)
        if !result.isLearning, moves >= 8, conditions.contains(.notBinary) { flags.insert(.judged) }
        if count > 0 {
            result.surprise = residual.surprise
            let reach = Double(spikeLimit) * residual.deviation
            if spikeLimit > 0 {
                result.expectedLow = residual.prediction - reach
                result.expectedHigh = residual.prediction + reach
            }
        }

        // While learning, outliers are kept out silently, so that a spike just before the end is not the first anchor.
        let isOutlier =
            moves >= 8 && count >= 16 && (residual.z > Double(spikeLimit) || abs(residual.sum) > sumLimit)
        if !conditions.contains(.notBinary), value != 0, value != 1 { conditions.insert(.notBinary) }
        let isStuck = followRun(value, time: time, isJump: isOutlier, parameters: parameters)
        learn(value, residual: residual, isOutlier: isOutlier, rates: rates)
        previous = value
        lastTime = time
        count = count == .max ? .max : count + 1

        if isOutlier || isStuck || blockFill == Self.blockLength - 1 || !isInRange
            || !conditions.isDisjoint(with: [.range, .noise]) || history > 0 && interval >= 60
        {
            if isOutlier { flags.insert(.outlier) }
            if isStuck { flags.insert(.stuck) }
            return Outcome(step: .eventful, flags: flags, isNearer: isNearer, residual: residual)
        }
        if outliers > 0 { endOutliers(isJudged: flags.contains(.judged)) }
        blockFill += 1
        return Outcome(step: .calm, isNearer: isNearer, residual: residual)
    }

    /// What happens at few readings, after `take`.
    mutating func conclude(
        _ result: inout Assessment, residual: Residual, flags: Flags, range: ValidRange, parameters: BankParameters,
        histories: inout LevelHistories
    ) {
        let time = lastTime
        let (isOutlier, isJudged) = (flags.contains(.outlier), flags.contains(.judged))
        var block: BlockFinding?
        if isOutlier {
            let before = residual.prediction
            if followOutlier(previous, time: time, residual: residual, isJudged: isJudged) == .newLevel, isJudged,
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
        let closesBlock = blockFill == Self.blockLength
        var closed = closesBlock ? closeBlock(time: time, parameters: parameters) : nil
        // Within a run of outliers the level stands still.
        if outliers == 0, closesBlock || interval >= 60,
            let drift = consultHistory(&histories, time: time, closesBlock: closesBlock, parameters: parameters),
            closed?.kind != .drift
        {
            closed = drift
        }
        if isJudged { block = block ?? closed }
        decide(
            &result, residual: residual, isOutlier: isOutlier && isJudged, isStuck: flags.contains(.stuck),
            block: block, range: range, parameters: parameters)
    }

    /// Too few readings for a judgement. Series slower than one reading a minute learn for up to a day and 300
    /// readings, because their day is short in readings and the first morning must not look like a failure.
    @inline(always) func isLearning(_ parameters: BankParameters) -> Bool {
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
        if range.isLeft(result.value, parameters) {
            sayRange(&result, range: range, time: time, parameters: parameters)
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
        // A spike does not hide that the noise has begun.
        let beginsNoise = block.map { $0.kind == .noise && !$0.isContinuation } ?? false
        if isOutlier, !beginsNoise, parameters.allows(.spike), reportSpike(&result, residual, parameters) { return }
        guard conditions.contains(.noise) else { return }
        result.condition = .noise
        guard let block else { return }
        // The block's finding is due when the condition begins, then at intervals.
        let isDue = !block.isContinuation || isDueAgain(time, parameters)
        if !block.isContinuation { lastEmission = Self.seconds(time) }
        if isDue {
            result.expectedLow = block.low
            result.expectedHigh = block.high
            result.value = block.value
        }
        result.hold(
            .noise, surprise: block.surprise, start: block.start, isContinuation: block.isContinuation, isDue: isDue)
    }

    mutating func sayRange(
        _ result: inout Assessment, range: ValidRange, time: Int64, parameters: BankParameters
    ) {
        if !conditions.contains(.range) { conditionStart = time }
        let isDue = enter(.range, time: time, parameters: parameters)
        result.expectedLow = range.low
        result.expectedHigh = range.high
        result.hold(
            .range, surprise: parameters.surpriseLimit, start: conditionStart, isContinuation: isDue == .again,
            isDue: isDue != .notYet)
    }

    /// A spike of one reading, or of up to three of which none is far enough alone: then the value is their mean.
    private func reportSpike(
        _ result: inout Assessment, _ residual: Residual, _ parameters: BankParameters
    ) -> Bool {
        var surprise = residual.surprise
        // The limit comes from the shape of the tail, the surprise from its frequency: as far as that is known, both must
        // agree.
        let isLone = residual.z > Double(spikeLimit) && residual.surprise >= parameters.knownSurprise
        if !isLone {
            let limit = Double(spikeLimit)
            let z = limit * Double(abs(residual.sum) / sumLimit)
            guard z > limit else { return false }
            surprise = tailQuantiles.farSurprise(z, limit: limit, surpriseLimit: parameters.surpriseLimit)
            guard surprise >= parameters.knownSurprise else { return false }
        }
        let difference = isLone ? residual.difference : Double(residual.sum) / 3 * residual.deviation
        guard parameters.isWorthwhile(difference, level: residual.prediction) else { return false }
        if !isLone {
            let reach = sumLimit / 3 * Float(residual.deviation)
            result.expectedLow = residual.prediction - Double(reach)
            result.expectedHigh = residual.prediction + Double(reach)
            result.value = residual.prediction + difference
        }
        result.report(.spike, surprise: max(surprise, parameters.surpriseLimit))
        return true
    }

    private enum Due { case now, again, notYet }

    /// Marks a lasting condition and says whether it is to be reported at this reading.
    private mutating func enter(_ condition: Conditions, time: Int64, parameters: BankParameters) -> Due {
        guard conditions.contains(condition) else {
            conditions.insert(condition)
            lastEmission = Self.seconds(time)
            return .now
        }
        return isDueAgain(time, parameters) ? .again : .notYet
    }

    /// Whether the continuation interval has passed since something was said last; then it begins anew.
    private mutating func isDueAgain(_ time: Int64, _ parameters: BankParameters) -> Bool {
        let now = Self.seconds(time)
        guard now &- lastEmission >= parameters.continuationSeconds else { return false }
        lastEmission = now
        return true
    }

    private static func seconds(_ time: Int64) -> UInt32 { UInt32(truncatingIfNeeded: time / 1_000_000_000) }
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

    @inline(always) mutating func finish(_ surpriseLimit: Double) { score = surprise / (surprise + surpriseLimit) }
}
