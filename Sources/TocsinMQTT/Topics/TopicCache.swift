public import TocsinCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the topics seen lately mean, by their bytes: an open-addressed table, about 15 ns a look-up.
///
/// Bounded: when `capacity` different topics are held, or topics of `maximumBytes`, all are forgotten and learnt anew.
public struct TopicCache {
    private var slots: [Int32]
    private var hashes: [UInt64] = []
    private var places: [Range<Int>] = []
    private var bytes: [UInt8] = []
    private let seed: UInt64
    private let capacity: Int
    private let maximumBytes: Int
    /// By topic.
    public private(set) var envelopes: [MessageEnvelope] = []
    /// Rises whenever all is forgotten: numbers of before mean nothing then.
    public private(set) var generation = 0

    /// - Parameters:
    ///   - maximumBytes: of all topics together; a topic may have 65,535.
    ///   - seed: of the hash, because topics come from outside.
    public init(
        capacity: Int = 65_536, maximumBytes: Int = 16 << 20, seed: UInt64 = .random(in: 0 ... .max)
    ) {
        self.capacity = max(capacity, 1)
        self.maximumBytes = maximumBytes
        self.seed = seed
        slots = [Int32](repeating: -1, count: 256)
    }

    public var count: Int { envelopes.count }

    /// The number of a topic; `learn` is asked for its envelope when it is new.
    public mutating func index(
        of topic: UnsafeRawBufferPointer, learn: (String) -> MessageEnvelope
    ) -> Int {
        var hasher = StableHash()
        hasher.combine(seed)
        hasher.combine(topic.bindMemory(to: UInt8.self).span)
        let hash = hasher.value
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if hashes[index] == hash, isEqual(places[index], topic) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        if envelopes.count >= capacity || bytes.count + topic.count > maximumBytes { forget() }
        if (envelopes.count + 1) * 2 > slots.count { grow() }
        let index = envelopes.count
        envelopes.append(learn(String(decoding: topic, as: UTF8.self)))
        hashes.append(hash)
        places.append(bytes.count..<bytes.count + topic.count)
        bytes.append(contentsOf: topic)
        insert(index)
        return index
    }

    private func isEqual(_ place: Range<Int>, _ topic: UnsafeRawBufferPointer) -> Bool {
        guard place.count == topic.count else { return false }
        return bytes.withUnsafeBytes { known in
            guard let left = known.baseAddress, let right = topic.baseAddress else { return place.isEmpty }
            return memcmp(left + place.lowerBound, right, place.count) == 0
        }
    }

    private mutating func insert(_ index: Int) {
        var slot = Int(truncatingIfNeeded: hashes[index]) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for index in envelopes.indices { insert(index) }
    }

    private mutating func forget() {
        slots = [Int32](repeating: -1, count: slots.count)
        hashes.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        envelopes.removeAll(keepingCapacity: true)
        generation += 1
    }
}
