public import TocsinCore

extension WindowOperator {
    /// Writes the state of a series; its blocks are copied as they are: about 0.1 µs and 620 bytes for 300
    /// readings of 11 bits.
    public func save(series: SeriesID, to writer: inout StateWriter) {
        let index = Int(series.index)
        let state = index < states.count ? states[index] : SeriesState()
        writer.write(state.closedBefore)
        state.interval.save(to: &writer)
        writer.write(state.sensor)
        writer.write(varint: UInt64(state.blocks.count))
        for place in 0..<Int(state.blocks.count) {
            let block = BlockView(state.blocks[place, pool], pool)
            unsafe writer.write(words: block.used.span)
        }
    }

    /// Replaces the state of a series by a saved one: the operator goes on bit for bit as the saved one would have.
    /// False if the bytes make no sense: nothing has changed then.
    /// - Parameter sensor: the number that the sensor has here, where it is another one than it had; nil keeps it.
    public mutating func restore(
        series: SeriesID, sensor: SensorID? = nil, from reader: inout StateReader
    ) -> Bool {
        var state = SeriesState()
        guard let closedBefore = reader.read(Int64.self), closedBefore == .min || plan.isPossible(pane: closedBefore),
            let interval = TypicalInterval(from: &reader), let savedSensor = reader.read(UInt32.self),
            let count = reader.readCount(of: BlockHeader.words * 8), count <= Self.maximumBlocks
        else { return false }
        state.closedBefore = closedBefore
        state.interval = interval
        state.sensor = sensor?.index ?? savedSensor
        pool.makeUnique()
        for _ in 0..<count {
            guard let newest = restoreBlock(from: &reader, into: &state) else {
                freeBlocks(of: &state)
                return false
            }
            state.newest = newest
        }
        let index = Int(series.index)
        reserve(index)
        var old = states[index]
        freeBlocks(of: &old)
        states[index] = state
        let end = findNextEnds(of: index)
        dues[index] = end == .max ? .max : plan.time(ofPane: end)
        return true
    }

    /// Appends a block; gives its newest time, nil if it is none or not newer than those before it.
    private mutating func restoreBlock(from reader: inout StateReader, into state: inout SeriesState) -> Int64? {
        guard let start = reader.read(UInt64.self), let first = reader.read(UInt64.self),
            let second = reader.read(UInt64.self)
        else { return nil }
        var header = BlockHeader()
        header.unpack(start, first, second)
        guard header.isPossible,
            let payload = reader.readRaw(count: (header.usedWords - BlockHeader.words) * 8)
        else { return nil }
        let reference = pool.allocate(words: header.capacity)
        let block = BlockView(reference, pool)
        unsafe header.write(to: block.words)
        unsafe payload.withUnsafeBytes { source in
            let target = unsafe UnsafeMutableRawBufferPointer(
                start: block.words + BlockHeader.words, count: source.count)
            unsafe target.copyMemory(from: source)
        }
        block.clearBehindLast()
        guard block.isAscending, state.blocks.isEmpty || block.start > state.newest else {
            pool.free(reference, words: header.capacity)
            return nil
        }
        state.blocks.insert(reference, at: Int(state.blocks.count), &pool)
        return block.lastTime
    }

    /// Forgets a series, as if nothing had come from it; its blocks are free for others.
    public mutating func remove(series: SeriesID) {
        let index = Int(series.index)
        guard index < states.count else { return }
        pool.makeUnique()
        var old = states[index]
        freeBlocks(of: &old)
        states[index] = SeriesState()
        dues[index] = .max
    }

    private mutating func freeBlocks(of state: inout SeriesState) {
        for place in 0..<Int(state.blocks.count) {
            let reference = state.blocks[place, pool]
            pool.free(reference, words: BlockView(reference, pool).header.capacity)
        }
        state.blocks.removeFirst(Int(state.blocks.count), &pool)
    }

    /// Writes what belongs to no series: when `due` last looked at each source, 10 bytes each.
    public func saveProgress(to writer: inout StateWriter) {
        let known = sweptHighWaters.indices.filter { sweptHighWaters[$0] != .min }
        writer.write(varint: UInt64(known.count))
        for source in known {
            writer.write(UInt16(truncatingIfNeeded: source))
            writer.write(sweptHighWaters[source])
        }
    }

    /// Takes it up again. False if the bytes make no sense: then some of it may have been taken up.
    public mutating func restoreProgress(from reader: inout StateReader) -> Bool {
        guard let count = reader.readCount(of: 10) else { return false }
        for _ in 0..<count {
            guard let source = reader.read(UInt16.self), let swept = reader.read(Int64.self) else { return false }
            noteSweep(of: SourceID(source), at: Timestamp(nanoseconds: swept))
        }
        return true
    }
}
