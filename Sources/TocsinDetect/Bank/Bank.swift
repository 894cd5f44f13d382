internal import CTocsinKernels
public import TocsinCore

/// Tier 1: judges every reading of every series in O(1), about 35 ns, with 256 bytes a series.
///
/// ```swift
/// var bank = Bank(settings: BankSettings())
/// let assessment = bank.assess(series: id, time: t, highWater: t, value: 21.4)
/// if let kind = assessment.kind { … }   // spike, drift, noise, stuck or range
/// ```
/// It scores first and learns afterwards, so it never looks ahead: the first n results do not depend on what follows.
/// Readings must come in time order per series; a late one is checked against the valid range and not learned.
///
/// For ordinary readings the p-value is a measured frequency (`TailQuantiles`): on stationary noise the share of readings
/// with p ≤ 1e-4 is within a factor of two of 1e-4. Further out, and for drift, noise, stuck and silence, it is nominal:
/// monotone in the evidence.
public struct Bank: Sendable {
    public let settings: BankSettings
    /// What `settings` and those of `addSettings` come to; a series' own is at its index.
    var rules: [BankParameters]
    var states: [SeriesState] = []
    var deadlines = DeadlineIndex()
    var histories = LevelHistories()
    /// Distinct valid ranges; index 0 is "none".
    private(set) var ranges = [ValidRange()]

    public init(settings: BankSettings = BankSettings()) {
        self.settings = settings
        rules = [BankParameters(settings)]
    }

    /// Bytes of state per series; the index of sources and deadlines adds 8.
    public static let bytesPerSeries = MemoryLayout<SeriesState>.stride

    /// Series known so far: one more than the highest id seen.
    public var seriesCount: Int { states.count }

    /// Series that have a longer memory of their level at present, 800 bytes each; at most 65,535.
    public var historyCount: Int { histories.count }

    /// Scores one reading and learns it.
    ///
    /// - Parameters:
    ///   - time: event time of the reading.
    ///   - highWater: the source's newest event time at arrival; silence is measured on it.
    ///   - value: not-a-number and infinities are neither judged nor learned.
    ///   - source: whose high-water mark it is; the two highest numbers share one clock. A series that comes from
    ///     another source than before goes on by that one's clock, and the time since its last reading is its own.
    ///   - learns: false judges the reading and learns nothing of it: for maintenance windows. Spike and range are
    ///     judged as ever; stuck, drift and noise, which are of many readings, rest meanwhile. Only clocks go on.
    public mutating func assess(
        series: SeriesID, time: Timestamp, highWater: Timestamp, value: Double, source: SourceID = SourceID(0),
        learns: Bool = true
    ) -> Assessment {
        var result = Assessment(value: value, time: time.nanoseconds)
        assess(
            series: series, time: time, highWater: highWater, value: value, source: source, learns: learns,
            into: &result)
        return result
    }

    /// The same into the caller's memory: a result of nine words that is handed up is copied twice on the way, before
    /// its last stores have reached the cache.
    public mutating func assess(
        series: SeriesID, time: Timestamp, highWater: Timestamp, value: Double, source: SourceID = SourceID(0),
        learns: Bool = true, into result: inout Assessment
    ) {
        let index = Int(series.index)
        if index >= states.count { grow(to: index + 1) }
        let source = Self.known(source)
        if states[index].source != source { change(index, to: source, time: time, highWater: highWater) }
        guard learns else {
            result = judge(index, time: time, highWater: highWater, value: value)
            return
        }
        let range = ranges[Int(states[index].rangeIndex)]
        let parameters = rules[Int(states[index].settingsIndex)]
        let outcome = states[index].take(
            value, time: time.nanoseconds, highWater: highWater.nanoseconds, range: range, parameters: parameters,
            into: &result)
        if outcome.isNearer { bringForward(index) }
        if outcome.step == .calm {
            result.finish(parameters.surpriseLimit)
        } else if outcome.step == .eventful {
            conclude(
                index, outcome.flags, difference: outcome.residual.difference, prediction: outcome.residual.prediction,
                deviation: outcome.residual.deviation, z: outcome.residual.z, surprise: outcome.residual.surprise,
                sum: outcome.residual.sum, into: &result)
        } else if outcome.step == .late {
            judgeLate(index, value, into: &result)
        }
    }

    // Out of line, so that the readings that need none of this do not pay for its variables: numbers in registers, the
    // rules found again.

