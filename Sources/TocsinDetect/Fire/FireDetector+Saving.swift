public import TocsinCore

extension FireDetector {
    /// Writes all that the detector knows of its sensor, without the model and the settings: about 100 bytes a metric
    /// and 500 a metric with a rate of rise.
    public func save(to writer: inout StateWriter) {
        writer.write(UInt8(clamping: channels.count))
        for (place, channel) in channels.enumerated() {
            writer.write(metrics.channels[place].role.rawValue)
            channel.save(to: &writer)
        }
        writer.write(UInt8(clamping: limits.histories.count))
        for history in limits.histories { history.rise.save(to: &writer) }
        writer.write(varint: limits.reached)
        writer.write(latch.wasChanged)
        writer.write(latch.wasForest)
        for time in [latch.previous, latch.firstSign, latch.since] {
            writer.write(time != nil)
            writer.write(time ?? Timestamp(nanoseconds: 0))
        }
        for time in [latch.lastSign, latch.lastCause, latch.lastSaid] { writer.write(time) }
    }

    /// Takes over saved knowledge, so that the detector goes on bit for bit; it must have been made with the same
    /// metrics and rules.
    ///
    /// - Returns: false for bytes that `save` of such a detector did not write; then nothing changes. Whatever is
    ///   accepted can be used, damaged or not.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        guard let count = reader.read(UInt8.self), Int(count) == channels.count else { return false }
        var restored = self
        for place in channels.indices {
            guard reader.read(UInt8.self) == metrics.channels[place].role.rawValue,
                let channel = FireChannel(from: &reader)
            else { return false }
            restored.channels[place] = channel
        }
        guard let histories = reader.read(UInt8.self), Int(histories) == limits.histories.count else { return false }
        for place in limits.histories.indices {
            guard let history = RiseHistory(from: &reader) else { return false }
            restored.limits.histories[place].rise = history
        }
        guard let reached = reader.readVarint(), let wasChanged = reader.readFlag(), let wasForest = reader.readFlag()
        else { return false }
        restored.limits.reached = reached
        var latch = Latch()
        (latch.wasChanged, latch.wasForest) = (wasChanged, wasForest)
        var known: [Timestamp?] = []
        for _ in 0..<3 {
            guard let isKnown = reader.readFlag(), let time = reader.readTimestamp() else { return false }
            known.append(isKnown ? time : nil)
        }
        guard let sign = reader.readTimestamp(), let cause = reader.readTimestamp(), let said = reader.readTimestamp()
        else { return false }
        (latch.previous, latch.firstSign, latch.since) = (known[0], known[1], known[2])
        (latch.lastSign, latch.lastCause, latch.lastSaid) = (sign, cause, said)
        restored.latch = latch
        self = restored
        return true
    }
}

extension SafetyLimits {
    /// One bit a watch: the reading before reached its limit. There are fewer than 64 in any sensor's rules; further
    /// ones start anew.
    var reached: UInt64 {
        get {
            watches.prefix(64).enumerated().reduce(0) { $0 | ($1.element.wasReached ? 1 << UInt64($1.offset) : 0) }
        }
        set {
            for place in watches.indices.prefix(64) { watches[place].wasReached = newValue >> UInt64(place) & 1 == 1 }
        }
    }
}
