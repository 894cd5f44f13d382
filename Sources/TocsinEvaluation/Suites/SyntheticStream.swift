internal import Glibc
internal import TocsinCore
internal import TocsinDetect

/// One synthetic sensor of 1 Hz with at most one fault, from a seed.
struct SyntheticStream {
    /// What the signal is without faults; standard deviation of the noise 1 in all.
    enum Signal: Int, CaseIterable { case level, wave, correlated, rounded }

    static let rows = 4000
    /// `silence` rows are left out, so there may be fewer.
    private(set) var seconds: [Int] = []
    private(set) var values: [Double] = []
    /// Seconds; empty without a fault.
    private(set) var fault = 0..<0

    /// - Parameter amplitude: size of spike and drift, and of the added noise, in standard deviations.
    init(signal: Signal, kind: AnomalyKind?, amplitude: Double, spikeSeconds: Int, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var gaussian = GaussianNoise(random: SplitMix64(seed: seed ^ 0x6a09_e667_f3bc_c908))
        let level = 20 + 60 * random.nextUnit()
        let phase = 6.283 * random.nextUnit()
        let sign: Double = random.next(below: 2) == 0 ? -1 : 1
        let start = 2000 + random.next(below: 1000)
        fault = kind.map { start..<start + ($0 == .spike ? max(spikeSeconds, 1) : Self.length($0, &random)) } ?? 0..<0
        var state = gaussian.next()
        var held = 0.0
        for second in 0..<Self.rows {
            var value = level
            switch signal {
            case .level, .rounded: value += gaussian.next()
            case .wave: value += gaussian.next() + 3 * sin(6.283_185 * Double(second) / 600 + phase)
            case .correlated:
                // Variance 1 again.
                state = 0.8 * state + 0.6 * gaussian.next()
                value += state
            }
            if fault.contains(second), let kind {
                let share = Double(second - start + 1) / Double(fault.count)
                switch kind {
                case .spike: value += sign * amplitude
                case .drift: value += sign * amplitude * share
                case .noise: value += amplitude * gaussian.next()
                case .stuck: value = held
                case .silence: continue
                default: break
                }
            } else {
                held = value
            }
            values.append(signal == .rounded ? (value * 4).rounded() / 4 : value)
            seconds.append(second)
        }
    }

    /// Seconds, as the project's simulator draws them.
    private static func length(_ kind: AnomalyKind, _ random: inout SplitMix64) -> Int {
        switch kind {
        case .drift: 120 + random.next(below: 481)
        case .silence: 60 + random.next(below: 121)
        default: 60 + random.next(below: 241)
        }
    }
}

/// Normally distributed numbers in pairs (Box and Muller 1958).
struct GaussianNoise {
    private var random: SplitMix64
    private var spare: Double?

    init(random: SplitMix64) { self.random = random }

    mutating func next() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        let radius = (-2 * log(1 - random.nextUnit())).squareRoot()
        let angle = 6.283_185_307_179_586 * random.nextUnit()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
