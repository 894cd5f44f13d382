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
/// What the p-value promises at this first cut: for ordinary readings and spikes it comes from the fitted tail of the
/// series' own residuals (`TailHistogram`). Measured as the share of clean readings with p ≤ 1e-2 / 1e-3 / 1e-4:
/// Gaussian, seasonal, autocorrelated and random-walk series 1.0e-2 / 1.0e-3 / 0.7e-4; Student t with 3 degrees 1.7e-2
/// / 3e-3 / 4e-4; integers and coarse steps far below nominal. For drift, noise, stuck and silence the p-value is
/// nominal: monotone in the evidence, not a measured frequency.
public struct Bank: Sendable {
    public let settings: BankSettings
    let parameters: BankParameters
    var states: [SeriesState] = []
    var deadlines = DeadlineIndex()
    /// Distinct valid ranges; index 0 is "none".
    private(set) var ranges = [ValidRange()]

    public init(settings: BankSettings = BankSettings()) {
        self.settings = settings
        parameters = BankParameters(settings)
    }

    /// Bytes of state per series; the index of deadlines adds 8 bytes for every 256 series.
    public static let bytesPerSeries = MemoryLayout<SeriesState>.stride

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
        return states[index].take(
            value, time: time.nanoseconds, highWater: highWater.nanoseconds, source: source, range: range,
            parameters: parameters, index: index, deadlines: &deadlines)
    }

    /// Asks the processor to fetch what `assess` will touch of a series: worth calling some 10 readings ahead where the
    /// states do not fit the caches. About 1 ns; nothing happens for an unknown series.
    @inline(__always)
    public func prefetch(series: SeriesID) {
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
}
