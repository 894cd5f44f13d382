internal import TocsinCore

/// The last readings of one series as a window, standardised by the series' own running mean and deviation.
struct ShingleRing: Sendable {
    /// Beyond so many deviations values are cut.
    private static let bound = 10.0
    /// Oldest first, filled by `observe`.
    private(set) var shingle: [Double]
    private(set) var seen = 0
    private var ring: [Double]
    private var next = 0
    private var level = RunningMoments()

    var window: Int { ring.count }

    /// - Parameter window: readings, at least 1.
    init(window: Int) {
        ring = .init(repeating: 0, count: max(window, 1))
        shingle = ring
    }

    /// Takes a reading in. True when `shingle` holds the standardised window that ends with it: after two windows, and
    /// while the series moves. A value that is not finite or beyond ±1e150 is passed over.
    @inline(__always) mutating func observe(_ value: Double) -> Bool {
        guard abs(value) < 1e150 else { return false }
        ring[next] = value
        next = next + 1 == ring.count ? 0 : next + 1
        seen &+= 1
        defer { level.learn(value) }
        let deviation = level.deviation
        guard seen > 2 * window, deviation > 0 else { return false }
        let (mean, inverse) = (level.mean, 1 / deviation)
        for offset in 0..<window {
            let place = next + offset
            let past = ring[place < window ? place : place - window]
            let scaled = (past - mean) * inverse
            shingle[offset] = scaled.isNaN ? 0 : scaled.clamped(-Self.bound, Self.bound)
        }
        return true
    }
}

extension ShingleRing {
    func save(to writer: inout StateWriter) {
        writer.write(column: ring)
        writer.write(UInt32(next))
        writer.write(UInt64(seen))
        level.save(to: &writer)
    }

    /// nil for nonsense and for windows outside of `windows`.
    init?(restoring reader: inout StateReader, windows: ClosedRange<Int>) {
        guard let ring = reader.readColumn(of: Double.self), windows.contains(ring.count),
            ring.allSatisfy({ abs($0) < 1e150 }), let next = reader.read(UInt32.self), next < ring.count,
            let seen = reader.read(UInt64.self), let count = Int(exactly: seen), count < 1 << 60,
            let level = RunningMoments(restoring: &reader)
        else { return nil }
        self.init(window: ring.count)
        self.ring = ring
        self.next = Int(next)
        self.seen = count
        self.level = level
    }
}
