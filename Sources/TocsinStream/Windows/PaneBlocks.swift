/// How panes lie in the words of a `BlockPool`.
///
/// - Open: a header (readings, room, whether they are out of order), then pairs (time, value) in order of arrival.
/// - Sealed: ten sums, the values in time order, their keys ascending between the sentinels of `SortedRuns`.
/// - Directory of a series: pairs (pane number, block) ascending by number; its first panes are sealed. The upper half
///   of a block's word holds the number of readings once the pane is sealed.
enum OpenPane {
    static let headerWords = 1

    static func words(room: Int) -> Int { headerWords + 2 * room }

    /// Readings that fit a block of so many words.
    static func room(words: Int) -> Int { (words - headerWords) / 2 }

    @inline(__always)
    static func header(count: Int, room: Int) -> UInt64 { UInt64(room) << 32 | UInt64(count) }

    @inline(__always)
    static func count(_ header: UInt64) -> Int { Int(header & 0xffff_ffff) }

    @inline(__always)
    static func room(_ header: UInt64) -> Int { Int(header >> 32 & 0x7fff_ffff) }

    /// Set in the header once a reading came that was not newer than the one before it.
    static let disordered: UInt64 = 1 << 63
}

enum SealedPane {
    // Word offsets.
    static let sum = 0
    /// Mean less the first value: full precision also for small changes of large values.
    static let meanOffset = 1
    /// Sums of powers of the deviations from the pane's mean.
    static let secondMoment = 2
    static let thirdMoment = 3
    static let fourthMoment = 4
    /// Sum of products of neighbouring deviations from the pane's mean.
    static let lagProducts = 5
    /// Sum of |difference| between neighbours.
    static let absoluteChange = 6
    /// Seconds after the pane's start.
    static let meanTime = 7
    static let timeMoment = 8
    /// Sum of products of the deviations of time and value.
    static let timeProducts = 9
    static let values = 10

    static func words(count: Int) -> Int { values + 2 * count + 2 }

    /// Offset of the first key.
    @inline(__always)
    static func keys(count: Int) -> Int { values &+ count &+ 1 }
}

/// The second word of a directory entry.
enum PaneEntry {
    @inline(__always)
    static func word(_ block: BlockPool.Reference, count: Int) -> UInt64 { UInt64(count) << 32 | UInt64(block) }

    @inline(__always)
    static func block(_ word: UInt64) -> BlockPool.Reference { BlockPool.Reference(truncatingIfNeeded: word) }

    @inline(__always)
    static func count(_ word: UInt64) -> Int { Int(word >> 32) }
}
