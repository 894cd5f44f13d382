public import TocsinCore

extension WindowOperator {
    /// Emits the windows of a series that end at or before `watermark`; what is older becomes late. About 1 ns if
    /// there is none.
    /// - Parameters:
    ///   - watermark: the greatest time there is emits all windows, complete or not, as at the end of the input.
    ///   - keepingBacklog: for a sensor that has fallen silent while its source went on (see `due`): only what lies
    ///     before the end of the last emitted window becomes late, so that its backlog still finds its windows.
    public mutating func close(
        series: SeriesID, watermark: Timestamp, keepingBacklog: Bool = false, into batch: inout WindowBatch
    ) {
        let index = Int(series.index)
        guard index < dues.count, watermark.nanoseconds >= dues[index] else { return }
        closeDue(index, watermark.nanoseconds, keepingBacklog: keepingBacklog, into: &batch)
    }

    @inline(never)
    private mutating func closeDue(
        _ index: Int, _ watermark: Int64, keepingBacklog: Bool, into batch: inout WindowBatch
    ) {
        guard !states[index].blocks.isEmpty else { return }
        pool.makeUnique()
        let isEnd = watermark == .max
        let boundary = isEnd ? Int64.max : plan.pane(of: watermark)
        closeWindows(of: index, through: boundary, into: &batch)
        if !isEnd, !keepingBacklog { states[index].closedBefore = max(states[index].closedBefore, boundary) }
    }

    /// Emits all windows that hold readings, complete or not: the end of the input.
    /// - Parameter watermark: only those that end at or before it, so that a great many come in parts.
    public mutating func flush(
        through watermark: Timestamp = Timestamp(nanoseconds: .max), into batch: inout WindowBatch
    ) {
        for index in states.indices {
            close(series: SeriesID(UInt32(index)), watermark: watermark, into: &batch)
        }
    }

    /// Emits what ends at or before `boundary` (in panes), earliest end first, definitions in their order.
    private mutating func closeWindows(of index: Int, through boundary: Int64, into batch: inout WindowBatch) {
        while true {
            let end = findNextEnds(of: index)
            guard end <= boundary, end != .max else {
                dues[index] = end == .max ? .max : plan.time(ofPane: end)
                return
            }
            emit(end, of: index, into: &batch)
            let before = states[index].closedBefore
            states[index].closedBefore = max(before, end)
            dropBlocks(of: index, closedFrom: before, to: end)
        }
    }

    /// Fills `ends` with the end (in panes) of each definition's next window that holds readings, `.max` where there
    /// is none, and gives the least.
    mutating func findNextEnds(of index: Int) -> Int64 {
        if states[index].blocks.isEmpty { return .max }
        let closed = states[index].closedBefore
        let settled = states[index].interval.lastTime
        var least = Int64.max
        for definition in plan.definitions.indices {
            let window = plan.definitions[definition]
            // Mostly the newest reading of the last window lies in the next one too.
            var end = closed == .min ? closed : window.firstEnd(after: closed)
            if closed == .min || settled == .min || !plan.isBefore(settled, pane: end)
                || plan.isBefore(settled, pane: end - window.size)
            {
                end = searchNextEnd(of: index, window)
            }
            ends[definition] = end
            least = min(least, end)
        }
        return least
    }

    /// The same for one definition, by search.
    private func searchNextEnd(of index: Int, _ window: WindowPlan.Definition) -> Int64 {
        let oldest = plan.pane(of: BlockView(states[index].blocks[0, pool], pool).start)
        let end = window.firstEnd(after: max(states[index].closedBefore, oldest))
        let next = position(of: index, from: end)
        if let before = time(of: index, before: next), !plan.isBefore(before, pane: end - window.size) { return end }
        // Nothing there: on to the first window of the next reading, however far ahead.
        guard let next else { return .max }
        let block = BlockView(states[index].blocks[next.block, pool], pool)
        return window.firstEnd(after: plan.pane(of: block.time(next.reading, block.header)))
    }

    /// A reading's place in the log.
    struct Position {
        var block: Int
        var reading: Int
    }

