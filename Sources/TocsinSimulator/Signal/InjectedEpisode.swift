public import TocsinCore

/// Ground truth: one anomaly that was injected, so that tests can score detectors.
public struct InjectedEpisode: Sendable, Equatable {
    public var sensor: String
    /// nil when it concerns all metrics of the sensor (silence, fire).
    public var metric: String?
    public var kind: AnomalyKind
    /// Times of the first and the last event it touches; for silence those of the first and the last missing event.
    public var start: Timestamp
    public var end: Timestamp
    /// Signed, in sigmas of the metric's noise (a fire's intensity); nil for silence and for spikes to a fixed level.
    public var amplitude: Double?
}
