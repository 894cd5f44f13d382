public import TocsinCore

/// The form of the simulated bytes.
public enum SimulatorFormat: String, CaseIterable, Sendable {
    /// JSON lines, one object an event with a field for each metric.
    case wide
    /// JSON lines, one object a reading: metric, value, unit and zone.
    case narrow
    /// A header line, then one line an event.
    case csv
}

/// One kind of anomaly to inject, how strong and how long.
public struct Injection: Sendable, Equatable {
    /// spike, drift, stuck, noise or silence; with the smoke profile also fire.
    public var kind: AnomalyKind
    /// Drawn anew for each episode, in sigmas of the metric's noise: height of a spike, end of a drift's ramp, distance
    /// from the normal level where a stuck sensor rests, standard deviation of the added noise. For a fire its
    /// intensity, 1 = typical. nil takes the default; silence has none.
    public var amplitude: ClosedRange<Double>?
    /// Drawn anew for each episode, rounded up to whole intervals. nil takes a default in multiples of the interval.
    public var duration: ClosedRange<Span64>?

    public init(
        _ kind: AnomalyKind, amplitude: ClosedRange<Double>? = nil, duration: ClosedRange<Span64>? = nil
    ) {
        self.kind = kind
        self.amplitude = amplitude
        self.duration = duration
    }
}

/// Everything that determines a simulated stream: equal settings give equal bytes.
///
/// ```swift
/// var settings = SimulatorSettings(profile: .fleet, seed: 7)
/// settings.sensors = 100
/// var simulator = try Simulator(settings)
/// ```
public struct SimulatorSettings: Sendable, Equatable {
    public var profile: SimulatorProfile
    /// 1 to 10,000,000; a sensor takes about 100 bytes and 32 more for each metric.
    public var sensors: Int
    /// From one event of a sensor to its next: whole milliseconds, 1 ms to 1 day.
    public var interval: Span64
    public var seed: UInt64
    /// Time of the first event, rounded down to the millisecond.
    public var start: Timestamp
    /// Share of each sensor's time that is under an injected anomaly, 0 to 0.95.
    public var anomalyRate: Double
    /// What is injected; each episode takes one of these with equal chance.
    public var injections: [Injection]
    /// Multiplies every metric's noise; 0 switches it off (amplitudes keep the unchanged sigma).
    public var noiseFactor: Double = 1
    /// Multiplies every metric's daily sine.
    public var dailyFactor: Double = 1
    /// Multiplies the constant offsets between sensors.
    public var offsetFactor: Double = 1
    /// Lag-1 correlation of the noise, 0 ..< 1, in place of each metric's own.
    public var noiseCorrelation: Double?
    public var format: SimulatorFormat
    /// Adds `anomaly_injected` and `anomaly_type` to each event.
    public var includeLabels = false
    /// Adds `event_id`, a UUID derived from seed and position.
    public var includeEventIDs: Bool
    /// Spreads the sensors' events evenly over the interval; otherwise all report in the same moment.
    public var staggersSensors: Bool

    /// The profile's defaults. The stream starts at 2025-10-01T00:00:00Z unless told otherwise.
    public init(
        profile: SimulatorProfile, seed: UInt64 = 1,
        start: Timestamp = Timestamp(nanoseconds: 1_759_276_800_000_000_000)
    ) {
        self.profile = profile
        self.seed = seed
        self.start = start
        interval = profile == .plant ? .seconds(12) : .seconds(1)
        format = profile == .fleet ? .narrow : .wide
        includeEventIDs = profile == .plant || profile == .machine
        staggersSensors = profile != .smoke
        let faults: [AnomalyKind] = [.spike, .drift, .stuck, .noise, .silence]
        switch profile {
        case .plant:
            sensors = 5
            anomalyRate = 0.20
            injections = [Injection(.spike)]
        case .machine:
            sensors = 3
            anomalyRate = 0.10
            injections = faults.map { Injection($0) }
        case .fleet:
            sensors = 10_000
            anomalyRate = 0.01
            injections = faults.map { Injection($0) }
        case .smoke:
            sensors = 2
            anomalyRate = 0.10
            injections = [Injection(.fire)]
        }
    }
}
