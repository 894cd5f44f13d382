internal import TocsinCore

/// Keys of messages, each with one envelope that goes along with all batches of a partition: open addressing with a seeded
/// hash over the bytes of the keys, no allocation for one that is known.
struct EnvelopeKeys {
    /// Row 0 is that of messages without a key.
    private(set) var envelopes: [MessageEnvelope]
    private let topic: String
    private var arena: [UInt8] = []
    private var ends: [Int] = [0]
    private var hashes: [UInt64] = [0]
    /// Row, or 0 for an empty slot; a power of two of them, at most half in use.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)
    private let seed = UInt64.random(in: 0 ... .max)
    /// More are forgotten at the start of a batch: keys without end must not fill the memory.
    private static let most = 100_000

    init(topic: String) {
        self.topic = topic
        envelopes = [MessageEnvelope(topic: topic)]
    }

    /// To be called where no row is in use.
    mutating func tidy() {
        if ends.count > Self.most { self = EnvelopeKeys(topic: topic) }
    }

    mutating func row(_ key: UnsafeRawBufferPointer) -> UInt32 {
        guard key.count > 0 else { return 0 }
        let hash = hash(key)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let row = Int(slots[slot])
            if hashes[row] == hash, isEqual(row, key) { return UInt32(truncatingIfNeeded: row) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return insert(key, hash)
    }

    private mutating func insert(_ key: UnsafeRawBufferPointer, _ hash: UInt64) -> UInt32 {
        if (ends.count + 1) * 2 > slots.count { grow() }
        let row = UInt32(truncatingIfNeeded: ends.count)
        arena.append(contentsOf: key)
        ends.append(arena.count)
        hashes.append(hash)
        envelopes.append(MessageEnvelope(topic: topic, sensor: String(validating: key, as: UTF8.self)))
        place(row, hash)
        return row
    }

    private mutating func place(_ row: UInt32, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = row
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for row in 1..<ends.count { place(UInt32(truncatingIfNeeded: row), hashes[row]) }
    }

    private func isEqual(_ row: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        let range = ends[row - 1]..<ends[row]
        guard range.count == key.count else { return false }
        return arena.withUnsafeBytes { arena in
            var offset = 0
            while offset + 8 <= key.count {
                let known = arena.loadUnaligned(fromByteOffset: range.lowerBound + offset, as: UInt64.self)
                if known != key.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
                offset += 8
            }
            while offset < key.count {
                if arena[range.lowerBound + offset] != key[offset] { return false }
                offset += 1
            }
            return true
        }
    }

    /// Eight bytes a step, folded through a 64 × 64 → 128-bit product (the construction of wyhash).
    private func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: key.count)
        var offset = 0
        while offset + 8 <= key.count {
            state = Self.fold(state ^ key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < key.count {
            tail = tail << 8 | UInt64(key[offset])
            offset += 1
        }
        return Self.fold(Self.fold(state ^ tail))
    }

    private static func fold(_ word: UInt64) -> UInt64 {
        let (high, low) = (word ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
        return high ^ low
    }
}
