internal import TocsinCore
#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// When and how anomalies strike one sensor: normal gaps and episodes take turns.
///
/// Gaps are geometric in ticks (the discrete Poisson process), so onsets have no memory; their mean is chosen so that
/// the share of ticks inside episodes is the wanted rate.
struct SensorPhase: Sendable {
    /// Tick at which the present phase ends.
    var until: Int64 = 0
    /// Tick at which it began.
    var since: Int64 = 0
    /// Signed amplitude in sigmas; a fire's intensity; nil where the kind has none and for spikes to a fixed level.
    var amplitude: Double?
    /// What a stuck metric shows; NaN until its first reading.
    var held: Double = .nan
    /// nil in a normal gap.
    var kind: AnomalyKind?
    /// Index of the metric concerned, -1 for all.
    var metric: Int32 = -1
}

/// The rules by which phases follow each other; shared by all sensors.
struct AnomalySchedule: Sendable {
    private struct Rule {
        var kind: AnomalyKind
        /// nil takes the default, which for some metrics is a fixed level.
        var amplitude: ClosedRange<Double>?
        var ticks: ClosedRange<Double>
    }

    private let rules: [Rule]
    /// Chance that a tick after a normal one starts an episode; 0 = never.
    private let onset: Double
    private let metrics: [SimulatedMetric]

    init(_ settings: SimulatorSettings) {
        let interval = Double(settings.interval.nanoseconds)
        rules = settings.injections.map { injection in
            var ticks = Self.defaultTicks(injection.kind)
            if let duration = injection.duration {
                // Durations are above 0, so at least one tick.
                let shortest = (Double(duration.lowerBound.nanoseconds) / interval).rounded(.up)
                ticks = shortest...(Double(duration.upperBound.nanoseconds) / interval).rounded(.up)
            }
            return Rule(kind: injection.kind, amplitude: injection.amplitude, ticks: ticks)
        }
        metrics = settings.profile.metrics
        let rate = settings.anomalyRate
        if rate > 0, !rules.isEmpty {
            let middles = rules.map { ($0.ticks.lowerBound + $0.ticks.upperBound) / 2 }
            let meanTicks = middles.reduce(0, +) / Double(rules.count)
            let meanGap = meanTicks * (1 - rate) / rate
            onset = 1 / (1 + meanGap)
        } else {
            onset = 0
        }
    }

    /// The phase a sensor begins with: a gap.
    func firstPhase(_ random: inout RandomSource) -> SensorPhase {
        var phase = SensorPhase()
        phase.until = gap(&random)
        return phase
    }

    /// The phase that follows at `tick`, when the present one has ended there.
    func phase(after phase: SensorPhase, at tick: Int64, _ random: inout RandomSource) -> SensorPhase {
        if phase.kind != nil {
            let length = gap(&random)
            if length > 0 {
                var normal = SensorPhase()
                normal.since = tick
                normal.until = tick.addingReportingOverflow(length).overflow ? .max : tick + length
                return normal
            }
        }
        return episode(at: tick, &random)
    }

    private func episode(at tick: Int64, _ random: inout RandomSource) -> SensorPhase {
        let rule = rules[random.index(below: rules.count)]
        var phase = SensorPhase()
        phase.kind = rule.kind
        phase.since = tick
        // Ticks are bounded by 365 days of milliseconds and times by the year 2262: no overflow.
        phase.until = tick + Int64(random.uniform(in: rule.ticks).rounded())
        switch rule.kind {
        case .silence: break
        case .fire: phase.amplitude = random.uniform(in: rule.amplitude ?? Self.defaultAmplitude(.fire))
        default:
            let metric = random.index(below: metrics.count)
            phase.metric = Int32(metric)
            if rule.kind == .spike, rule.amplitude == nil, metrics[metric].anomalous != nil { break }
            let size = random.uniform(in: rule.amplitude ?? Self.defaultAmplitude(rule.kind))
            phase.amplitude = random.next() & 1 == 0 ? size : -size
        }
        return phase
    }

    /// Normal ticks before the next episode.
    private func gap(_ random: inout RandomSource) -> Int64 {
        guard onset > 0 else { return .max }
        guard onset < 1 else { return 0 }
        let ticks = log(1 - random.uniform()) / log1p(-onset)
        return ticks < 1e15 ? Int64(ticks) : .max
    }

    /// Sigmas; for a fire its intensity.
    private static func defaultAmplitude(_ kind: AnomalyKind) -> ClosedRange<Double> {
        switch kind {
        case .spike: 8...20
        case .drift: 5...12
        case .noise: 4...8
        case .fire: 0.7...1.5
        default: 0...0
        }
    }

    /// Whole intervals.
    private static func defaultTicks(_ kind: AnomalyKind) -> ClosedRange<Double> {
        switch kind {
        case .spike: 1...1
        case .drift: 120...600
        case .fire: 240...900
        case .silence: 30...180
        default: 60...300
        }
    }
}
