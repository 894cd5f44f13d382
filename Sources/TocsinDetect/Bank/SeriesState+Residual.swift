extension SeriesState {
    /// A reading against its prediction.
    struct Residual {
        /// Value minus prediction, in the metric's unit.
        var difference: Double
        var prediction: Double
        /// `leadingLevel` before this reading.
        var leading: Double
        /// One robust standard deviation.
        var deviation: Double
        /// |difference| in standard deviations.
        var z: Double
        var surprise: Double
        /// Large enough to be learned as tail.
        var isFar: Bool
        /// The signed residuals of this and the last two readings together.
        var sum: Float

        static let none = Residual(
            difference: 0, prediction: 0, leading: 0, deviation: 1, z: 0, surprise: 0, isFar: false, sum: 0)
    }

    /// Scores a value without learning it.
    ///
    /// Two predictions compete, the robust level (good for noise around a level) and the last value that was no outlier
    /// (good for smooth wandering); the one with the smaller median error wins. Where readings mostly repeat it is
    /// always the last value: half of their changes are returns to the level, which would look like no error at all.
    /// `gap` is the time since the last reading in usual intervals: after a pause a series may have wandered, so the
    /// scale grows with its square root.
    @inline(always)
    func residual(_ value: Double, gap: Float, parameters: BankParameters) -> Residual {
        let leading = leadingLevel
        let prediction = prefersAnchor ? anchor : leading
        let difference = value - prediction
        var scale = deviation
        if gap > 3 { scale *= Double(min(gap, 100)).squareRoot() }
        if noiseRatio > 1 { scale *= Double(noiseRatio) }
        // Finite, so that the score of 1e300 after nothing but zeros is a number.
        let quotient = difference / scale
        let z = abs(quotient).atMost(1e300)
        let y = (z - Double(TailQuantiles.median)) * Double(tailRate)
        let surprise =
            y < 1
            ? TailQuantiles.nearSurprise(y, bend: Double(tailBend))
            : tailQuantiles.farSurprise(
                z, limit: max(Double(spikeLimit), parameters.minimumSpikeDeviations),
                surpriseLimit: parameters.surpriseLimit)
        let signed = Float(quotient.atMost(1e6).atLeast(-1e6))
        return Residual(
            difference: difference, prediction: prediction, leading: leading, deviation: scale, z: z,
            surprise: surprise, isFar: y >= 1 || z >= 3, sum: signed + recent + lessRecent)
    }

    /// The level, and how far it lags behind.
    @inline(always) var leadingLevel: Double { level + Double(lag) * (levelError * Self.medianToDeviation) }

    /// What the sum of three residuals must exceed to be a spike: the spike limit in its own robust unit, less 1.5 %:
    /// the limits share the false alarms between the two tests.
    @inline(always) var sumLimit: Float { spikeLimit * sumMedian * 1.46 }

    /// Learns a value that is no outlier, or only counts it if it is.
    ///
    /// Scales are medians followed by sign steps (Robbins–Monro): a step up when above, down when below, whatever the
    /// size, so 20 % of far outliers raise them by a third and no more. Only readings that changed count, so that a
    /// coarse sensor does not look noiseless. Outliers move neither level nor anchor; the level follows what is left
    /// clipped at three standard deviations (Huber).
    ///
    /// `rates` are `learningRates`.
    @inline(always)
    mutating func learn(_ value: Double, residual: Residual, isOutlier: Bool, rates: SIMD2<Double>) {
        let fromLevel = value - level
        // In a variable: read back from memory it would come many cycles later.
        var errors = SIMD2(levelError, anchorError)
        if value != previous {
            let change = abs(value - previous)
            errors = Self.followed(
                errors, SIMD2(abs(value - residual.leading), abs(value - anchor)), rate: rates.x)
            (levelError, anchorError) = (errors.x, errors.y)
            // While the series is known to be noisy, its usual step is not that of the noise.
            let sizes = Self.followed(
                SIMD2(step, spread), SIMD2(change, abs(value - baseline)),
                rate: conditions.contains(.noise) ? 0 : rates.y)
            (step, spread) = (sizes.x, sizes.y)
            blockSteps += Float((change / sizes.x.atLeast(1e-290)).atMost(8))
            if moves < 255 { moves += 1 }
            // A run of outliers counts once: it is one event, and if it lasts it is a new level and no tail at all.
            // The first readings are measured with a scale too rough to say anything of the tail.
            if count >= 32, !isOutlier || outliers == 0 {
                tail.count()
                if residual.isFar {
                    learnFar(Float(residual.z.atMost(1e6)), isKept: !isOutlier || residual.surprise < 12)
                }
            }
        }
        guard !isOutlier else {
            (recent, lessRecent) = (0, 0)
            return
        }
        let rate: Float = count < Self.youth ? 0.01 : 0.0015
        sumMedian = (sumMedian * (1 + rate.withSign(of: abs(residual.sum) - sumMedian))).atLeast(0.8)
        (recent, lessRecent) = (residual.sum - recent - lessRecent, recent)
        if count >= 128 {
            let clip = 3 * Self.medianToDeviation * errors.x
            level += fromLevel.atMost(clip).atLeast(-clip) * (1.0 / 16)
            let share = (fromLevel / errors.x.atLeast(1e-290)).atMost(4).atLeast(-4)
            lag += (Float(share) * 0.6745 - lag) * (1 / 32)
        } else {
            // The clip is tight and the step wide, so that a spike as first reading is soon forgotten.
            let clip = 1.1 * errors.x
            level += fromLevel.atMost(clip).atLeast(-clip) * (1 / (Double(count) + 1)).atLeast(1.0 / 8)
        }
        anchor = value
    }

    /// Readings after which the scales are followed at their final pace.
    private static var youth: UInt32 { 2048 }

    /// How fast the medians of the errors, and those of step and spread, follow: from the reading's number alone.
    @inline(always) var learningRates: SIMD2<Double> {
        guard count < Self.youth else { return SIMD2(0.003, 0.004) }
        // Both divisions for the price of one.
        let rates = SIMD2(6.0, 4.0) / (SIMD2(repeating: Double(count)) + SIMD2(6.0, 4.0))
        return SIMD2(rates.x.atMost(0.5).atLeast(0.003), rates.y.atMost(0.5).atLeast(0.004))
    }

    /// One residual of the two or three in a hundred that make the tail.
    @inline(never)
    private mutating func learnFar(_ z: Float, isKept: Bool) {
        if z >= 3 {
            tail.count(far: z)
            conditions.insert(.tailChanged)
        }
        if isKept, z >= tailQuantiles.near { tailQuantiles.follow(exceeding: z, ordinary: 0, age: Float(count)) }
    }

    /// One sign step of two running medians; each starts at its first sample that is not zero.
    ///
    /// Without branches: which way a median goes is a coin toss that no predictor can learn.
    @inline(always)
    private static func followed(
        _ medians: SIMD2<Double>, _ samples: SIMD2<Double>, rate: Double
    ) -> SIMD2<Double> {
        let distances = samples - medians
        let signs = unsafe unsafeBitCast(distances, to: SIMD2<UInt64>.self) & SIMD2(repeating: 1 << 63)
        let steps = unsafe unsafeBitCast(signs | SIMD2(repeating: rate.bitPattern), to: SIMD2<Double>.self)
        let moved = medians * (1 + steps.replacing(with: 0, where: distances .== 0))
        return moved.replacing(with: samples, where: moved .== 0)
    }

    /// What a run of outliers amounts to.
    enum OutlierRun { case isolated, newLevel }

    /// Follows a run of outliers: six that agree, or twenty of any kind, are a new level and not outliers.
    ///
    /// Spikes that come at random one time in five reach six in a row by chance, but then they do not agree.
    mutating func followOutlier(_ value: Double, time: Int64, residual: Residual, isJudged: Bool) -> OutlierRun {
        if outliers == 0, driftSum == 0 { driftStart = time }
        outliers &+= 1
        let tolerance = max(6 * residual.deviation, 0.08 * abs(residual.difference))
        if agreeingOutliers > 0, abs(value - candidate) <= tolerance {
            agreeingOutliers &+= 1
            candidate += (value - candidate) / Double(agreeingOutliers)
        } else {
            agreeingOutliers = 1
            candidate = value
        }
        guard agreeingOutliers >= 6 || outliers >= 20 else { return .isolated }
        level = candidate
        lag = 0
        anchor = value
        baseline = candidate
        driftSum = 0
        endOutliers(isJudged: isJudged)
        return .newLevel
    }

    /// Ends the run of outliers and learns its length.
    mutating func endOutliers(isJudged: Bool) {
        guard outliers > 0 else { return }
        if isJudged {
            let length = Int32(min(outliers, 6)) * 256
            outlierRunLength = UInt16(clamping: Int32(outlierRunLength) + (length - Int32(outlierRunLength)) / 32)
        }
        outliers = 0
        agreeingOutliers = 0
    }

    /// Refits the tail from its histogram: called at the end of a block when something was added.
    mutating func refitTail(_ parameters: BankParameters) {
        conditions.remove(.tailChanged)
        // Spikes at random, even one reading in four, come in runs of 1.3 on average. Longer runs mean that bursts or
        // jumps are this series' nature: then far residuals are tail, not contamination.
        let fit = tail.fit(trustsGaps: outlierRunLength < 448)
        // A young series has shown neither its scale nor its tail: nearly all false spikes on heavy-tailed data
        // came in the first 250 readings. The margin is a factor 2.6 after 100 readings and 1.07 after 500.
        let youth = 128 / Double(max(count, 16))
        let margin = 1 + youth * youth
        let limit = max(fit.limit(surprise: parameters.surpriseLimit), parameters.minimumSpikeDeviations) * margin
        spikeLimit = Float(min(limit, 1e30))
    }
}