    /// The first reading at the start of `pane` or later; nil if there is none. The log has readings.
    private func position(of index: Int, from pane: Int64) -> Position? {
        let (time, overflow) = pane.multipliedReportingOverflow(by: plan.paneNanoseconds)
        if overflow { return pane < 0 ? Position(block: 0, reading: 0) : nil }
        if time > states[index].newest { return nil }
        let place = blockIndex(of: index, holding: time)
        let block = BlockView(states[index].blocks[place, pool], pool)
        let reading = block.firstIndex(from: time)
        return reading < block.count ? Position(block: place, reading: reading) : Position(block: place + 1, reading: 0)
    }

    /// Time of the reading before a position (nil: of the newest); nil if there is none.
    private func time(of index: Int, before position: Position?) -> Int64? {
        guard let position else { return states[index].newest }
        let block = BlockView(states[index].blocks[position.block, pool], pool)
        if position.reading > 0 { return block.time(position.reading - 1, block.header) }
        if position.block == 0 { return nil }
        return BlockView(states[index].blocks[position.block - 1, pool], pool).lastTime
    }

    /// Emits the windows that end at `end`, of all definitions that `ends` names.
    private mutating func emit(_ end: Int64, of index: Int, into batch: inout WindowBatch) {
        var size: Int64 = 0
        for definition in plan.definitions.indices where ends[definition] == end {
            size = max(size, plan.definitions[definition].size)
        }
        decode(end - size..<end, of: index)
        settle(end, index)
        let interval = Double(states[index].interval.seconds)
        for definition in plan.definitions.indices where ends[definition] == end {
            let shape = plan.definitions[definition]
            let first = shape.size == size ? 0 : window.firstIndex(from: -shape.size * plan.paneNanoseconds)
            if first == window.count { continue }
            let statistics = window.statistics(
                from: first, expectedCount: interval > 0 ? shape.seconds / interval : .nan, body: body)
            batch.definition.append(UInt8(definition))
            batch.series.append(SeriesID(UInt32(index)))
            batch.sensors.append(SensorID(states[index].sensor))
            batch.start.append(Timestamp(nanoseconds: plan.time(ofPane: end - shape.size)))
            statistics.append(to: &batch.statistics)
            batch.scores.append(.nan)
        }
    }

    /// Takes the readings of `panes` into the scratch.
    private mutating func decode(_ panes: Range<Int64>, of index: Int) {
        let blocks = states[index].blocks
        let first = position(of: index, from: panes.lowerBound)
        let last = position(of: index, from: panes.upperBound)
        guard let first else { return window.removeAll(room: 0) }
        let lastBlock = last.map { $0.reading == 0 ? $0.block - 1 : $0.block } ?? Int(blocks.count) - 1
        window.removeAll(room: max(lastBlock - first.block + 1, 0) * BlockHeader.maximumCount)
        // Wrapping: the true distances from the end lie within the window's length, even where the end itself wrapped.
        let end = panes.upperBound &* plan.paneNanoseconds
        var place = first.block
        while place <= lastBlock {
            let block = BlockView(blocks[place, pool], pool)
            let header = block.header
            let start = place == first.block ? first.reading : 0
            var stop = header.count
            if let last, place == last.block { stop = last.reading }
            if start < stop { window.append(block, header, start..<stop, end: end, body: body) }
            place += 1
        }
    }

    /// Learns the interval from the readings that lie in a window to be emitted for the first time.
    private mutating func settle(_ end: Int64, _ index: Int) {
        let endTime = end &* plan.paneNanoseconds
        var interval = states[index].interval
        var first = window.count
        while first > 0, interval.lastTime == .min || window.times[first - 1] &+ endTime > interval.lastTime {
            first -= 1
        }
        for reading in first..<window.count { interval.observe(window.times[reading] &+ endTime) }
        states[index].interval = interval
    }

    /// Frees the blocks that no window still to close needs, now that those up to `end` are done.
    private mutating func dropBlocks(of index: Int, closedFrom before: Int64, to end: Int64) {
        let needed = plan.firstPaneNeeded(after: end)
        if before != .min, plan.firstPaneNeeded(after: before) == needed { return }
        var dropped = 0
        while dropped < states[index].blocks.count {
            let reference = states[index].blocks[dropped, pool]
            let block = BlockView(reference, pool)
            guard plan.isBefore(block.lastTime, pane: needed) else { break }
            pool.free(reference, words: block.header.capacity)
            dropped += 1
        }
        if dropped > 0 { states[index].blocks.removeFirst(dropped, &pool) }
    }
}
