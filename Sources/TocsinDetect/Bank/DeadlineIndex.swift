internal import TocsinCore

/// The series of each source, and the earliest deadline of every 256 of them and of all: what tells a bank, which is
/// asked at every step of a source's time, that nothing is due.
///
/// All times are lower bounds. A reading moves its series' deadline, nearly always away, and then nothing is written
/// here; a bucket learns its true minimum when its bound has passed and somebody looks. 8 bytes a series.
struct DeadlineIndex: Sendable {
    static let bucketSize = 256
    private static let nowhere = UInt32.max

    private struct Members: Sendable {
        /// In the order in which they came, until one leaves: then the last one takes its place.
        var series: [SeriesID] = []
        var buckets: [Int64] = []
        var earliest = Int64.max
    }

    private var sources: [Members] = []
    /// By series: its place among those of its source.
    private var places: [UInt32] = []

    /// Room for so many series, which belong to no source yet.
    mutating func grow(to count: Int) {
        if count > places.count {
            places.append(contentsOf: repeatElement(Self.nowhere, count: count - places.count))
        }
    }

    func series(of source: UInt16) -> [SeriesID] {
        Int(source) < sources.count ? sources[Int(source)].series : []
    }

    /// No series of the source has a deadline before this one.
    @inline(__always)
    func earliest(of source: UInt16) -> Int64 {
        Int(source) < sources.count ? sources[Int(source)].earliest : .max
    }

    /// A series that belongs to no source joins one.
    mutating func add(_ series: Int, to source: UInt16, deadline: Int64) {
        let number = Int(source)
        if number >= sources.count {
            sources.append(contentsOf: repeatElement(Members(), count: number + 1 - sources.count))
        }
        let place = sources[number].series.count
        sources[number].series.append(SeriesID(UInt32(series)))
        places[series] = UInt32(place)
        if place / Self.bucketSize >= sources[number].buckets.count { sources[number].buckets.append(.max) }
        lower(series, of: source, to: deadline)
    }

    /// A series leaves its source.
    /// - Returns: the series that has taken its place, whose deadline is to be told; nil where none has.
    mutating func remove(_ series: Int, from source: UInt16) -> Int? {
        let number = Int(source)
        let place = places[series]
        guard place != Self.nowhere, number < sources.count, let last = sources[number].series.popLast() else {
            return nil
        }
        places[series] = Self.nowhere
        guard Int(last.index) != series else { return nil }
        sources[number].series[Int(place)] = last
        places[Int(last.index)] = place
        return Int(last.index)
    }

    /// A series has got a deadline before its former one.
    @inline(__always)
    mutating func lower(_ series: Int, of source: UInt16, to deadline: Int64) {
        let place = places[series]
        guard place != Self.nowhere else { return }
        let (number, bucket) = (Int(source), Int(place) / Self.bucketSize)
        if deadline < sources[number].buckets[bucket] { sources[number].buckets[bucket] = deadline }
        if deadline < sources[number].earliest { sources[number].earliest = deadline }
    }

    /// Visits the buckets of a source whose bound has passed; `minimum` looks at the series of one and returns their true
    /// minimum.
    mutating func refresh(_ source: UInt16, now: Int64, minimum: (ArraySlice<SeriesID>) -> Int64) {
        let number = Int(source)
        guard number < sources.count else { return }
        let series = sources[number].series
        var next = Int64.max
        for bucket in sources[number].buckets.indices {
            if sources[number].buckets[bucket] <= now {
                let range = bucket * Self.bucketSize..<(bucket + 1) * Self.bucketSize
                sources[number].buckets[bucket] = minimum(series[range.clamped(to: series.indices)])
            }
            next = min(next, sources[number].buckets[bucket])
        }
        sources[number].earliest = next
    }

    /// No series has a deadline.
    mutating func removeDeadlines() {
        for source in sources.indices {
            for bucket in sources[source].buckets.indices { sources[source].buckets[bucket] = .max }
            sources[source].earliest = .max
        }
    }
}
