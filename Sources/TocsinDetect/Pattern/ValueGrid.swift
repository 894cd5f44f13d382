internal import TocsinCore

/// The range a series lives in, learned without looking ahead, as a scale from 0 to 1 for symbols and histograms.
///
/// The range is that of the first `warmUp` readings. It is laid anew when the readings reach over twice of it, or
/// when the last `history` readings fill less than a 32nd of it (a glitch long ago); whoever keeps memories in
/// positions then learns the kept readings again. Positions beyond the range grow with the logarithm, so that one far
/// reading costs one symbol and not the resolution of all others.
struct ValueGrid: Sendable {
    enum Event { case learning, steady, relaid }

    let warmUp: Int
    /// The last readings, as a ring; 8 bytes each.
    private(set) var history: [Double]
    let capacity: Int
    private(set) var next = 0
    private(set) var isReady = false
    private(set) var low = 0.0
    private(set) var high = 0.0
    private static let interval = 64
    /// The share of the range that must stay filled.
    private static let shrinkage = 1.0 / 32
    private var inverse = 1.0

    init(warmUp: Int, history capacity: Int) {
        self.warmUp = min(max(warmUp, 2), max(capacity, 2))
        self.capacity = max(capacity, 2)
        history = []
        history.reserveCapacity(self.capacity)
    }

    /// 0 at the low end of the range, 1 at the high end, logarithmic beyond.
    @inline(__always) func position(of value: Double) -> Double {
        let fraction = (value - low) * inverse
        if fraction >= 0 && fraction <= 1 { return fraction }
        return fraction < 0
            ? -0.5 * naturalLog(1 - 2 * fraction) : 1 + 0.5 * naturalLog(2 * fraction - 1)
    }

    /// Values beyond it are no readings of this world, and their differences would overflow.
    static let largest = 1e150

    /// Keeps one reading of at most `largest`; call it after the reading's position was used.
    mutating func observe(_ value: Double) -> Event {
        if history.count < capacity { history.append(value) } else { history[next] = value }
        next = next + 1 == capacity ? 0 : next + 1
        if !isReady {
            guard history.count >= warmUp else { return .learning }
            isReady = true
        } else {
            // Not at once: what follows a far reading is judged by the scale from before it.
            guard next % Self.interval == 0 else { return .steady }
        }
        let (least, most) = extremes()
        let (now, laid) = (most - least, high - low)
        guard laid == 0 || now > 2 * laid || (now > 0 && now < Self.shrinkage * laid) else { return .steady }
        lay(least, most)
        return .relaid
    }

    private func extremes() -> (Double, Double) {
        var (least, most) = (Double.infinity, -Double.infinity)
        for value in history {
            least = min(least, value)
            most = max(most, value)
        }
        return (least, most)
    }

    /// A constant start gets a width of a thousandth of its value: the first real change is then outside.
    private mutating func lay(_ least: Double, _ most: Double) {
        (low, high) = (least, most)
        if !(high - low > 0) {
            let half = max(abs(low), 1e-6) * 5e-4
            (low, high) = (low - half, high + half)
        }
        inverse = 1 / (high - low)
        if !inverse.isFinite { inverse = 1 }
    }

    /// The kept readings, oldest first.
    func replay(_ body: (Double) -> Void) {
        let start = history.count < capacity ? 0 : next
        for offset in 0..<history.count {
            let place = start + offset
            body(history[place < history.count ? place : place - history.count])
        }
    }
}

extension ValueGrid {
    func save(to writer: inout StateWriter) {
        writer.write(UInt32(warmUp))
        writer.write(UInt32(capacity))
        writer.write(column: history)
        writer.write(UInt32(next))
        writer.write(isReady)
        for number in [low, high, inverse] { writer.write(number) }
    }

    init?(restoring reader: inout StateReader) {
        guard let warmUp = reader.read(UInt32.self), let capacity = reader.read(UInt32.self),
            let history = reader.readColumn(of: Double.self), let next = reader.read(UInt32.self),
            let isReady = reader.readFlag(), let low = reader.readDouble(), let high = reader.readDouble(),
            let inverse = reader.readDouble()
        else { return nil }
        guard capacity >= 2, capacity <= 1 << 20, warmUp >= 2, warmUp <= capacity, history.count <= Int(capacity),
            next < capacity, history.count == Int(capacity) || Int(next) == history.count,
            history.allSatisfy({ abs($0) <= Self.largest }), isReady == (history.count >= Int(warmUp)),
            !isReady || (low.isFinite && high.isFinite && high > low && inverse.isFinite && inverse > 0)
        else { return nil }
        self.init(warmUp: Int(warmUp), history: Int(capacity))
        self.history.append(contentsOf: history)
        self.next = Int(next)
        self.isReady = isReady
        (self.low, self.high, self.inverse) = (low, high, inverse)
    }
}
