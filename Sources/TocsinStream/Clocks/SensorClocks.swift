public import TocsinCore

/// Event-time progress of every sensor: one watermark each, corrected for the skew of the sensor's own clock.
///
/// Every source has a high-water mark `H`, the greatest plausible event time seen on it. For sensor `s` this keeps
/// `t`, its greatest event time, and `Hs`, the value of `H` at its last arrival. Its virtual time is `t + (H - Hs)`:
/// it goes on with the source while the sensor is silent. Its watermark is the virtual time less the allowed
/// lateness: what is older is late. So neither a device with a slow clock nor a file grouped by sensor is late as a
/// whole, and the windows of a silent sensor still close.
///
/// ```swift
/// clocks.raise(source, to: highWater)  // once per batch
/// let watermark = clocks.observe(sensor: sensor, time: time, source: source)  // per event
/// ```
/// A sensor's watermark may step back when a silent sensor speaks again with old times (a backlog after an outage);
/// `WindowOperator` never reopens what it closed. Watermarks per key after Akidau et al., "The Dataflow Model",
/// VLDB 2015. 24 bytes a sensor; a call costs a few nanoseconds. All arithmetic saturates.
public struct SensorClocks: Sendable {
    private struct Progress {
        var newest = Int64.min
        var highWaterAtArrival = Int64.min
        var source = SourceID(0)
    }

    /// How long after its watermark time a reading may still come; negative values count as zero.
    public let allowedLateness: Span64
    private var sensors: [Progress] = []
    private var highWaters: [Int64] = []

    public init(allowedLateness: Span64) {
        self.allowedLateness = max(allowedLateness, Span64(nanoseconds: 0))
    }

    /// Moves the high-water mark of a source forward: to the greatest plausible event time of a batch before its
    /// events are observed, or by wall time while the source is idle. It never moves back.
    public mutating func raise(_ source: SourceID, to highWater: Timestamp) {
        let index = Int(source.index)
        if index >= highWaters.count {
            highWaters.append(contentsOf: repeatElement(.min, count: index + 1 - highWaters.count))
        }
        highWaters[index] = max(highWaters[index], highWater.nanoseconds)
    }

    /// `Timestamp(nanoseconds: .min)` for a source never raised.
    public func highWater(of source: SourceID) -> Timestamp {
        let index = Int(source.index)
        return Timestamp(nanoseconds: index < highWaters.count ? highWaters[index] : .min)
    }

    /// Records an arrival and gives the sensor's watermark after it.
    public mutating func observe(sensor: SensorID, time: Timestamp, source: SourceID) -> Timestamp {
        let index = Int(sensor.index)
        if index >= sensors.count {
            sensors.append(contentsOf: repeatElement(Progress(), count: index + 1 - sensors.count))
        }
        let newest = max(sensors[index].newest, time.nanoseconds)
        sensors[index] = Progress(
            newest: newest, highWaterAtArrival: highWater(of: source).nanoseconds, source: source)
        return Timestamp(nanoseconds: newest.subtractingSaturated(allowedLateness.nanoseconds))
    }

    /// The sensor's watermark now; `Timestamp(nanoseconds: .min)` for a sensor never observed.
    public func watermark(of sensor: SensorID) -> Timestamp {
        let index = Int(sensor.index)
        guard index < sensors.count else { return Timestamp(nanoseconds: .min) }
        let progress = sensors[index]
        // Before its source is first raised there is nothing to go along with.
        let elapsed =
            progress.highWaterAtArrival == .min
            ? 0 : highWater(of: progress.source).nanoseconds.subtractingSaturated(progress.highWaterAtArrival)
        let virtual = progress.newest.addingSaturated(elapsed)
        return Timestamp(nanoseconds: virtual.subtractingSaturated(allowedLateness.nanoseconds))
    }

    /// The source of the sensor's last arrival; nil for a sensor never observed.
    public func source(of sensor: SensorID) -> SourceID? {
        let index = Int(sensor.index)
        guard index < sensors.count, sensors[index].newest != .min else { return nil }
        return sensors[index].source
    }
}
