/// The earliest deadline of every 256 series and of all: what tells a bank, which is asked at every step of the stream's
/// time, that nothing is due.
///
/// All numbers are lower bounds. A reading moves its series' deadline, nearly always away, and then nothing is written
/// here; a bucket learns its true minimum when its bound has passed and somebody looks.
struct DeadlineIndex: Sendable {
    static let bucketSize = 256
    private var buckets: [Int64] = []
    private(set) var earliest = Int64.max

    /// Room for so many series, without deadlines.
    mutating func grow(to count: Int) {
        let needed = (count + Self.bucketSize - 1) / Self.bucketSize
        if needed > buckets.count {
            buckets.append(contentsOf: repeatElement(.max, count: needed - buckets.count))
        }
    }

    /// A series has got a deadline before its former one.
    @inline(__always) mutating func lower(_ series: Int, to deadline: Int64) {
        let bucket = series / Self.bucketSize
        if deadline < buckets[bucket] { buckets[bucket] = deadline }
        if deadline < earliest { earliest = deadline }
    }

    /// Visits the buckets whose bound has passed; `minimum` looks at the series of one and returns its true minimum.
    mutating func refresh(now: Int64, minimum: (Range<Int>) -> Int64) {
        var next = Int64.max
        for bucket in buckets.indices {
            if buckets[bucket] <= now {
                buckets[bucket] = minimum(bucket * Self.bucketSize..<(bucket + 1) * Self.bucketSize)
            }
            next = min(next, buckets[bucket])
        }
        earliest = next
    }

    /// No series has a deadline.
    mutating func removeAll() {
        for bucket in buckets.indices { buckets[bucket] = .max }
        earliest = .max
    }
}
