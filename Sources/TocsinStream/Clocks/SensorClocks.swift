internal import CTocsinKernels
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
    struct Progress {
        var newest = Int64.min
        var highWaterAtArrival = Int64.min
        var source = SourceID(0)
    }

    /// How long after its watermark time a reading may still come; negative values count as zero.
    public let allowedLateness: Span64
    var sensors: [Progress] = []
    var highWaters: [Int64] = []
    /// By source, the most by which a sensor's newest time was ahead of the high-water mark at its arrival.
    var leads: [Int64] = []

    public init(allowedLateness: Span64) {
        self.allowedLateness = max(allowedLateness, Span64(nanoseconds: 0))
    }

    /// Moves the high-water mark of a source forward: to the greatest plausible event time of a batch before its
    /// events are observed, or by wall time while the source is idle. It never moves back.
    public mutating func raise(_ source: SourceID, to highWater: Timestamp) {
        let index = Int(source.index)
        if index >= highWaters.count {
            reserveSources(index + 1)
        }
        highWaters[index] = max(highWaters[index], highWater.nanoseconds)
    }

    @inline(__always)
    mutating func reserveSensors(_ count: Int) {
        if count <= sensors.count { return }
        sensors.append(contentsOf: repeatElement(Progress(), count: count - sensors.count))
    }

    mutating func reserveSources(_ count: Int) {
        highWaters.append(contentsOf: repeatElement(.min, count: count - highWaters.count))
        leads.append(contentsOf: repeatElement(0, count: count - leads.count))
    }

    /// `Timestamp(nanoseconds: .min)` for a source never raised.
    public func highWater(of source: SourceID) -> Timestamp {
        let index = Int(source.index)
        return Timestamp(nanoseconds: index < highWaters.count ? highWaters[index] : .min)
    }

    /// Records an arrival and gives the sensor's watermark after it.
    public mutating func observe(sensor: SensorID, time: Timestamp, source: SourceID) -> Timestamp {
        let index = Int(sensor.index)
        reserveSensors(index + 1)
        let place = Int(source.index)
        if place >= highWaters.count { reserveSources(place + 1) }
        let newest = max(sensors[index].newest, time.nanoseconds)
        let highWater = highWaters[place]
        sensors[index] = Progress(newest: newest, highWaterAtArrival: highWater, source: source)
        let lead = newest.subtractingSaturated(highWater)
        if lead > leads[place] { leads[place] = lead }
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

    /// No sensor of this source has a later watermark now: for skipping those of which nothing can be due.
    public func latestWatermark(of source: SourceID) -> Timestamp {
        let place = Int(source.index)
        guard place < highWaters.count else { return Timestamp(nanoseconds: .min) }
        // A sensor that came before its source was raised counts with an unlimited lead.
        let virtual = leads[place] == .max ? .max : highWaters[place].addingSaturated(leads[place])
        return Timestamp(nanoseconds: virtual.subtractingSaturated(allowedLateness.nanoseconds))
    }

    /// Asks for the state of a sensor to come into the cache, some events before it is needed: about 1 ns.
    @inline(__always)
    public func prefetch(sensor: SensorID) {
        let index = Int(sensor.index)
        guard index < sensors.count else { return }
        unsafe sensors.withUnsafeBufferPointer { unsafe tk_prefetch($0.baseAddress.map { unsafe $0 + index }) }
    }

    /// The source of the sensor's last arrival; nil for a sensor never observed.
    public func source(of sensor: SensorID) -> SourceID? {
        let index = Int(sensor.index)
        guard index < sensors.count, sensors[index].newest != .min else { return nil }
        return sensors[index].source
    }
}
