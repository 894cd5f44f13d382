/// The course of a series' level over the last 128 blocks of 16 readings, and its period in blocks where it has one:
/// a compressor that cycles, a tank that fills and empties. Values are in the history's unit.
struct LevelCycle: Sendable {
    static let length = 128
    static let shortestLag = 6
    static let longestLag = 60

    var ring = InlineArray<128, Float>(repeating: 0)
    var head: UInt8 = 0
    var fill: UInt8 = 0
    /// Blocks; 0 while no period is known.
    var lag: UInt8 = 0
    var test = ExpectationTest()

    /// The value `back` blocks ago, 1 = the last.
    @inline(__always) func past(_ back: Int) -> Float { ring[(Int(head) &- back) & (Self.length - 1)] }

    /// Expected now, one period after the same phase; nil without a period.
    var expected: Float? { lag > 0 && fill > lag ? past(Int(lag)) : nil }

    /// Judges the level of a block and takes it up. While it deviates, the expectation takes its place.
    mutating func take(_ level: Float, age: UInt32, floor: Float, minimum: Float) -> (expected: Float, evidence: Float)?
    {
        var stored = level
        var finding: (Float, Float)?
        if let expected {
            let difference = level - expected
            let unit = test.unit(floor: floor)
            if let evidence = test.judge(difference, floor: floor, minimum: minimum) { finding = (expected, evidence) }
            test.learn(difference, floor: floor, rate: 1 / 128)
            stored = expected + (test.holding > 0 ? 0 : difference.clamped(-2 * unit, 2 * unit))
        }
        ring[Int(head)] = stored
        head = (head &+ 1) & UInt8(Self.length - 1)
        if fill < Self.length { fill += 1 }
        if lag > 0 {
            // What lasts for two periods is how it is now.
            if test.holding > 2 * UInt16(lag) { forget() } else if age & 31 == 0 { verify() }
        } else if age == 48 || age == 64 || age == 80 || age == 96 || age == 128 || age & 255 == 0 {
            search()
        }
        return finding
    }

    /// Nothing came for so many blocks: what was expected takes their place, or the course begins anew.
    mutating func skip(_ blocks: Int) {
        guard lag > 0, blocks < Self.length else { return forget() }
        for _ in 0..<blocks {
            ring[Int(head)] = past(Int(lag))
            head = (head &+ 1) & UInt8(Self.length - 1)
            if fill < Self.length { fill += 1 }
        }
    }

    private mutating func forget() {
        lag = 0
        fill = 0
        test = ExpectationTest()
    }

    /// The lag with the smallest mean difference, if half of it makes 2.5 times as much: that is a period, where a slow
    /// wandering has the smallest difference at the smallest lag.
    private mutating func search() {
        let last = min((Int(fill) - 4) / 2, Self.longestLag)
        guard last > Self.shortestLag else { return }
        var best = 0
        var smallest = Float.infinity
        for candidate in Self.shortestLag...last {
            let difference = difference(at: candidate).mean
            if difference < smallest { (best, smallest) = (candidate, difference) }
        }
        guard best > 0, smallest < 0.4 * difference(at: best / 2).mean else { return }
        lag = UInt8(best)
        test = ExpectationTest(sum: 0, error: smallest, worst: difference(at: best).largest, holding: 0)
    }

    private mutating func verify() {
        guard test.holding == 0 else { return }
        let difference = difference(at: Int(lag))
        if difference.mean > 0.5 * self.difference(at: Int(lag) / 2).mean {
            forget()
        } else {
            test.worst = difference.largest
        }
    }

    private func difference(at lag: Int) -> (mean: Float, largest: Float) {
        let count = Int(fill) - lag
        guard count > 0 else { return (.infinity, .infinity) }
        var sum: Float = 0
        var largest: Float = 0
        for back in 1...count {
            let size = abs(past(back) - past(back &+ lag))
            sum += size
            largest = max(largest, size)
        }
        return (sum / Float(count), largest)
    }

    var isPlausible: Bool {
        for place in ring.indices where !(abs(ring[place]) <= 1e7) { return false }
        return head < Self.length && fill <= Self.length && (lag == 0 || Self.shortestLag...Self.longestLag ~= Int(lag))
            && test.isPlausible
    }
}
