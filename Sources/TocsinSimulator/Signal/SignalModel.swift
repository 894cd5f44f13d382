internal import TocsinCore
#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The values of all sensors, one event at a time: normal behaviour, fires, injected anomalies.
///
/// Normal noise has its own random stream, which advances equally with and without anomalies: two streams of one seed
/// differ only where something was injected.
struct SignalModel: Sendable {
    /// Constants of one metric.
    private struct Metric {
        var sigma: Double
        var correlation: Double
        /// Standard deviation of the innovations, so that the noise as a whole has the wanted one.
        var innovation: Double
        var lower: Double
        var upper: Double
        var fire: FireResponse?
        var proportional: Proportion?
        var anomalous: ClosedRange<Double>?
    }

    /// State of one metric of one sensor.
    private struct Series {
        var baseline: Double
        /// Daily sine as a sum of sine and cosine, so that its angle is computed once a tick for all sensors.
        var dailySine: Double
        var dailyCosine: Double
        var noise: Double
    }

    /// The metrics of the event measured last.
    private(set) var values: [Double]
    /// Sensors whose episode began since this was emptied last.
    var begun: [(sensor: Int, phase: SensorPhase)] = []

    private let metrics: [Metric]
    private var series: [Series]
    private var phases: [SensorPhase]
    private var fires: [FireState]
    private let fireSteps: FireSteps
    /// Fires or proportional metrics: every event needs the second pass.
    private let isCoupled: Bool
    private let interval: Double
    private let schedule: AnomalySchedule
    private let gaussian = GaussianSampler()
    private var noise: RandomSource
    private var chance: RandomSource
    private var sine = 0.0
    private var cosine = 1.0

    init(_ settings: SimulatorSettings) {
        noise = RandomSource(seed: settings.seed, stream: 1)
        chance = RandomSource(seed: settings.seed, stream: 2)
        schedule = AnomalySchedule(settings)
        interval = settings.interval.seconds
        fireSteps = FireSteps(interval: interval)
        let profile = settings.profile.metrics
        metrics = profile.map { metric in
            let correlation = settings.noiseCorrelation ?? metric.correlation
            return Metric(
                sigma: metric.noise, correlation: correlation,
                innovation: metric.noise * settings.noiseFactor * (1 - correlation * correlation).squareRoot(),
                lower: metric.range.lowerBound, upper: metric.range.upperBound, fire: metric.fire,
                proportional: metric.proportional, anomalous: metric.anomalous)
        }
        values = [Double](repeating: 0, count: profile.count)
        fires =
            settings.injections.contains { $0.kind == .fire }
            ? [FireState](repeating: FireState(), count: settings.sensors) : []
        isCoupled = !fires.isEmpty || profile.contains { $0.proportional != nil }
        phases = []
        phases.reserveCapacity(settings.sensors)
        series = []
        series.reserveCapacity(settings.sensors * profile.count)
        var setup = RandomSource(seed: settings.seed, stream: 3)
        for _ in 0..<settings.sensors {
            phases.append(schedule.firstPhase(&chance))
            let lag = 0.15 * gaussian.next(&setup)
            for metric in profile {
                let daily = metric.daily * settings.dailyFactor
                series.append(
                    Series(
                        baseline: metric.baseline + metric.offset * settings.offsetFactor * gaussian.next(&setup),
                        dailySine: daily * sin(lag), dailyCosine: daily * cos(lag),
                        noise: metric.noise * settings.noiseFactor * gaussian.next(&setup)))
            }
        }
    }

    /// Sets the time of day for the events that follow. Cost: one sine and one cosine.
    mutating func beginTick(millisecondOfDay: Int64) {
        let afternoon = Double(millisecondOfDay - 15 * 3_600_000)
        let angle = afternoon / 86_400_000 * 2 * Double.pi
        sine = sin(angle)
        cosine = cos(angle)
    }

    /// Measures all metrics of a sensor into `values`; the phase says what is being injected.
    @inline(__always)
    mutating func measure(sensor: Int, tick: Int64) -> SensorPhase {
        if phases[sensor].until <= tick { changePhase(sensor, tick) }
        let first = sensor * metrics.count
        for index in metrics.indices {
            let metric = metrics[index]
            var state = series[first + index]
            let draw = gaussian.next(&noise)
            state.noise = metric.correlation * state.noise + metric.innovation * draw
            series[first + index].noise = state.noise
            values[index] =
                state.baseline + state.dailySine * sine + state.dailyCosine * cosine + state.noise
        }
        let phase = phases[sensor]
        if phase.kind != nil || isCoupled { disturb(sensor, tick) }
        for index in metrics.indices {
            let value = values[index]
            let metric = metrics[index]
            values[index] = value >= metric.lower ? (value <= metric.upper ? value : metric.upper) : metric.lower
        }
        return phase
    }

    @inline(never)
    private mutating func changePhase(_ sensor: Int, _ tick: Int64) {
        let phase = schedule.phase(after: phases[sensor], at: tick, &chance)
        phases[sensor] = phase
        if phase.kind != nil { begun.append((sensor, phase)) }
    }

    @inline(never)
    private mutating func disturb(_ sensor: Int, _ tick: Int64) {
        let phase = phases[sensor]
        if !fires.isEmpty {
            let burning = phase.kind == .fire ? Double(tick - phase.since) * interval : nil
            fires[sensor].advance(burning: burning, intensity: phase.amplitude ?? 0, steps: fireSteps)
            for index in metrics.indices {
                guard let response = metrics[index].fire else { continue }
                values[index] += response.change * fires[sensor].level(of: response.wave)
            }
        }
        for index in metrics.indices {
            guard let proportional = metrics[index].proportional else { continue }
            values[index] += proportional.factor * max(0, values[proportional.metric])
        }
        guard let kind = phase.kind, phase.metric >= 0 else { return }
        inject(kind, phase, sensor: sensor, tick: tick)
    }

    private mutating func inject(_ kind: AnomalyKind, _ phase: SensorPhase, sensor: Int, tick: Int64) {
        let index = Int(phase.metric)
        let metric = metrics[index]
        let change = (phase.amplitude ?? 0) * metric.sigma
        switch kind {
        case .spike:
            if phase.amplitude == nil, let level = metric.anomalous {
                values[index] = chance.uniform(in: level)
            } else {
                values[index] += change
            }
        case .drift:
            values[index] += change * Double(tick - phase.since + 1) / Double(phase.until - phase.since)
        case .noise:
            values[index] += change * gaussian.next(&chance)
        case .stuck:
            if phase.held.isNaN { phases[sensor].held = values[index] + change }
            values[index] = phases[sensor].held
        default:
            break
        }
    }
}
