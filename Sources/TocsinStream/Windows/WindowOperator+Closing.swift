public import TocsinCore

extension WindowOperator {
    /// Emits the windows of a series that end at or before `watermark`; what is older becomes late. About 2 ns if
    /// there is none.
    public mutating func close(series: SeriesID, watermark: Timestamp, into batch: inout WindowBatch) {
        let index = Int(series.index)
        guard index < states.count, watermark.nanoseconds >= states[index].due else { return }
        let boundary = plan.pane(of: watermark.nanoseconds)
        closeWindows(of: index, through: boundary, into: &batch)
        states[index].sealedBefore = max(states[index].sealedBefore, boundary)
    }

    /// Emits the windows of all series of a source that have fallen silent while the source went on.
    ///
    /// A sweep over all series, about 2 ns each, made only when the source's high-water mark has moved by half a pane
    /// since the last one: call it once per batch. Only what lies before the end of the last emitted window becomes
    /// late, so the backlog of a sensor that speaks again still finds its windows.
    public mutating func advance(source: SourceID, clocks: SensorClocks, into batch: inout WindowBatch) {
        let highWater = clocks.highWater(of: source).nanoseconds
        let place = Int(source.index)
        if place >= sweptHighWaters.count {
            sweptHighWaters.append(contentsOf: repeatElement(.min, count: place + 1 - sweptHighWaters.count))
        }
        guard highWater > sweptHighWaters[place],
            highWater.subtractingSaturated(sweptHighWaters[place]) >= plan.paneNanoseconds / 2
        else { return }
        sweptHighWaters[place] = highWater
        for index in 0..<states.count where states[index].paneCount > 0 {
            let sensor = SensorID(states[index].sensor)
            guard clocks.source(of: sensor) == source else { continue }
            let watermark = clocks.watermark(of: sensor).nanoseconds
            if watermark >= states[index].due {
                closeWindows(of: index, through: plan.pane(of: watermark), into: &batch)
            }
        }
    }

    /// Emits all windows that hold readings, complete or not: the end of the input.
    public mutating func flush(into batch: inout WindowBatch) {
        for index in 0..<states.count where states[index].paneCount > 0 {
            closeWindows(of: index, through: .max, into: &batch)
        }
    }

    /// Emits what ends at or before `boundary` (in panes), earliest end first, definitions in their order.
    private mutating func closeWindows(of index: Int, through boundary: Int64, into batch: inout WindowBatch) {
        while true {
            let end = findNextEnds(of: index)
            guard end <= boundary, end != .max else {
                states[index].due = end == .max ? .max : plan.time(ofPane: end)
                return
            }
            sealPanes(of: index, before: end)
            for definition in plan.definitions.indices where ends[definition] == end {
                emit(definition, end: end, of: index, into: &batch)
            }
            states[index].sealedBefore = max(states[index].sealedBefore, end)
            dropPanes(of: index, before: plan.firstPaneNeeded(after: end))
        }
    }

    /// Fills `ends` with the end (in panes) of each definition's next window that holds readings, `.max` where there
    /// is none, and gives the least.
    private mutating func findNextEnds(of index: Int) -> Int64 {
        let state = states[index]
        let count = Int(state.paneCount)
        guard count > 0 else { return .max }
        let directory = BlockPool.offset(state.directory)
        let after = max(state.sealedBefore, Int64(bitPattern: pool.words[directory]))
        var least = Int64.max
        for definition in plan.definitions.indices {
            var end = plan.definitions[definition].firstEnd(after: after)
            var newest = count - 1
            while Int64(bitPattern: pool.words[directory + 2 * newest]) >= end { newest -= 1 }
            if Int64(bitPattern: pool.words[directory + 2 * newest]) < end - plan.definitions[definition].size {
                // Nothing there: on to the first window of the next pane that holds readings, however far ahead.
                let next = newest + 1 < count ? Int64(bitPattern: pool.words[directory + 2 * newest + 2]) : nil
                end = next.map(plan.definitions[definition].firstEnd(after:)) ?? .max
            }
            ends[definition] = end
            least = min(least, end)
        }
        return least
    }

