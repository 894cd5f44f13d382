/// Byte strings interned to dense ids: open addressing over one byte arena, seeded hash, no deletion.
struct NameTable: Sendable {
    private var arena: [UInt8] = []
    private var ends: [Int] = []
    private var hashes: [UInt32] = []
    /// Id + 1, or 0 for an empty slot; the length is a power of two and at most half full.
    private var slots: [UInt32] = Array(repeating: 0, count: 64)
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    var count: Int { ends.count }

    func find(_ name: Span<UInt8>) -> UInt32? {
        let hash = Self.hash(name, seed: seed)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            let id = Int(entry - 1)
            if hashes[id] == UInt32(truncatingIfNeeded: hash >> 32), equals(id, name) { return UInt32(id) }
            slot = (slot + 1) & mask
        }
    }

    /// The caller has made sure that `name` is new.
    mutating func insert(_ name: Span<UInt8>) -> UInt32 {
        if (ends.count + 1) * 2 > slots.count { grow() }
        let id = UInt32(ends.count)
        for index in name.indices { arena.append(name[index]) }
        ends.append(arena.count)
        let hash = Self.hash(name, seed: seed)
        hashes.append(UInt32(truncatingIfNeeded: hash >> 32))
        place(id, hash)
        return id
    }

    func bytes(_ id: UInt32) -> ArraySlice<UInt8> { arena[range(Int(id))] }

    func name(_ id: UInt32) -> String { String(decoding: arena[range(Int(id))], as: UTF8.self) }

    private func range(_ id: Int) -> Range<Int> { (id == 0 ? 0 : ends[id - 1])..<ends[id] }

    private func equals(_ id: Int, _ name: Span<UInt8>) -> Bool {
        let range = range(id)
        guard range.count == name.count else { return false }
        let stored = arena.span.extracting(range)
        return unsafe stored.withUnsafeBytes { stored in
            unsafe name.withUnsafeBytes { name in
                var offset = 0
                while offset + 8 <= name.count {
                    let left = unsafe stored.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    let right = unsafe name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    if left != right { return false }
                    offset += 8
                }
                while offset < name.count {
                    let left = unsafe stored[offset]
                    let right = unsafe name[offset]
                    if left != right { return false }
                    offset += 1
                }
                return true
            }
        }
    }

    private mutating func place(_ id: UInt32, _ hash: UInt64) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = id + 1
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        for id in 0..<ends.count {
            place(UInt32(id), Self.hash(arena.span.extracting(range(id)), seed: seed))
        }
    }

    /// Eight bytes a step, folded through a 64 × 64 → 128-bit product (the construction of wyhash).
    private static func hash(_ name: Span<UInt8>, seed: UInt64) -> UInt64 {
        var state = seed ^ 0xa076_1d64_78bd_642f ^ UInt64(name.count)
        unsafe name.withUnsafeBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                state = fold(state ^ word)
                offset += 8
            }
            var tail: UInt64 = 0
            while offset < bytes.count {
                let byte = unsafe bytes[offset]
                tail = tail << 8 | UInt64(byte)
                offset += 1
            }
            state = fold(state ^ tail)
        }
        return fold(state)
    }

    private static func fold(_ word: UInt64) -> UInt64 {
        let (high, low) = word.multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
        return high ^ low
    }
}
