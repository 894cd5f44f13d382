internal import TocsinCore

/// Running estimate of the usual time between two readings of a series, robust against gaps and bursts.
///
/// Starts with the first interval `d`; then each interval moves the estimate `e` by an eighth of `d - e`, clipped to
/// ±e/4: an exponentially weighted mean of winsorised values (Huber's psi: "Robust Estimation of a Location
/// Parameter", Ann. Math. Statist. 35, 1964). A gap of any length thus raises it by 3 %, while a lasting change of
/// rate by a factor of 10 is followed within about 80 readings. Readings with equal times count once. 12 bytes.
struct TypicalInterval: Sendable {
    private(set) var lastTime = Int64.min
    /// 0 until two different times were seen.
    private(set) var seconds: Float = 0

    /// Times come in ascending order.
    @inline(__always)
    mutating func observe(_ time: Int64) {
        defer { lastTime = time }
        guard lastTime != .min, time > lastTime else { return }
        let interval = Float(time.subtractingSaturated(lastTime)) * 1e-9
        // A regular series does not wait for the estimate before.
        if interval == seconds { return }
        let bound = seconds * 0.25
        let moved = seconds + 0.125 * max(-bound, min(bound, interval - seconds))
        seconds = seconds == 0 ? interval : moved
    }
}

extension TypicalInterval {
    func save(to writer: inout StateWriter) {
        writer.write(lastTime)
        writer.write(seconds)
    }

    /// nil for bytes that are no estimate.
    init?(from reader: inout StateReader) {
        guard let lastTime = reader.read(Int64.self), let seconds = reader.readFloat(), seconds.isFinite, seconds >= 0
        else { return nil }
        self.lastTime = lastTime
        self.seconds = seconds
    }
}
