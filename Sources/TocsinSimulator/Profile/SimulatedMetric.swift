/// One measured quantity of a simulated sensor: its level, its noise and its limits, all in its own unit.
///
/// A reading is baseline + the sensor's own offset + a daily sine + first-order autoregressive noise, then kept
/// inside `range`.
public struct SimulatedMetric: Sendable, Equatable {
    public var name: String
    /// The unit's name in the narrow form; empty for none.
    public var unit: String
    public var baseline: Double
    /// Standard deviation of the noise: the sigma in which amplitudes of injected anomalies count.
    public var noise: Double
    /// Lag-1 correlation of the noise from one reading to the next, 0 ..< 1.
    public var correlation: Double
    /// Amplitude of the daily sine, which peaks at 15:00 UTC (negative: has its low then).
    public var daily: Double
    /// Standard deviation between sensors of their constant offsets.
    public var offset: Double
    /// What the device can report.
    public var range: ClosedRange<Double>
    /// Digits after the decimal point, 0 to 3.
    public var decimals: Int
    /// Where spikes go by default, for metrics whose spikes are levels rather than multiples of sigma.
    public var anomalous: ClosedRange<Double>?
    var fire: FireResponse?
    var proportional: Proportion?

    init(
        _ name: String, unit: String, baseline: Double, noise: Double, correlation: Double = 0, daily: Double,
        offset: Double, range: ClosedRange<Double>, decimals: Int, anomalous: ClosedRange<Double>? = nil,
        fire: FireResponse? = nil, proportional: Proportion? = nil
    ) {
        self.name = name
        self.unit = unit
        self.baseline = baseline
        self.noise = noise
        self.correlation = correlation
        self.daily = daily
        self.offset = offset
        self.range = range
        self.decimals = decimals
        self.anomalous = anomalous
        self.fire = fire
        self.proportional = proportional
    }
}

/// A metric that the device computes from an earlier one of the same event: `factor` times it, plus own noise.
struct Proportion: Sendable, Equatable {
    /// Index of the earlier metric.
    var metric: Int
    var factor: Double
}

/// How far a typical fire moves a metric in the end, and with which of the fire's three waves.
struct FireResponse: Sendable, Equatable {
    var wave: FireWave
    /// In the metric's unit, for a fire of intensity 1.
    var change: Double

    init(_ wave: FireWave, _ change: Double) {
        self.wave = wave
        self.change = change
    }
}