    @inline(never)
    mutating func bringForward(_ index: Int) {
        deadlines.lower(index, of: states[index].source, to: states[index].deadline)
    }

    @inline(never)
    private mutating func conclude(
        _ index: Int, _ flags: SeriesState.Flags, difference: Double, prediction: Double, deviation: Double, z: Double,
        surprise: Double, sum: Float, into result: inout Assessment
    ) {
        let parameters = rules[Int(states[index].settingsIndex)]
        let residual = SeriesState.Residual(
            difference: difference, prediction: prediction, leading: prediction, deviation: deviation, z: z,
            surprise: surprise, isFar: false, sum: sum)
        states[index].conclude(
            &result, residual: residual, flags: flags, range: ranges[Int(states[index].rangeIndex)],
            parameters: parameters, histories: &histories)
        result.finish(parameters.surpriseLimit)
    }

    /// Too late for everything that depends on order.
    @inline(never)
    private mutating func judgeLate(_ index: Int, _ value: Double, into result: inout Assessment) {
        let parameters = rules[Int(states[index].settingsIndex)]
        if ranges[Int(states[index].rangeIndex)].isLeft(value, parameters) {
            result.report(.range, surprise: parameters.surpriseLimit)
        }
        result.finish(parameters.surpriseLimit)
    }

    @inline(never)
    private mutating func judge(
        _ index: Int, time: Timestamp, highWater: Timestamp, value: Double
    ) -> Assessment {
        let result = states[index].judge(
            value, time: time.nanoseconds, highWater: highWater.nanoseconds,
            range: ranges[Int(states[index].rangeIndex)], parameters: rules[Int(states[index].settingsIndex)])
        bringForward(index)
        return result
    }

    /// Asks the processor to fetch what `assess` will touch of a series: worth calling some 10 readings ahead where the
    /// states do not fit the caches. About 1 ns; nothing happens for an unknown series.
    ///
    /// It changes nothing; `mutating` because a caller in another module would else copy the whole bank, some 170 bytes,
    /// for each call.
    public mutating func prefetch(series: SeriesID) {
        let index = Int(series.index)
        guard index < states.count else { return }
        unsafe states.withUnsafeBytes { bytes in
            let start = index &* MemoryLayout<SeriesState>.stride
            for line in 0..<4 {
                unsafe tk_prefetch(bytes.baseAddress?.advanced(by: start &+ 16 &+ line &* 64))
            }
        }
    }

    /// Values outside `low ... high` get a `range` verdict. NaN means no limit on that side. Ranges belong to metrics,
    /// so there are few: beyond 255 distinct ones a new one is ignored.
    public mutating func setValidRange(series: SeriesID, low: Double, high: Double) {
        let index = Int(series.index)
        if index >= states.count { grow(to: index + 1) }
        let range = ValidRange(low: low.isNaN ? -.infinity : low, high: high.isNaN ? .infinity : high)
        if let known = ranges.firstIndex(of: range) {
            states[index].rangeIndex = UInt8(known)
        } else if ranges.count <= Int(UInt8.max) {
            states[index].rangeIndex = UInt8(ranges.count)
            ranges.append(range)
        }
    }

    /// Long-run level and standard deviation of a series: what makes windows of different sensors comparable.
    /// nil until 64 readings were learned or while the series has never changed.
    public func baseline(of series: SeriesID) -> (level: Double, scale: Double)? {
        let index = Int(series.index)
        guard index < states.count, states[index].count >= 64 else { return nil }
        let scale = states[index].spread * SeriesState.medianToDeviation
        guard scale > abs(states[index].baseline) * 1e-9 else { return nil }
        return (states[index].baseline, scale)
    }

    mutating func grow(to count: Int) {
        states.append(contentsOf: repeatElement(SeriesState(), count: count - states.count))
        deadlines.grow(to: count)
    }
}

/// The limits of a metric: outside them a value is implausible.
struct ValidRange: Equatable, Sendable {
    var low = -Double.infinity
    var high = Double.infinity

    @inline(__always) func contains(_ value: Double) -> Bool { value >= low && value <= high }

    /// Whether a value lies outside by more than the rules forgive, and on the side that they watch.
    func isLeft(_ value: Double, _ parameters: BankParameters) -> Bool {
        guard !contains(value), parameters.allows(.range) else { return false }
        let limit = value > high ? high : low
        return parameters.isWorthwhile(value - limit, level: limit)
    }
}
