public import TocsinCore

/// Recognises events by the device's own event ids that were delivered before, within a bounded memory per series.
///
/// An event is a duplicate if one of the last events of its (first) series had the same key. Remembered are the last 64
/// keys of a series that sends any; the ring grows with their number (40, 136, 520 bytes), a series without keys takes
/// 4 bytes at most. A redelivery without a key, or one that reaches further back, is recognised by its time as long as
/// the window's log holds that (`WindowOperator.holds`); later the windows refuse it as late.
///
/// An event without a key costs a nanosecond; one with a key a search through the remembered ones, about 20 ns.
public struct Deduplicator: Sendable {
    /// Most keys remembered per series.
    public static let capacity = 64
    private static let startCapacity = 4

    /// A ring of keys: one word with its capacity, the keys it holds and the slot written next, then the keys.
    struct Ring {
        var capacity: Int
        var count: Int
        var next: Int

        var words: Int { capacity + 1 }
        var packed: UInt64 { UInt64(capacity) << 32 | UInt64(count) << 16 | UInt64(next) }

        init(capacity: Int, count: Int, next: Int) {
            self.capacity = capacity
            self.count = count
            self.next = next
        }

        init(_ packed: UInt64) {
            self.init(capacity: Int(packed >> 32), count: Int(packed >> 16 & 0xffff), next: Int(packed & 0xffff))
        }
    }

    /// By series; 0 = no keys.
    var rings: [BlockPool.Reference] = []
    var pool = BlockPool()

    public init() {}

    /// Bytes held at present.
    public var memoryBytes: Int { rings.count * MemoryLayout<BlockPool.Reference>.stride + pool.bytes }

    /// Whether an event with this key was seen before; if not, it is remembered.
    /// - Parameters:
    ///   - series: the series of the event's first reading.
    ///   - eventKey: content hash of the device's own event id; 0 for none, which no event repeats.
    public mutating func isDuplicate(series: SeriesID, eventKey: UInt64) -> Bool {
        if eventKey == 0 { return false }
        if remembers(series: series, eventKey: eventKey) { return true }
        remember(Int(series.index), eventKey)
        return false
    }

    /// The same question without remembering.
    public func remembers(series: SeriesID, eventKey: UInt64) -> Bool {
        let index = Int(series.index)
        guard eventKey != 0, index < rings.count, rings[index] != 0 else { return false }
        let words = unsafe pool.pointer(rings[index])
        let count = unsafe Ring(words[0]).count
        var found = false
        for slot in 1..<count + 1 { unsafe found = found || words[slot] == eventKey }
        return found
    }

    mutating func remember(_ index: Int, _ key: UInt64) {
        if index >= rings.count { rings.append(contentsOf: repeatElement(0, count: index + 1 - rings.count)) }
        pool.makeUnique()
        if rings[index] == 0 {
            rings[index] = pool.allocate(words: Self.startCapacity + 1)
            unsafe pool.pointer(rings[index])[0] = Ring(capacity: Self.startCapacity, count: 0, next: 0).packed
        }
        var ring = unsafe Ring(pool.pointer(rings[index])[0])
        if ring.count == ring.capacity, ring.capacity < Self.capacity { ring = grow(index, ring) }
        let words = unsafe pool.pointer(rings[index])
        unsafe words[1 + ring.next] = key
        ring.next = ring.next + 1 == ring.capacity ? 0 : ring.next + 1
        ring.count = min(ring.count + 1, ring.capacity)
        unsafe words[0] = ring.packed
    }

    /// Moves a full ring into one four times as large.
    private mutating func grow(_ index: Int, _ old: Ring) -> Ring {
        let ring = Ring(capacity: min(old.capacity * 4, Self.capacity), count: old.count, next: old.count)
        let target = pool.allocate(words: ring.words)
        let source = unsafe pool.pointer(rings[index])
        for position in 0..<old.count {
            unsafe pool.pointer(target)[1 + position] = source[1 + (old.next + position) % old.capacity]
        }
        pool.free(rings[index], words: old.words)
        rings[index] = target
        return ring
    }
}
