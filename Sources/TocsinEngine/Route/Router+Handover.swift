internal import TocsinCore
internal import TocsinSpool

extension Router {
    /// What the stages behind have been told of the newest source's time: what alarms of the whole process go by.
    var progress: Timestamp { order == nil ? newest : released }

    /// Sensors leave: the barrier, with what the router knows of them.
    mutating func leave(_ run: TransferRun, from admitted: Admitted, now: Timestamp) -> RoutedBatch {
        if run.isWanted {
            var writer = StateWriter()
            let clock = clocks[reserve(run.source)]
            writer.write(clock.highWater)
            writer.write(clock.told)
            writer.write(order != nil)
            if let order {
                let waiting = order.part(of: run.source)
                waiting.save(to: &writer)
                run.add(sensors: waiting.sensors)
            }
            run.add(.router, writer.bytes)
        }
        if run.isGivenUp {
            order?.remove(run.source)
            clocks[reserve(run.source)] = SourceClock()
        }
        return RoutedBatch(
            batch: Self.nothing(at: now), before: progress, progress: progress, handover: .leave(run),
            receipt: run.receipt, sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// Sensors come, with their source's time. Only where that is ahead of the clock here are their clocks shifted.
    /// - Returns: what is judged before them, they themselves, and which of their readings wait for their turn, by source.
    mutating func adopt(
        _ adopted: AdoptedSensors, _ contents: TransferContents, _ interned: TransferNames.Interned, hasWindows: Bool,
        from admitted: Admitted
    ) -> (batches: [RoutedBatch], waiting: [String: UInt64]) {
        names.catchUp()
        let now = adopted.received
        let ids = SavedIDs(names, interned)
        var reader = StateReader(contents.parts(.router).first ?? [])
        let unknown = Timestamp(nanoseconds: .min)
        let there = (
            highWater: reader.readTimestamp() ?? unknown, told: reader.readTimestamp() ?? unknown,
            isOrdered: reader.readFlag() ?? false
        )
        let number = reserve(adopted.source)
        var before = progress
        // What was here of the source goes. Never ahead of the clock, as for readings.
        clocks[number] = SourceClock()
        clocks[number].highWater = min(there.highWater, now)
        clocks[number].told = min(there.told, now)
        if there.highWater > unknown { clocks[number].noteArrival(at: now) }
        newest = max(newest, clocks[number].highWater)
        var batches: [RoutedBatch] = []
        if order != nil {
            let batch = release(through: newest, into: Self.nothing(at: now), from: admitted)
            if batch.batch.eventCount > 0 { batches.append(batch) }
            before = released
            released = max(released, clocks[number].told)
        }
        let adoption = Adoption(
            source: adopted.source, contents: contents, ids: ids, hasWindows: hasWindows,
            highWater: clocks[number].told, shift: clocks[number].told.since(there.told))
        batches.append(
            RoutedBatch(
                batch: Self.nothing(at: now), before: before, progress: progress, handover: .adopt(adoption),
                sequence: admitted.sequence, isRecovered: admitted.isRecovered))
        guard there.isOrdered else { return (batches, [:]) }
        let (rest, waiting) = hold(&reader, ids, adopted, admitted)
        return (batches + rest, waiting)
    }

    /// What waited where the sensors come from waits here too; where nothing waits, it goes out at once.
    private mutating func hold(
        _ reader: inout StateReader, _ ids: SavedIDs, _ adopted: AdoptedSensors, _ admitted: Admitted
    ) -> (batches: [RoutedBatch], waiting: [String: UInt64]) {
        let isOrdered = order != nil
        var waiting = order ?? EventOrder(lateness: lateness)
        order = nil
        let known = waiting.heldBySource
        // What cannot be read of it is left out: the rest is sound.
        _ = waiting.restore(from: &reader, ids, source: adopted.source)
        let came = waiting.heldBySource.merging(known) { $0 - $1 }.filter { $0.value > 0 }
        guard !isOrdered else {
            order = waiting
            return ([], came)
        }
        var batches: [RoutedBatch] = []
        released = newest
        if !came.isEmpty {
            order = waiting
            batches.append(release(through: nil, into: Self.nothing(at: adopted.received), from: admitted))
            order = nil
            let number = reserve(adopted.source)
            clocks[number].highWater = max(clocks[number].highWater, clocks[number].told)
            newest = max(newest, released)
        }
        return (batches + [tellAll(from: admitted, now: adopted.received)], came)
    }
}
