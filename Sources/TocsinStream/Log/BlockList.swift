/// The blocks of one series, oldest first: up to six references in place, more of them in a block of the pool. 32
/// bytes.
struct BlockList: Sendable {
    private static let inlineCount = 6

    private(set) var count: UInt32 = 0
    /// 0 = in place.
    private var directory: BlockPool.Reference = 0
    /// With a directory, slot 0 is its room.
    private var slots = InlineArray<6, BlockPool.Reference>(repeating: 0)

    @inline(__always)
    var isEmpty: Bool { count == 0 }

    /// The newest block; there is one.
    @inline(__always)
    func last(_ pool: BlockPool) -> BlockPool.Reference { self[Int(count) &- 1, pool] }

    @inline(__always)
    subscript(_ index: Int, _ pool: BlockPool) -> BlockPool.Reference {
        if directory == 0 { return slots[index] }
        return unsafe Self.entry(index, directory, pool).pointee
    }

    mutating func replace(_ index: Int, with block: BlockPool.Reference, _ pool: inout BlockPool) {
        if directory == 0 { slots[index] = block } else { unsafe Self.entry(index, directory, pool).pointee = block }
    }

    mutating func insert(_ block: BlockPool.Reference, at index: Int, _ pool: inout BlockPool) {
        reserveOne(&pool)
        if directory == 0 {
            var place = Int(count)
            while place > index {
                slots[place] = slots[place - 1]
                place -= 1
            }
            slots[index] = block
        } else {
            let entry = unsafe Self.entry(index, directory, pool)
            unsafe (entry + 1).update(from: entry, count: Int(count) - index)
            unsafe entry.pointee = block
        }
        count += 1
    }

    mutating func removeFirst(_ number: Int, _ pool: inout BlockPool) {
        if directory == 0 {
            for index in number..<Int(count) { slots[index - number] = slots[index] }
        } else {
            let entries = unsafe Self.entry(0, directory, pool)
            unsafe entries.update(from: entries + number, count: Int(count) - number)
        }
        count -= UInt32(number)
        if directory != 0 && count <= 3 { moveInPlace(&pool) }
    }

    private mutating func reserveOne(_ pool: inout BlockPool) {
        let room = directory == 0 ? Self.inlineCount : Int(slots[0])
        guard Int(count) == room else { return }
        let wider = max(12, room + room / 2)
        let target = pool.allocate(words: Self.words(wider))
        let entries = unsafe Self.entry(0, target, pool)
        for index in 0..<Int(count) { unsafe entries[index] = self[index, pool] }
        if directory != 0 { pool.free(directory, words: Self.words(room)) }
        directory = target
        slots[0] = UInt32(wider)
    }

    private mutating func moveInPlace(_ pool: inout BlockPool) {
        let (old, room) = (directory, Int(slots[0]))
        let entries = unsafe Self.entry(0, old, pool)
        for index in 0..<Int(count) { unsafe slots[index] = entries[index] }
        directory = 0
        pool.free(old, words: Self.words(room))
    }

    private static func words(_ room: Int) -> Int { (room + 1) / 2 }

    @inline(__always)
    private static func entry(
        _ index: Int, _ directory: BlockPool.Reference, _ pool: BlockPool
    ) -> UnsafeMutablePointer<BlockPool.Reference> {
        unsafe UnsafeMutableRawPointer(pool.pointer(directory)).assumingMemoryBound(to: BlockPool.Reference.self)
            + index
    }
}
