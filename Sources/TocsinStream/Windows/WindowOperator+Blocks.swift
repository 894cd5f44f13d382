internal import TocsinCore

/// The open block and the others of a series' log: when they end, how large they are, how they are coded anew.
extension WindowOperator {
    /// Whether the open block ends here: full, or at a time where old readings will be dropped, so that they go block
    /// by block. There the first one of a log ends always, to bring all that follow into step, another not if very
    /// short.
    @inline(__always)
    func endsBlock(_ block: BlockView, _ time: Int64, of index: Int) -> Bool {
        let count = block.count
        return count == BlockHeader.maximumCount
            || (count >= Self.leastCount || states[index].blocks.count == 1)
                && plan.startsDrop(time, after: block.start)
    }

    private static let leastCount = 8

    /// Appends the newest reading where that takes more: a wider coding, more room or a new block. False if the log has
    /// no room for a block more.
    @inline(never)
    mutating func extend(_ index: Int, _ time: Int64, _ value: Double) -> Bool {
        let number = Int(states[index].blocks.count)
        if number == 0 { return startBlock(index, at: 0, time, value, like: nil) }
        let reference = states[index].blocks.last(pool)
        let open = BlockView(reference, pool)
        if endsBlock(open, time, of: index) {
            if number >= Self.maximumBlocks { return false }
            let sealed = seal(index, number - 1)
            return startBlock(index, at: number, time, value, like: sealed)
        }
        let old = open.header
        scratch.load(open, body: body)
        scratch.insert(time, value)
        var header = scratch.fit(0..<old.count + 1, like: old, slack: true)
        header.capacity = old.capacity
        if header.usedWords > old.capacity {
            // The room that the block before it needed, then that of a full one; a beginner gets the latter at once.
            let before = number > 1 ? BlockView(states[index].blocks[number - 2, pool], pool).count : 0
            let room = before > header.count ? before : BlockHeader.maximumCount
            // Few readings do not yet show their range.
            header.capacity = BlockHeader.words(count: room, pitch: header.pitch + (header.count < 24 ? 2 : 0))
            let wider = pool.allocate(roomy: &header.capacity)
            pool.free(reference, words: old.capacity)
            states[index].blocks.replace(number - 1, with: wider, &pool)
        }
        scratch.write(0..<header.count, header, to: BlockView(states[index].blocks.last(pool), pool))
        return true
    }

    /// A new block with one reading, coded and sized like the one before it.
    private mutating func startBlock(
        _ index: Int, at place: Int, _ time: Int64, _ value: Double, like sealed: BlockHeader?
    ) -> Bool {
        var header = sealed ?? BlockHeader()
        header.start = time
        header.count = 0
        header.widen()
        header.capacity =
            sealed == nil
            ? Self.firstCapacity : BlockHeader.words(count: usualCount(after: header), pitch: header.pitch)
        let reference = pool.allocate(roomy: &header.capacity)
        let block = BlockView(reference, pool)
        unsafe header.write(to: block.words)
        if !block.append(time, value) {
            scratch.removeAll()
            scratch.insert(time, value)
            var fitted = scratch.fit(0..<1, like: BlockHeader(), slack: true)
            fitted.capacity = max(header.capacity, fitted.usedWords)
            if fitted.capacity > header.capacity {
                pool.free(reference, words: header.capacity)
                let wider = pool.allocate(roomy: &fitted.capacity)
                scratch.write(0..<1, fitted, to: BlockView(wider, pool))
                states[index].blocks.insert(wider, at: place, &pool)
                return true
            }
            scratch.write(0..<1, fitted, to: block)
        }
        states[index].blocks.insert(reference, at: place, &pool)
        return true
    }

