/// How often residuals beyond 3 robust standard deviations occur, and how far: the evidence for the tail of one series.
///
/// Twelve counters over ln(z / 3) in steps of 0.25 (the last one open), 28 bytes. Counts are halved after 8,192
/// residuals, so the memory is about that long.
struct TailHistogram: Sendable {
    static let bins = 12
    private static let memory: UInt16 = 8192
    /// The residuals counted; it grows at every reading, the counters only at far ones.
    private(set) var total: UInt16 = 0
    private(set) var counts: InlineArray<12, UInt16> = .init(repeating: 0)

    init() {}

    /// nil for counters that no sequence of residuals leaves behind.
    init?(total: UInt16, counts: InlineArray<12, UInt16>) {
        var sum = 0
        for bin in 0..<Self.bins { sum += Int(counts[bin]) }
        guard total < Self.memory, sum <= total else { return nil }
        self.total = total
        self.counts = counts
    }

    /// Counts one residual of `z` standard deviations.
    @inline(__always) mutating func count(_ z: Double) {
        total &+= 1
        if z >= 3 {
            let bin = min(Int((naturalLog(min(z, 1e6) / 3) * 4)), Self.bins - 1)
            counts[bin] &+= 1
        }
        if total >= Self.memory { halve() }
    }

    private mutating func halve() {
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
        let meanLogExcess = (excess + 10 * 0.12) / (connected + 10)
        let fraction = (connected + 1.8) / (Double(total) + 300)
        // A Gaussian has a mean log-excess of 0.085 beyond 3 and shape 0; a Student t with 3 degrees 0.36 and 0.33.
        let shape = max(1.3 * (meanLogExcess - 0.1), 0.02)
        let scale = 3 * meanLogExcess * max(1 - shape, 0.3)
        return TailFit(surpriseAtThree: -naturalLog(fraction), shape: shape, scale: scale)
    }
}

/// P(z > x) = fraction · (1 + shape · (x − 3) / scale)^(−1/shape) for x ≥ 3.
struct TailFit: Sendable {
    var surpriseAtThree: Double
    var shape: Double
    var scale: Double

    /// −ln P(z > x) for any x. Below 3 the Gaussian curve, stretched to meet the tail at 3; there
    /// −ln erfc(x/√2) ≈ 0.717x + 0.416x² (Lin 1989, "Approximating the normal tail probability").
    @inline(__always) func surprise(_ z: Double) -> Double {
        if z < 3 { return (0.717 * z + 0.416 * z * z) * surpriseAtThree * (1 / 5.895) }
        return surpriseAtThree + naturalLog(1 + shape * (z - 3) / scale) / shape
    }

    /// The z at which `surprise` reaches the limit.
    func limit(surprise: Double) -> Double {
        let rest = surprise - surpriseAtThree
        return rest <= 0 ? 3 : 3 + scale / shape * (exponential(min(shape * rest, 80)) - 1)
    }
}
