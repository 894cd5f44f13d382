public import TocsinCore

/// Tier 1: judges every reading of every series in O(1), about 45 ns, with at most 256 bytes a series.
///
/// ```swift
/// var bank = Bank(settings: BankSettings())
/// let assessment = bank.assess(series: id, time: t, highWater: t, value: 21.4)
/// if let kind = assessment.kind { … }   // spike, drift, noise, stuck or range
/// ```
/// It scores first and learns afterwards, so it never looks ahead: the first n results do not depend on what follows.
/// Readings must come in time order per series; a late one is checked against the valid range and not learned.
///
/// What the p-value promises at this first cut: for ordinary readings and spikes it comes from the fitted tail of the
/// series' own residuals (`TailHistogram`). Measured as the share of clean readings with p ≤ 1e-2 / 1e-3 / 1e-4:
/// Gaussian, seasonal, autocorrelated and random-walk series 1.0e-2 / 1.0e-3 / 0.7e-4; Student t with 3 degrees 1.7e-2
/// / 3e-3 / 4e-4; integers and coarse steps far below nominal. For drift, noise, stuck and silence the p-value is
/// nominal: monotone in the evidence, not a measured frequency.
public struct Bank: Sendable {
    public let settings: BankSettings
    private let parameters: BankParameters
    private var states: [SeriesState] = []
    /// Per series the high-water time at which silence begins: a column of its own, so that the scan touches 8 bytes a
    /// series.
    private var deadlines: [Int64] = []
    /// No deadline is earlier than this.
    private var earliestDeadline = Int64.max
    /// Distinct valid ranges; index 0 is "none".
    private var ranges = [ValidRange()]

    public init(settings: BankSettings = BankSettings()) {
        self.settings = settings
        parameters = BankParameters(settings)
    }

    /// Bytes of state per series.
    public static let bytesPerSeries = MemoryLayout<SeriesState>.stride + MemoryLayout<Int64>.stride

    /// Series known so far: one more than the highest id seen.
    public var seriesCount: Int { states.count }

    /// Scores one reading and learns it.
    ///
    /// - Parameters:
    ///   - time: event time of the reading.
    ///   - highWater: the source's newest event time at arrival; silence is measured on it.
    ///   - value: not-a-number and infinities are neither judged nor learned.
    ///   - source: whose high-water mark it is; sources beyond the 256th share one clock.
    public mutating func assess(
        series: SeriesID, time: Timestamp, highWater: Timestamp, value: Double, source: SourceID = SourceID(0)
    ) -> Assessment {
        let index = Int(series.index)
        if index >= states.count { grow(to: index + 1) }
        let range = ranges[Int(states[index].rangeIndex)]
        let (assessment, deadline) = states[index].take(
            value, time: time.nanoseconds, highWater: highWater.nanoseconds, source: source, range: range,
            parameters: parameters)
        deadlines[index] = deadline
        if deadline < earliestDeadline { earliestDeadline = deadline }
        return assessment
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

    /// Appends the series of a source whose silence begins or goes on at its high-water mark. One pass over 8 bytes a
    /// series when any deadline has passed (1 ms for a million), nothing otherwise.
    public mutating func overdue(
        highWater: Timestamp, source: SourceID = SourceID(0), into findings: inout [SilenceFinding]
    ) {
        let now = highWater.nanoseconds
        guard now >= earliestDeadline, parameters.allows(.silence) else { return }
        var earliest = Int64.max
        for index in deadlines.indices {
            var deadline = deadlines[index]
            if deadline <= now, states[index].source == UInt8(clamping: source.index) {
                findings.append(silence(of: index, now: now))
                deadline = nextDeadline(of: index, now: now)
                deadlines[index] = deadline
            }
            earliest = min(earliest, deadline)
        }
        earliestDeadline = earliest
    }

    /// The series is not expected to go on, until it sends again.
    public mutating func withdraw(_ series: SeriesID) {
        let index = Int(series.index)
        if index < deadlines.count { deadlines[index] = .max }
    }

    /// The input has ended: no series is expected to go on, until it sends again.
    public mutating func withdrawAll() {
        for index in deadlines.indices { deadlines[index] = .max }
        earliestDeadline = .max
    }

    private mutating func silence(of index: Int, now: Int64) -> SilenceFinding {
        let limit = states[index].silenceLimit(parameters)
        let seconds = Double(now &- states[index].lastHighWater) * 1e-9
        let isContinuation = states[index].conditions.contains(.silent)
        states[index].conditions.insert(.silent)
        let surprise = parameters.surpriseLimit * max(seconds / limit, 1)
        return SilenceFinding(
            series: SeriesID(UInt32(index)), start: Timestamp(nanoseconds: states[index].lastTime),
            time: Timestamp(nanoseconds: now), seconds: seconds, limit: limit, pValue: exponential(-surprise),
            score: surprise / (surprise + parameters.surpriseLimit), isContinuation: isContinuation)
    }

    private func nextDeadline(of index: Int, now: Int64) -> Int64 {
        let state = states[index]
        guard now &- state.lastHighWater < settings.silenceForgottenAfter.nanoseconds else { return .max }
        let pause = max(state.silenceLimit(parameters), settings.continuationInterval.seconds)
        return state.deadline(after: now, seconds: pause)
    }

    private mutating func grow(to count: Int) {
        states.append(contentsOf: repeatElement(SeriesState(), count: count - states.count))
        deadlines.append(contentsOf: repeatElement(.max, count: count - deadlines.count))
    }
}

/// The limits of a metric: outside them a value is implausible.
struct ValidRange: Equatable, Sendable {
    var low = -Double.infinity
    var high = Double.infinity

    @inline(__always) func contains(_ value: Double) -> Bool { value >= low && value <= high }
}
