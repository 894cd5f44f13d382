internal import TocsinCore

/// The first stage, alone and in stream order: validates, and follows the time of every source.
struct Router: Sendable {
    var names: SeriesNames
    private var validator: Validator
    private let isLive: Bool
    private let idleTimeout: Span64
    /// By number of the source.
    var clocks: [SourceClock] = []
    /// The greatest high-water mark that any source has had.
    var newest = Timestamp(nanoseconds: .min)
    /// Where events are judged by their own time, not as they arrive; and how far they are out.
    var order: EventOrder?
    var released = Timestamp(nanoseconds: .min)
    private let ordering: EventOrdering
    let lateness: Span64
    private let windows: [WindowDefinition]
    private static let partsOfEnd: Int64 = 64

    init(table: SeriesTable, settings: EngineSettings) {
        names = SeriesNames(table: table)
        validator = Validator(settings: settings.validation)
        isLive = settings.isLive
        idleTimeout = settings.idleTimeout
        ordering = settings.order
        lateness = settings.allowedLateness
        windows = settings.windows
        order = ordering == .event ? EventOrder(lateness: lateness) : nil
    }

    mutating func route(_ batch: Batch, from admitted: Admitted, receipt: Receipt?, watched: Set<UInt32>) -> RoutedBatch
    {
        names.catchUpIfNeeded(with: batch)
        validator.learnMetrics(names)
        let (accepted, deadLetters) = validator.validate(batch, names: names)
        let source = batch.origin.source
        let number = reserve(source)
        let (before, start) = (progress, clocks[number].highWater)
        let rises = rises(in: batch)
        clocks[number].noteArrival(at: batch.origin.received)
        let absences = takeAbsence(of: source, since: start)
        if order != nil {
            receipt?.fulfil(.success(Self.held(batch, accepted, deadLetters)))
            var result = Batch(origin: batch.origin)
            result.rejects = batch.rejects
            order?.hold(batch, accepted: accepted, refused: &result)
            return release(
                through: newest, into: result, deadLetters, absences: absences, watched: watched, from: admitted)
        }
        clocks[number].told = clocks[number].highWater
        return RoutedBatch(
            batch: batch, accepted: accepted, deadLetters: deadLetters, watched: watched,
            before: before, rises: rises, progress: progress, absences: absences, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// The place of a source's clock.
    mutating func reserve(_ source: SourceID) -> Int {
        let number = Int(source.index)
        if number >= clocks.count {
            clocks.append(contentsOf: repeatElement(SourceClock(), count: number + 1 - clocks.count))
        }
        return number
    }

    /// Sources of which something has come in.
    var knownSources: [SourceID] {
        clocks.indices.filter { clocks[$0].isKnown }.map { SourceID(UInt16(truncatingIfNeeded: $0)) }
    }

    /// What waits and no further event can come before, behind the events of `batch`, which were refused.
    mutating func release(
        through limit: Timestamp?, into batch: Batch, _ deadLetters: [DeadLetter] = [],
        absences: [RoutedBatch.Absence] = [], watched: Set<UInt32> = [], from admitted: Admitted
    ) -> RoutedBatch {
        var batch = batch
        let refused = batch.eventCount
        var accepted = [Bool](repeating: false, count: batch.readingCount)
        order?.release(through: limit, into: &batch, &accepted, names)
        let before = released
        var rises: [RoutedBatch.Rise] = []
        for event in refused..<batch.eventCount {
            let (time, number) = (batch.times[event], reserve(batch.source(of: event)))
            guard time > clocks[number].told else { continue }
            clocks[number].told = time
            released = max(released, time)
            rises.append(RoutedBatch.Rise(event: Int32(truncatingIfNeeded: event), highWater: time))
        }
        return RoutedBatch(
            batch: batch, accepted: accepted, deadLetters: deadLetters, watched: watched, before: before,
            rises: rises, progress: released, absences: absences,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// What can be said of a batch whose events wait.
    private static func held(_ batch: Batch, _ accepted: [Bool], _ deadLetters: [DeadLetter]) -> DeliverySummary {
        let refused = accepted.count { !$0 }
        var summary = DeliverySummary(
            deadLettered: batch.rejectCount + refused, spooled: batch.readingCount - refused)
        summary.refusals = deadLetters.prefix(10).map { .init(reason: $0.reason, detail: $0.detail) }
        return summary
    }

    /// Ends of sources whose last events are out.
    mutating func takeEnds(from admitted: Admitted, now: Timestamp) -> [RoutedBatch] {
        guard let ended = order?.takeEnds() else { return [] }
        return ended.map {
            RoutedBatch(
                batch: Self.nothing(at: now), before: released, progress: released, end: .source($0),
                sequence: admitted.sequence, isRecovered: admitted.isRecovered)
        }
    }

    /// Readings that wait for their turn.
    var heldReadings: Int { order?.heldReadings ?? 0 }
    var heldBySource: [String: UInt64] { order?.heldBySource ?? [:] }

    /// Everything that waits, when nothing more comes, or when from now on events are judged as they arrive.
    mutating func releaseAll(now: Timestamp) -> RoutedBatch? {
        guard heldReadings > 0 else { return nil }
        return release(through: nil, into: Self.nothing(at: now), from: Admitted(admission: .tick(now)))
    }

    /// Events that waited when the state was saved, though now none do: the settings have changed.
    mutating func releaseFormer(now: Timestamp) -> [RoutedBatch] {
        guard ordering == .arrival, order != nil else { return [] }
        let batch = releaseAll(now: now)
        order = nil
        return (batch.map { [$0] } ?? []) + [tellAll(from: Admitted(admission: .tick(now)), now: now)]
    }

    /// Nothing waits: the stages behind hear how far the sources are.
    mutating func tellAll(from admitted: Admitted, now: Timestamp) -> RoutedBatch {
        let before = released
        var advances: [RoutedBatch.Advance] = []
        for number in clocks.indices where clocks[number].highWater > clocks[number].told {
            clocks[number].told = clocks[number].highWater
            advances.append(advance(number))
        }
        return RoutedBatch(
            batch: Self.nothing(at: now), before: before, advances: advances, progress: progress,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// A process takes up the work: since a source's last arrival nobody listened, which is no silence of its sensors.
    mutating func begin(at now: Timestamp) {
        for number in clocks.indices {
            let isCut = isLive && clocks[number].isKnown
            clocks[number].absence = isCut ? now.since(clocks[number].lastArrival) : Span64(nanoseconds: 0)
        }
    }

    private mutating func takeAbsence(of source: SourceID, since before: Timestamp) -> [RoutedBatch.Absence] {
        let span = clocks[Int(source.index)].takeAbsence(since: before, timeout: idleTimeout)
        return span.nanoseconds > 0 ? [RoutedBatch.Absence(source: source, span: span)] : []
    }

    /// Where the source's time moves in a batch. Events later than plausible were refused and move nothing.
    private mutating func rises(in batch: Batch) -> [RoutedBatch.Rise] {
        var rises: [RoutedBatch.Rise] = []
        let latest = validator.latestPlausible(batch)
        let number = reserve(batch.origin.source)
        var highWater = clocks[number].highWater
        for (event, time) in batch.times.enumerated()
        where time > highWater && time <= latest && !batch.isDeparture(event) {
            let reached = min(time, batch.origin.received)
            guard reached > highWater else { continue }
            highWater = reached
            rises.append(RoutedBatch.Rise(event: Int32(truncatingIfNeeded: event), highWater: reached))
        }
        clocks[number].highWater = highWater
        newest = max(newest, highWater)
        return rises
    }

    /// Lets each source of which nothing has come in for the idle timeout go on by the wall clock; one that was catching up
    /// only while all are quiet, since others may be having their turn. A walk over all sources, once a second at most.
    mutating func advance(now: Timestamp, from admitted: Admitted) -> [RoutedBatch] {
        let before = progress
        var absences: [RoutedBatch.Absence] = []
        var idle: [Int] = []
        let isQuiet = clocks.allSatisfy { !$0.isKnown || $0.isQuiet(now: now, timeout: idleTimeout) }
        let limit = Span64(nanoseconds: lateness.nanoseconds &+ idleTimeout.nanoseconds)
        for number in clocks.indices where isLive && clocks[number].highWaterAtArrival.nanoseconds != .min {
            guard clocks[number].isQuiet(now: now, timeout: idleTimeout),
                isQuiet || !clocks[number].wasBehind(by: limit)
            else { continue }
            let start = clocks[number].highWater
            clocks[number].advance(now: now)
            newest = max(newest, clocks[number].highWater)
            absences += takeAbsence(of: SourceID(UInt16(truncatingIfNeeded: number)), since: start)
            idle.append(number)
        }
        guard order != nil else {
            for number in idle { clocks[number].told = clocks[number].highWater }
            return [tick(idle, before: before, absences, from: admitted, now: now)]
        }
        let batch = release(through: newest, into: Self.nothing(at: now), absences: absences, from: admitted)
        let hasEvents = batch.batch.eventCount > 0
        let heard = Set((0..<batch.batch.eventCount).map { Int(batch.batch.source(of: $0).index) })
        let rest = idle.filter { !heard.contains($0) }
        guard !hasEvents || !rest.isEmpty else { return [batch] }
        let reached = progress
        // Of these nothing waits any more: time alone goes on.
        for number in rest {
            let end = clocks[number].highWater.advanced(by: Span64(nanoseconds: -lateness.nanoseconds))
            clocks[number].told = max(clocks[number].told, end)
            released = max(released, clocks[number].told)
        }
        let time = tick(rest, before: reached, hasEvents ? [] : absences, from: admitted, now: now)
        return hasEvents ? [batch, time] : [time]
    }

    private func tick(
        _ sources: [Int], before: Timestamp, _ absences: [RoutedBatch.Absence], from admitted: Admitted, now: Timestamp
    ) -> RoutedBatch {
        RoutedBatch(
            batch: Self.nothing(at: now), before: before, advances: sources.map { advance($0) }, progress: progress,
            absences: absences, sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    private func advance(_ number: Int) -> RoutedBatch.Advance {
        RoutedBatch.Advance(source: SourceID(UInt16(truncatingIfNeeded: number)), highWater: clocks[number].told)
    }

    /// - Returns: nothing when the source's last events wait: `takeEnds` has its end when they are out.
    mutating func end(_ source: SourceID?, from admitted: Admitted, receipt: Receipt?, now: Timestamp) -> [RoutedBatch]
    {
        if let source {
            guard order != nil else { return [ended(.source(source), receipt, admitted, now)] }
            order?.noteEnd(of: source)
            receipt?.fulfil(.success(DeliverySummary()))
            return []
        }
        var batches: [RoutedBatch] = []
        if order != nil { batches.append(release(through: nil, into: Self.nothing(at: now), from: admitted)) }
        for time in lastWindowEnds() { batches.append(ended(.windows(through: time), nil, admitted, now)) }
        batches.append(ended(.all, receipt, admitted, now))
        return batches
    }

    private func ended(
        _ end: EndOfInput, _ receipt: Receipt?, _ admitted: Admitted, _ now: Timestamp
    ) -> RoutedBatch {
        return RoutedBatch(
            batch: Self.nothing(at: now), before: progress, progress: progress, end: end, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// At the end of the input every series has windows open: those of a million are not to be in memory at once, and
    /// the stages behind are to have work while others close.
    private func lastWindowEnds() -> [Timestamp] {
        guard let longest = windows.map(\.size.nanoseconds).max(), let slide = windows.map(\.slide.nanoseconds).min(),
            progress.nanoseconds != .min
        else { return [] }
        let span = longest + lateness.nanoseconds
        let step = max(slide, span / Self.partsOfEnd)
        return stride(from: step, to: span, by: Int64.Stride(step)).map {
            progress.advanced(by: Span64(nanoseconds: $0 - lateness.nanoseconds))
        }
    }

    func barrier(_ checkpoint: CheckpointRun, now: Timestamp) -> RoutedBatch {
        return RoutedBatch(
            batch: Self.nothing(at: now), before: progress, progress: progress, checkpoint: checkpoint)
    }

    func pass(_ feedback: Feedback, from admitted: Admitted, receipt: Receipt, now: Timestamp) -> RoutedBatch {
        var feedback = feedback
        // From its place in the stream on, whenever that was: a restart finds the same.
        feedback.given = progress
        return RoutedBatch(
            batch: Self.nothing(at: now), before: progress, progress: progress, feedback: feedback, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    func pass(
        _ action: AlarmAction, on alarm: Alarm, from admitted: Admitted, receipt: Receipt, now: Timestamp
    ) -> RoutedBatch {
        var action = action
        action.given = progress
        return RoutedBatch(
            batch: Self.nothing(at: now), before: progress, progress: progress, action: (action, alarm),
            receipt: receipt, sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    static func nothing(at now: Timestamp) -> Batch {
        Batch(origin: Origin(source: SourceID(0), sourceName: "", position: 0, received: now))
    }

    // MARK: Checkpoint

    func save(to writer: inout StateWriter) {
        let known = clocks.indices.filter { clocks[$0].isKnown }
        writer.write(varint: UInt64(known.count))
        for number in known {
            writer.write(UInt16(truncatingIfNeeded: number))
            clocks[number].save(to: &writer)
        }
        writer.write(newest)
        writer.write(order != nil)
        guard let order else { return }
        writer.write(released)
        order.save(to: &writer)
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        names.catchUp()
        guard let count = reader.readCount(of: 42) else { return false }
        for _ in 0..<count {
            guard let number = reader.read(UInt16.self), let clock = SourceClock(restoring: &reader) else {
                return false
            }
            clocks[reserve(SourceID(number))] = clock
        }
        guard let newest = reader.readTimestamp(), let isOrdered = reader.readFlag() else { return false }
        self.newest = newest
        released = newest
        guard isOrdered else { return true }
        guard let released = reader.readTimestamp() else { return false }
        self.released = released
        var order = EventOrder(lateness: lateness)
        guard order.restore(from: &reader, SavedIDs(names)) else { return false }
        self.order = order
        return true
    }
}