    private mutating func sealPanes(of index: Int, before end: Int64) {
        let directory = BlockPool.offset(states[index].directory)
        while states[index].sealedPanes < states[index].paneCount {
            let entry = directory + 2 * Int(states[index].sealedPanes)
            let pane = Int64(bitPattern: pool.words[entry])
            if pane >= end { return }
            let open = PaneEntry.block(pool.words[entry + 1])
            let header = pool.words[BlockPool.offset(open)]
            let count = OpenPane.count(header)
            let sealed = pool.allocate(words: SealedPane.words(count: count))
            let pairs = BlockPool.offset(open) + OpenPane.headerWords
            sealer.sortByTime(&pool.words, pairs: pairs, count: count)
            sealer.seal(
                &pool.words, pairs: pairs, count: count, start: pane &* plan.paneNanoseconds,
                interval: &states[index].interval, at: BlockPool.offset(sealed))
            pool.free(open, words: OpenPane.words(room: OpenPane.room(header)))
            pool.words[entry + 1] = PaneEntry.word(sealed, count: count)
            states[index].sealedPanes += 1
            states[index].usualCount = UInt32(count)
        }
    }

    private mutating func emit(_ definition: Int, end: Int64, of index: Int, into batch: inout WindowBatch) {
        let state = states[index]
        let window = plan.definitions[definition]
        let statistics = Self.statistics(
            of: end - window.size..<end, state, plan, seconds: window.seconds, pool, merging: &runs)
        batch.definition.append(UInt8(definition))
        batch.series.append(SeriesID(UInt32(index)))
        batch.sensors.append(SensorID(state.sensor))
        batch.start.append(Timestamp(nanoseconds: plan.time(ofPane: end - window.size)))
        statistics.append(to: &batch.statistics)
        batch.scores.append(.nan)
    }

    /// The statistics of the panes `numbers` of a series, of which at least one is there, and all are sealed.
    private static func statistics(
        of numbers: Range<Int64>, _ state: SeriesState, _ plan: WindowPlan, seconds: Double, _ pool: BlockPool,
        merging runs: inout SortedRuns
    ) -> WindowStatistics {
        let words = pool.words.span
        let directory = BlockPool.offset(state.directory)
        var upper = Int(state.sealedPanes)
        while upper > 0, Int64(bitPattern: words[directory + 2 * upper - 2]) >= numbers.upperBound { upper -= 1 }
        var lower = upper
        runs.removeAll()
        while lower > 0, Int64(bitPattern: words[directory + 2 * lower - 2]) >= numbers.lowerBound {
            lower -= 1
            let pane = PaneView(words, directoryEntry: directory + 2 * lower)
            runs.append(offset: pane.offset + SealedPane.keys(count: pane.count), count: pane.count)
        }
        runs.merge(words)
        let moments = WindowMoments(
            words, panes: directory + 2 * lower..<directory + 2 * upper, paneSeconds: plan.paneSeconds)
        let interval = Double(state.interval.seconds)
        return WindowStatistics(
            moments, sortedKeys: runs.merged.span, expectedCount: interval > 0 ? seconds / interval : .nan)
    }

    /// Frees the panes older than `pane`; all of them are sealed.
    private mutating func dropPanes(of index: Int, before pane: Int64) {
        let directory = BlockPool.offset(states[index].directory)
        let count = Int(states[index].paneCount)
        var dropped = 0
        while dropped < count, Int64(bitPattern: pool.words[directory + 2 * dropped]) < pane {
            let entry = pool.words[directory + 2 * dropped + 1]
            pool.free(PaneEntry.block(entry), words: SealedPane.words(count: PaneEntry.count(entry)))
            dropped += 1
        }
        if dropped == 0 { return }
        for word in directory + 2 * dropped..<directory + 2 * count {
            pool.words[word - 2 * dropped] = pool.words[word]
        }
        states[index].paneCount -= UInt32(dropped)
        states[index].sealedPanes -= UInt32(dropped)
        if dropped == count {
            pool.free(states[index].directory, words: 2 * Int(states[index].directoryRoom))
            states[index].directory = 0
            states[index].directoryRoom = 0
        }
    }
}
