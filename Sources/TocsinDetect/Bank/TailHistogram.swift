/// How often residuals beyond 3 robust standard deviations occur, and how far: the evidence for the tail of one series.
///
/// Ten counters over ln(z / 3) in steps of 0.25 (the last one open), 22 bytes. Counts are halved after 8,192
/// residuals, so the memory is about that long.
struct TailHistogram: Sendable {
    static let bins = 10
    private static let memory: UInt16 = 8192
    /// The residuals counted; it grows at every reading, the counters only at far ones.
    private(set) var total: UInt16 = 0
    private(set) var counts: InlineArray<10, UInt16> = .init(repeating: 0)

    init() {}

    /// nil for counters that no sequence of residuals leaves behind.
    init?(total: UInt16, counts: InlineArray<10, UInt16>) {
        var sum = 0
        for bin in 0..<Self.bins { sum += Int(counts[bin]) }
        guard total < Self.memory, sum <= total else { return nil }
        self.total = total
        self.counts = counts
    }

    /// Counts one residual.
    @inline(__always) mutating func count() {
        total &+= 1
        if total >= Self.memory { halve() }
    }

    /// Counts one residual of `z` ≥ 3 standard deviations, after `count()`.
    mutating func count(far z: Float) {
        let bin = Int((naturalLog(Double(z.clamped(3, 1e6)) / 3) * 4).clamped(0, Double(Self.bins - 1)))
        counts[bin] &+= 1
    }

    @inline(never) private mutating func halve() {
        total /= 2
        for bin in 0..<Self.bins { counts[bin] /= 2 }
    }

    /// Fits the tail beyond 3: how much lies there and its shape.
    ///
    /// Readings separated from the bulk by an empty stretch are contamination, not tail: a sensor that throws 20 % of
    /// its readings far away keeps the tail of the other 80 %. `trustsGaps` false counts everything (the series is
    /// known to jump for good). Generalised Pareto over the threshold (Balkema–de Haan–Pickands); the shape follows
    /// from Hill's mean log-excess, shrunk towards a slightly heavier than Gaussian prior worth ten exceedances.
    func fit(trustsGaps: Bool) -> TailFit {
        var beyond = 0
        for bin in 0..<Self.bins { beyond += Int(counts[bin]) }
        var connected = 0.0
        var excess = 0.0
        for bin in 0..<Self.bins where beyond > 0 {
            if trustsGaps {
                let near = Int(counts[bin]) + (bin + 1 < Self.bins ? Int(counts[bin + 1]) : 0)
                if near * 12 < beyond { break }
            }
            let count = Double(counts[bin])
            connected += count
            excess += count * (bin == 0 ? 0.09 : 0.25 * Double(bin) + 0.11)
            beyond -= Int(counts[bin])
        }
        let meanLogExcess = (excess + 10 * 0.09) / (connected + 10)
        let fraction = (connected + 1.4) / (Double(total) + 300)
        // A Gaussian has a mean log-excess of 0.085 beyond 3 and shape 0; a Student t with 3 degrees 0.36 and 0.33.
        let shape = max(1.3 * (meanLogExcess - 0.1), 0.02)
        // Where far readings are no rarity, nothing is known of the tail between.
        let isMixed = Double(beyond) > 0.05 * Double(total)
        let scale = 3 * max(meanLogExcess, 0.11) * max(1 - shape, 0.3) * (isMixed ? 1.3 : 1)
        let normality =
            isMixed
            ? 0
            : min(
                ((0.17 - meanLogExcess) / 0.06).clamped(0, 1), ((0.011 - fraction) / 0.006).clamped(0, 1))
        return TailFit(
            surpriseAtThree: -naturalLog(fraction), shape: shape, scale: scale, normality: normality)
    }
}

/// P(z > x) = fraction · (1 + shape · (x − 3) / scale)^(−1/shape) for x ≥ 3; where nothing speaks against it, the tail
/// of the normal distribution from the same fraction on.
struct TailFit: Sendable {
    var surpriseAtThree: Double
    var shape: Double
    var scale: Double
    /// 1: tail as of a normal distribution; 0: heavier.
    var normality: Double

    /// The z at which −ln P reaches `surprise`.
    func limit(surprise: Double) -> Double {
        let rest = surprise - surpriseAtThree
        guard rest > 0 else { return 3 }
        let pareto = 3 + scale / shape * (exponential(min(shape * rest, 80)) - 1)
        // −ln P(x) + ln P(3) = (x² − 9) / 2 + ln(x / 3), solved by one step from the first term alone; the unit is known
        // within some percent only.
        let square = 9 + 2 * rest
        let normal = (square - naturalLog(square / 9)).squareRoot() * 1.08
        return pareto + (min(normal, pareto) - pareto) * normality
    }
}
