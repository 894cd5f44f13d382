public import TocsinCore

/// Recognises events that were delivered before, within a bounded memory per series.
///
/// An event is a duplicate if one of the remembered events of its (first) series has the same time, or the same event
/// key other than 0. Remembered are the last arrivals of a series:
/// - 4 as long as its events come in order and without keys (48 bytes a series);
/// - four times as many when events with keys or out of order come, up to `capacity` = 64 (then 528 bytes a series
///   without keys, 1,040 with keys; outgrown rings, up to a third of that, stay for other series).
///
/// A redelivery that reaches further back than this memory passes as new; windows then mostly refuse it as late, and
/// the store writes it over itself. An in-order event without a key costs about 5 ns; one with a key a search through
/// the remembered keys, about 50 ns.
public struct Deduplicator: Sendable {
    /// Most events remembered per series.
    public static let capacity = 64
    private static let startCapacity = 4

    /// A ring of times, followed by the ring of keys once a key was seen.
    private struct Memory {
        var newest = Int64.min
        var block: BlockPool.Reference = 0
        var capacity: UInt8 = 0
        var count: UInt8 = 0
        var next: UInt8 = 0
        var hasKeys = false

        var words: Int { Int(capacity) * (hasKeys ? 2 : 1) }
    }

    private var memories: [Memory] = []
    private var pool = BlockPool()

    public init() {}

    /// Bytes held at present.
    public var memoryBytes: Int { memories.count * MemoryLayout<Memory>.stride + pool.bytes }

    /// Whether the event was seen before; if not, it is remembered.
    /// - Parameters:
    ///   - series: the series of the event's first reading.
    ///   - eventKey: content hash of the device's own event id; 0 for none.
    public mutating func isDuplicate(series: SeriesID, time: Timestamp, eventKey: UInt64) -> Bool {
        let index = Int(series.index)
        if index >= memories.count {
            memories.append(contentsOf: repeatElement(Memory(), count: index + 1 - memories.count))
        }
        let isNewest = memories[index].count == 0 || time.nanoseconds > memories[index].newest
        if isNewest && eventKey == 0 {
            remember(index, time.nanoseconds, eventKey, mayGrow: false)
            return false
        }
        if remembers(index, time.nanoseconds, eventKey, isNewest: isNewest) { return true }
        // A redelivery from before everything remembered must not push out what is recent.
        if !isNewest, isOlderThanAll(index, time.nanoseconds) { return false }
        remember(index, time.nanoseconds, eventKey, mayGrow: true)
        return false
    }

    private func isOlderThanAll(_ index: Int, _ time: Int64) -> Bool {
        let memory = memories[index]
        guard Int(memory.count) == Self.capacity else { return false }
        let start = BlockPool.offset(memory.block)
        let words = pool.words.span
        for position in start..<start + Self.capacity where Int64(bitPattern: words[position]) <= time { return false }
        return true
    }

    private func remembers(_ index: Int, _ time: Int64, _ key: UInt64, isNewest: Bool) -> Bool {
        let memory = memories[index]
        let start = BlockPool.offset(memory.block)
        let end = start + Int(memory.count)
        let words = pool.words.span
        if !isNewest {
            let wanted = UInt64(bitPattern: time)
            for position in start..<end where words[position] == wanted { return true }
        }
        if key != 0 && memory.hasKeys {
            let keys = Int(memory.capacity)
            for position in start + keys..<end + keys where words[position] == key { return true }
        }
        return false
    }

    private mutating func remember(_ index: Int, _ time: Int64, _ key: UInt64, mayGrow: Bool) {
        var memory = memories[index]
        let needsKeys = key != 0 && !memory.hasKeys
        let isFull = memory.count == memory.capacity
        if memory.capacity == 0 || needsKeys || (isFull && mayGrow && memory.capacity < Self.capacity) {
            grow(&memory, full: isFull, hasKeys: memory.hasKeys || key != 0)
        }
        let slot = BlockPool.offset(memory.block) + Int(memory.next)
        pool.words[slot] = UInt64(bitPattern: time)
        if memory.hasKeys { pool.words[slot + Int(memory.capacity)] = key }
        memory.next = memory.next + 1 == memory.capacity ? 0 : memory.next + 1
        memory.count = min(memory.count + 1, memory.capacity)
        memory.newest = max(memory.newest, time)
        memories[index] = memory
    }

    /// Moves the ring, oldest first, into a larger block.
    private mutating func grow(_ memory: inout Memory, full: Bool, hasKeys: Bool) {
        let old = memory
        let capacity = min(max(Int(old.capacity) * (full ? 4 : 1), Self.startCapacity), Self.capacity)
        memory.capacity = UInt8(capacity)
        memory.hasKeys = hasKeys
        memory.block = pool.allocate(words: memory.words)
        let source = BlockPool.offset(old.block)
        let target = BlockPool.offset(memory.block)
        // A ring that is not yet full starts at 0, a full one at the slot written next.
        let first = old.count == old.capacity ? Int(old.next) : 0
        for position in 0..<Int(old.count) {
            let slot = source + (first + position) % Int(old.capacity)
            pool.words[target + position] = pool.words[slot]
            if hasKeys {
                pool.words[target + capacity + position] = old.hasKeys ? pool.words[slot + Int(old.capacity)] : 0
            }
        }
        memory.next = UInt8(Int(old.count) % capacity)
        if old.capacity > 0 { pool.free(old.block, words: old.words) }
    }
}