    /// How many readings the block that this header begins will take, if they go on as before.
    private func usualCount(after header: BlockHeader) -> Int {
        let interval = Int64(bitPattern: header.step &* UInt64(header.unit))
        guard interval > 0 else { return BlockHeader.maximumCount }
        let next = plan.nextDrop(after: header.start)
        var count = (next.subtractingSaturated(header.start) &- 1) / interval + 1
        let perDrop = min(max(plan.dropNanoseconds / interval, 1), Int64(BlockHeader.maximumCount))
        let least = Int64(Self.leastCount)
        if count < least { count += (least - count + perDrop - 1) / perDrop * perDrop }
        // A block cut short by its late begin has the room of its successors, which will use it again.
        return Int(min(max(count, perDrop, 8), Int64(BlockHeader.maximumCount)))
    }

    /// Words of a series' first block: what a series with few readings costs.
    private static let firstCapacity = 6

    /// Codes a block as tightly as it goes. A short one keeps its room: small blocks would fit no other when freed.
    private mutating func seal(_ index: Int, _ place: Int) -> BlockHeader {
        let block = BlockView(states[index].blocks[place, pool], pool)
        let old = block.header
        scratch.load(block, body: body)
        let keepsRoom = old.count < BlockHeader.maximumCount * 3 / 4
        return rewrite(0..<old.count, index, place, old, keepsRoom: keepsRoom)
    }

    /// Replaces the block at `place` by the readings `range` of the scratch, coded as tightly as it goes.
    @discardableResult
    private mutating func rewrite(
        _ range: Range<Int>, _ index: Int, _ place: Int, _ old: BlockHeader, keepsRoom: Bool = false
    ) -> BlockHeader {
        var header = scratch.fit(range, like: old, slack: false)
        header.capacity = keepsRoom ? max(old.capacity, header.usedWords) : header.usedWords
        if header.capacity != old.capacity {
            pool.free(states[index].blocks[place, pool], words: old.capacity)
            states[index].blocks.replace(place, with: pool.allocate(roomy: &header.capacity), &pool)
        }
        scratch.write(range, header, to: BlockView(states[index].blocks[place, pool], pool))
        return header
    }

    /// Puts a reading that is not the newest in its place; a full block becomes two. False if the log has no room for a
    /// block more.
    @inline(never)
    mutating func insert(_ time: Int64, _ value: Double, into index: Int) -> Bool {
        let place = blockIndex(of: index, holding: time)
        let block = BlockView(states[index].blocks[place, pool], pool)
        let old = block.header
        if old.count == BlockHeader.maximumCount, states[index].blocks.count >= Self.maximumBlocks { return false }
        scratch.load(block, body: body)
        scratch.insert(time, value)
        let count = scratch.count
        if count <= BlockHeader.maximumCount {
            let isOpen = place == Int(states[index].blocks.count) - 1
            insertRewriting(index, place, old, isOpen: isOpen)
            return true
        }
        let half = count / 2
        var second = scratch.fit(half..<count, like: old, slack: false)
        second.capacity = second.usedWords
        let reference = pool.allocate(roomy: &second.capacity)
        scratch.write(half..<count, second, to: BlockView(reference, pool))
        rewrite(0..<half, index, place, old)
        states[index].blocks.insert(reference, at: place + 1, &pool)
        return true
    }

    /// Rewrites a block with all of the scratch; the open one keeps its room for readings to come.
    private mutating func insertRewriting(_ index: Int, _ place: Int, _ old: BlockHeader, isOpen: Bool) {
        guard isOpen else {
            rewrite(0..<scratch.count, index, place, old)
            return
        }
        var header = scratch.fit(0..<scratch.count, like: old, slack: true)
        header.capacity = old.capacity
        if header.usedWords > old.capacity {
            header.capacity = BlockHeader.words(count: BlockHeader.maximumCount, pitch: header.pitch)
            pool.free(states[index].blocks[place, pool], words: old.capacity)
            states[index].blocks.replace(place, with: pool.allocate(roomy: &header.capacity), &pool)
        }
        scratch.write(0..<scratch.count, header, to: BlockView(states[index].blocks[place, pool], pool))
    }
}
