/// Everything the bank remembers of one series: one plain struct of 256 bytes, so that a bank is one array that can be
/// copied, checkpointed and scanned. All fields hold event time in nanoseconds and the metric's own unit.
///
/// The order of the fields is for speed alone: what each reading touches is bytes 16 ..< 208. A large array begins 48
/// bytes into a cache line (16 of the allocator, 32 of the array), so these are exactly three lines; the rest is
/// needed when a block of 16 readings closes or something happens.
///
/// Extensions by aspect: `+Assess` (order of steps), `+Suspended`, `+Residual` (spike), `+Blocks` (drift, noise),
/// `+Stuck`, `+Silence`, `+Saving`. What only some series need lies beside it: `LevelHistory`.
struct SeriesState: Sendable {
    /// When the range or the noise condition began. One place for both: range is said first.
    var conditionStart: Int64 = 0
    /// Seconds since 1970, in 32 bits.
    var lastEmission: UInt32 = 0
    /// CUSUM of the level, above zero while it rises and below while it falls; the same for the logarithm of the noise.
    var driftSum: Float = 0

    // From here on touched by every reading.
    var lastTime: Int64 = 0
    var lastHighWater: Int64 = 0
    var runStart: Int64 = 0

    /// The last value as it came.
    var previous = 0.0
    /// Robust moving level, about 16 readings.
    var level = 0.0
    /// The last value that was no outlier: the better prediction where a series wanders smoothly.
    var anchor = 0.0
    /// Medians of the absolute error of both predictions, over the readings that changed.
    var levelError = 0.0
    var anchorError = 0.0
    /// Median absolute step between unequal neighbours, slowly learned.
    var step = 0.0
    /// Median absolute distance of readings from the baseline.
    var spread = 0.0
    /// Slow level, about 32 blocks, and the mean absolute distance of `level` from it, about 256 blocks.
    var baseline = 0.0
    var wander = 0.0
    /// Lowest value seen: where many sensors rest.
    var minimum = Double.infinity

    /// Silence begins so many seconds after `lastHighWater`; infinity while unknown.
    var patience = Float.infinity
    /// Tail: 1 / (q − median), q the residual of which 2 % are larger; the residual of which 0.08 % are larger; and half
    /// the logarithm of the ratio of the two steps.
    var tailRate: Float
    var tailFar: Float
    var tailBend: Float
    var spikeLimit: Float = 0
    /// Mean of the residuals of the level, in standard deviations: by how much the level lags behind a slope.
    var lag: Float = 0
    /// Residuals of the last two readings, signed; 0 for an outlier. Median of the absolute sum of three.
    var recent: Float = 0
    var lessRecent: Float = 0
    var sumMedian: Float = 1.1682

    // Repeats and intervals.
    var repeatRate: Float = 0
    var longestRun: Float = 1
    /// Seconds: median, and slowly forgotten maximum.
    var interval: Float = 0
    var longestInterval: Float = 0

    // Blocks.
    /// Present noise over usual noise while the noise condition holds, else 1.
    var noiseRatio: Float = 1
    /// Sum over the block of absolute steps in units of `step`.
    var blockSteps: Float = 0

    // Counters.
    var count: UInt32 = 0
    var run: UInt32 = 0
    var blocks: UInt16 = 0
    /// Mean length of a run of outliers in 1/256 readings: about 1.25 for spikes at random, more where bursts are
    /// normal.
    var outlierRunLength: UInt16 = 256
    /// Which of the bank's level histories is this series' own; 0 = none.
    var history: UInt16 = 0
    /// The source whose clock its silence is measured on; `noSource` before its first reading.
    var source: UInt16 = SeriesState.noSource
    /// Index into the bank's distinct valid ranges and settings.
    var rangeIndex: UInt8 = 0
    var settingsIndex: UInt8 = 0
    var intervals: UInt8 = 0
    var moves: UInt8 = 0
    var blockFill: UInt8 = 0
    var noiseBlocks: UInt8 = 0
    var outliers: UInt8 = 0
    var agreeingOutliers: UInt8 = 0
    /// Blocks since the last drift, saturating.
    var blocksSinceDrift: UInt8 = .max
    var conditions: Conditions = []
    /// Begins with its total, the last that every reading touches.
    var tail = TailHistogram()

    var noiseSum: Float = 0
    /// ln of the usual mean step in units of `step`, and the mean absolute distance from it.
    var noiseLevel: Float = 0
    var noiseSpread: Float = 0
    var driftStart: Int64 = 0
    /// Mean of the present run of outliers: the level if they go on.
    var candidate = 0.0

    init() {
        let prior = TailQuantiles()
        (tailRate, tailFar, tailBend) = (prior.rate, prior.far, prior.bend)
    }

    /// What holds at present.
    struct Conditions: OptionSet, Sendable {
        var rawValue: UInt8
        static let range = Conditions(rawValue: 1)
        static let stuck = Conditions(rawValue: 2)
        static let noise = Conditions(rawValue: 4)
        static let silent = Conditions(rawValue: 8)
        /// A value other than 0 and 1 was seen: not a switch.
        static let notBinary = Conditions(rawValue: 16)
        /// The present run is at the lowest value or at zero, reached without a jump: rest, not failure.
        static let resting = Conditions(rawValue: 32)
        /// The tail histogram has new entries since the last fit.
        static let tailChanged = Conditions(rawValue: 64)
        static let all = Conditions(rawValue: 127)
    }

    static let noSource = UInt16.max
    static let blockLength: UInt8 = 16
    /// Median absolute deviation to standard deviation for a Gaussian.
    static let medianToDeviation = 1.4826

    @inline(__always) var prefersAnchor: Bool { anchorError < levelError || repeatRate > 0.5 }

    /// One standard deviation of the better of the two predictions.
    @inline(__always) var deviation: Double {
        // Relative floor: below it differences are rounding of the device, not movement.
        ((prefersAnchor ? anchorError : levelError) * Self.medianToDeviation).atLeast(abs(level) * 1e-9).atLeast(1e-290)
    }
}
