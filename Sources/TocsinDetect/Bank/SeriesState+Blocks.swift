internal import TocsinCore

extension SeriesState {
    /// What a closed block of 16 readings shows.
    struct BlockFinding {
        var kind: AnomalyKind
        var surprise: Double
        var start: Int64
        var value: Double
        var low: Double
        var high: Double
        var isContinuation: Bool
    }

    /// Judges and learns the block that the reading at `time` completes. Amortised cost per reading about 2 ns.
    mutating func closeBlock(time: Int64, parameters: BankParameters) -> BlockFinding? {
        blockFill = 0
        let drift = judgeDrift(time: time, parameters: parameters)
        let noise = judgeNoise(time: time, parameters: parameters)
        blockSteps = 0
        if blocks < .max { blocks += 1 }
        // In a run of equal readings none is counted.
        if blocks & 3 == 0, run < Self.blockLength / 2 {
            tailQuantiles.follow(
                exceeding: nil, ordinary: 4 * Float(Self.blockLength) * (1 - repeatRate), age: Float(count))
        }
        // Not within a run of outliers, which would end by being called normal instead of by being a new level.
        if outliers == 0, blocks < 16 || blocks & 15 == 0 || conditions.contains(.tailChanged) { refitTail(parameters) }
        return drift ?? noise
    }

    /// Two-sided CUSUM (Page 1954) of the level against the slow baseline, with reset.
    ///
    /// The unit is how far the level normally wanders from the baseline, so a daily season is part of normal once seen:
    /// a sine never exceeds 1.3 units, the reference value is 3. During the first blocks the running mean rises with
    /// the wandering itself, which keeps the first slope of a season below the reference value too.
    private mutating func judgeDrift(time: Int64, parameters: BankParameters) -> BlockFinding? {
        if blocks == 0 { baseline = level }
        let difference = level - baseline
        let unit = max(1.2533 * wander, 0.25 * deviation)
        let z = Float((difference / unit).clamped(-6, 6))
        let isTrusted = blocks >= 16 && moves >= 16
        if driftSum == 0, outliers == 0 { driftStart = time }
        driftSum = isTrusted ? Self.accumulate(driftSum, z, reference: 3) : 0
        if blocksSinceDrift < .max { blocksSinceDrift += 1 }

        let age = Double(blocks)
        let clip = isTrusted ? (blocks < 256 ? 4 : 2.5) * wander : .infinity
        wander += (min(abs(difference), clip) - wander) * max(1.0 / 256, 1 / (age + 1))
        baseline += difference * max(1.0 / 32, 1 / (age + 2))

        guard abs(driftSum) > 6, abs(difference) >= parameters.minimumDriftDeviations * deviation,
            parameters.allows(.drift), parameters.isWorthwhile(difference, level: baseline)
        else { return nil }
        let evidence = Double(abs(driftSum) + abs(z))
        let before = level - difference
        let margin = max(3 * unit, parameters.minimumDriftDeviations * deviation)
        return startDrift(time: time, surprise: 2 * evidence, before: before, margin: margin)
    }

    /// Takes the new level as the baseline: the drift is reported once, then it is the new normal.
    mutating func startDrift(time: Int64, surprise: Double, before: Double, margin: Double) -> BlockFinding {
        let isContinuation = blocksSinceDrift < 64
        blocksSinceDrift = 0
        baseline = level
        driftSum = 0
        return BlockFinding(
            kind: .drift, surprise: surprise, start: driftStart, value: level, low: before - margin,
            high: before + margin, isContinuation: isContinuation)
    }

    /// One step of a two-sided CUSUM kept in one number: only one side can be in doubt at a time.
    private static func accumulate(_ sum: Float, _ z: Float, reference: Float) -> Float {
        sum > 0 || sum == 0 && z > 0 ? max(0, sum + z - reference) : min(0, sum + z + reference)
    }

    /// CUSUM of the logarithm of the block's mean absolute step, up (noisy) and down (calm), in units of its own usual
    /// variation. The condition holds until a block is back to normal, or becomes the new normal after 64 blocks.
    private mutating func judgeNoise(time: Int64, parameters: BankParameters) -> BlockFinding? {
        // Where readings mostly repeat, or repeat now, the size of steps says nothing about noise.
        guard repeatRate < 0.75, moves >= 16, run < Self.blockLength / 2 else { return nil }
        let observed = Float(naturalLog(Double(max(blockSteps / Float(Self.blockLength), 1e-3))))
        let unit = max(1.2533 * noiseSpread, 0.2)
        let difference = observed - noiseLevel
        let z = (difference / unit).clamped(-4, 4)
        let isHolding = conditions.contains(.noise)
        let isTrusted = blocks >= 16
        if isTrusted {
            if noiseSum == 0, !isHolding, !conditions.contains(.range) { conditionStart = time }
            noiseSum = Self.accumulate(noiseSum, z, reference: 1.5)
        }
        if !isHolding {
            let rate = max(1.0 / 64, 1 / (Float(blocks) + 1))
            noiseLevel += (isTrusted ? difference.clamped(-2 * unit, 2 * unit) : difference) * rate
            let distance = abs(difference)
            noiseSpread += ((isTrusted ? min(distance, 2.5 * unit) : distance) - noiseSpread) * rate
        }
        guard isTrusted else { return nil }
        let isNoisy = noiseSum > 7 && difference > 0.7
        let isCalm = noiseSum < -10 && difference < -1.1 && repeatRate < 0.25
        if isHolding, abs(z) < 1.5 || noiseBlocks >= 64 {
            if noiseBlocks >= 64 { noiseLevel = observed }
            conditions.remove(.noise)
            noiseRatio = 1
            noiseSum = 0
            return nil
        }
        guard isNoisy || isCalm || isHolding, parameters.allows(.noise) else { return nil }
        if !isHolding {
            noiseBlocks = 0
            conditions.insert(.noise)
        }
        noiseBlocks += 1
        noiseRatio = max(1, Float(exponential(Double(difference))))
        // Mean absolute step to standard deviation for independent Gaussian readings: σ = 0.886 mean |step|.
        let usual = exponential(Double(noiseLevel)) * step * 0.886
        let factor = exponential(Double(2.5 * unit))
        return BlockFinding(
            kind: .noise, surprise: Double(2 * abs(noiseSum)), start: conditionStart,
            value: exponential(Double(observed)) * step * 0.886, low: usual / factor, high: usual * factor,
            isContinuation: isHolding)
    }
}
