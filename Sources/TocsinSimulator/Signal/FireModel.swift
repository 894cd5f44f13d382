#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The three waves in which a fire reaches a detector: gases of pyrolysis first, then smoke particles, then heat.
///
/// The order is that of EN 54 test fires (gas sensors and smoke detectors respond before heat detectors); delays and
/// time constants are those of a smouldering source in a room.
enum FireWave: Int, CaseIterable, Sendable {
    case gas, particles, heat

    /// Seconds from ignition until it first reaches the sensor.
    var delay: Double {
        switch self {
        case .gas: 0
        case .particles: 15
        case .heat: 45
        }
    }

    /// Seconds to 63 % of the full level.
    var rise: Double {
        switch self {
        case .gas: 10
        case .particles: 25
        case .heat: 90
        }
    }

    /// Seconds from the removal of the source to 37 % of the level.
    var decay: Double {
        switch self {
        case .gas: 90
        case .particles: 60
        case .heat: 180
        }
    }
}

/// Levels of the three waves at one sensor, 0 = clean air, 1 = a typical fire fully developed: three first-order lags.
struct FireState: Sendable {
    private var levels: SIMD4<Double> = .zero

    func level(of wave: FireWave) -> Double { levels[wave.rawValue] }

    /// One interval later. `burning` is the seconds since ignition while a source is present, otherwise nil.
    mutating func advance(burning: Double?, intensity: Double, steps: FireSteps) {
        for wave in FireWave.allCases {
            let level = levels[wave.rawValue]
            if let burning {
                guard burning >= wave.delay else { continue }
                levels[wave.rawValue] = level + (intensity - level) * steps.rise[wave.rawValue]
            } else {
                levels[wave.rawValue] = level - level * steps.decay[wave.rawValue]
            }
        }
    }
}

/// The part of the way that each lag goes in one interval.
struct FireSteps: Sendable {
    let rise: SIMD4<Double>
    let decay: SIMD4<Double>

    init(interval: Double) {
        var rise = SIMD4<Double>.zero
        var decay = SIMD4<Double>.zero
        for wave in FireWave.allCases {
            rise[wave.rawValue] = 1 - exp(-interval / wave.rise)
            decay[wave.rawValue] = 1 - exp(-interval / wave.decay)
        }
        self.rise = rise
        self.decay = decay
    }
}
