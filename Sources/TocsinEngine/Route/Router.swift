internal import TocsinCore

/// The first stage, alone and in stream order: validates, and follows the progress of the stream.
struct Router: Sendable {
    private var names: SeriesNames
    private var validator: Validator
    private let isLive: Bool
    private let idleTimeout: Span64
    /// The newest plausible event time; for live input never ahead of the arrival, so that one fast clock among the
    /// devices does not make all others late.
    private var highWater = Timestamp(nanoseconds: .min)
    private var lastArrival = Timestamp(nanoseconds: .min)
    private var highWaterAtArrival = Timestamp(nanoseconds: .min)
    /// How long nothing was heard because nobody listened; told to the shards once.
    private var absence = Span64(nanoseconds: 0)
    /// Where events are judged by their own time, not as they arrive; and the stream's time behind it.
    private var order: EventOrder?
    private var released = Timestamp(nanoseconds: .min)
    private let ordering: EventOrdering
    private let lateness: Span64
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
        let before = highWater
        let rises = rises(in: batch)
        let absence = takeAbsence(since: before)
        lastArrival = batch.origin.received
        highWaterAtArrival = highWater
        if order != nil {
            receipt?.fulfil(.success(Self.held(batch, accepted, deadLetters)))
            var result = Batch(origin: batch.origin)
            result.rejects = batch.rejects
            order?.hold(batch, accepted: accepted, refused: &result)
            return release(
                through: highWater, into: result, deadLetters, absence: absence, watched: watched, from: admitted)
        }
        return RoutedBatch(
            batch: batch, accepted: accepted, deadLetters: deadLetters, watched: watched,
            highWater: before, rises: rises, progress: highWater, absence: absence, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// What waits and no further event can come before, behind the events of `batch`, which were refused.
    private mutating func release(
        through limit: Timestamp?, into batch: Batch, _ deadLetters: [DeadLetter] = [],
        absence: Span64 = .seconds(0), watched: Set<UInt32> = [], from admitted: Admitted
    ) -> RoutedBatch {
        var batch = batch
        let refused = batch.eventCount
        var accepted = [Bool](repeating: false, count: batch.readingCount)
        order?.release(through: limit, into: &batch, &accepted, names)
        let before = released
        var rises: [RoutedBatch.Rise] = []
        for event in refused..<batch.eventCount where batch.times[event] > released {
            released = batch.times[event]
            rises.append(RoutedBatch.Rise(event: Int32(truncatingIfNeeded: event), highWater: released))
        }
        return RoutedBatch(
            batch: batch, accepted: accepted, deadLetters: deadLetters, watched: watched, highWater: before,
            rises: rises, progress: released, absence: absence,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// What can be said of a batch whose events wait.
    private static func held(_ batch: Batch, _ accepted: [Bool], _ deadLetters: [DeadLetter]) -> DeliverySummary {
        let refused = accepted.count { !$0 }
        var summary = DeliverySummary(
            deadLettered: batch.rejects.count + refused, spooled: batch.readingCount - refused)
        summary.refusals = deadLetters.prefix(10).map { .init(reason: $0.reason, detail: $0.detail) }
        return summary
    }

    /// Ends of sources whose last events are out.
    mutating func takeEnds(from admitted: Admitted, now: Timestamp) -> [RoutedBatch] {
        guard let ended = order?.takeEnds() else { return [] }
        return ended.map {
            RoutedBatch(
                batch: Self.nothing(at: now), highWater: released, progress: released, end: .source($0),
                sequence: admitted.sequence, isRecovered: admitted.isRecovered)
        }
    }

    /// Readings that wait for their turn.
    var heldReadings: Int { order?.heldReadings ?? 0 }

    /// Everything that waits, when nothing more comes, or when from now on events are judged as they arrive.
    mutating func releaseAll(now: Timestamp) -> RoutedBatch? {
        guard heldReadings > 0 else { return nil }
        return release(through: nil, into: Self.nothing(at: now), from: Admitted(admission: .tick(now)))
    }

    /// Events that waited when the state was saved, though now none do: the settings have changed.
    mutating func releaseFormer(now: Timestamp) -> RoutedBatch? {
        guard ordering == .arrival, order != nil else { return nil }
        defer { order = nil }
        return releaseAll(now: now)
    }

    /// A process takes up the work: since the last arrival nobody listened, which is no silence of the sensors.
    mutating func begin(at now: Timestamp) {
        absence = isLive && lastArrival.nanoseconds != .min ? now.since(lastArrival) : Span64(nanoseconds: 0)
    }

    /// The absence, as far as the stream's own time shows it: a backlog that goes on without a gap has none.
    private mutating func takeAbsence(since before: Timestamp) -> Span64 {
        guard absence.nanoseconds > 0, before.nanoseconds != .min else { return Span64(nanoseconds: 0) }
        let jump = highWater.since(before)
        defer { absence = Span64(nanoseconds: 0) }
        return jump >= idleTimeout ? min(jump, absence) : Span64(nanoseconds: 0)
    }

    /// Where the stream's time moves in a batch. Events later than plausible were refused and move nothing.
    private mutating func rises(in batch: Batch) -> [RoutedBatch.Rise] {
        var rises: [RoutedBatch.Rise] = []
        let latest = validator.latestPlausible(batch)
        for (event, time) in batch.times.enumerated() where time > highWater && time <= latest {
            let reached = min(time, batch.origin.received)
            guard reached > highWater else { continue }
            highWater = reached
            rises.append(RoutedBatch.Rise(event: Int32(truncatingIfNeeded: event), highWater: reached))
        }
        return rises
    }

    /// Whether the stream's time would go on by the wall clock: nothing has come in for the idle timeout.
    func isIdle(now: Timestamp) -> Bool {
        isLive && highWaterAtArrival.nanoseconds != .min && now.since(lastArrival) >= idleTimeout
    }

    /// Lets the stream go on by the wall clock while nothing comes in.
    mutating func advance(now: Timestamp, from admitted: Admitted) -> RoutedBatch {
        let before = highWater
        if isIdle(now: now) {
            highWater = max(highWater, highWaterAtArrival.advanced(by: now.since(lastArrival)))
        }
        if order != nil {
            let absence = takeAbsence(since: before)
            let batch = release(
                through: highWater, into: Self.nothing(at: now), absence: absence, from: admitted)
            if batch.batch.eventCount > 0 { return batch }
            // Nothing waits any more: time alone goes on.
            let before = released
            released = max(released, highWater.advanced(by: Span64(nanoseconds: -lateness.nanoseconds)))
            return RoutedBatch(
                batch: batch.batch, highWater: before, progress: released, absence: absence,
                sequence: admitted.sequence, isRecovered: admitted.isRecovered)
        }
        return RoutedBatch(
            batch: Self.nothing(at: now), highWater: before, progress: highWater,
            absence: takeAbsence(since: before), sequence: admitted.sequence, isRecovered: admitted.isRecovered)
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
        let progress = order == nil ? highWater : released
        return RoutedBatch(
            batch: Self.nothing(at: now), highWater: progress, progress: progress, end: end, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    /// At the end of the input every series has windows open: those of a million are not to be in memory at once, and
    /// the stages behind are to have work while others close.
    private func lastWindowEnds() -> [Timestamp] {
        let progress = order == nil ? highWater : released
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
        let progress = order == nil ? highWater : released
        return RoutedBatch(
            batch: Self.nothing(at: now), highWater: progress, progress: progress, checkpoint: checkpoint)
    }

    func pass(_ feedback: Feedback, from admitted: Admitted, receipt: Receipt, now: Timestamp) -> RoutedBatch {
        let progress = order == nil ? highWater : released
        var feedback = feedback
        // From its place in the stream on, whenever that was: a restart finds the same.
        feedback.given = progress
        return RoutedBatch(
            batch: Self.nothing(at: now), highWater: progress, progress: progress, feedback: feedback, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    private static func nothing(at now: Timestamp) -> Batch {
        Batch(origin: Origin(source: SourceID(0), sourceName: "", position: 0, received: now))
    }

    // MARK: Checkpoint

    func save(to writer: inout StateWriter) {
        writer.write(highWater)
        writer.write(lastArrival)
        writer.write(highWaterAtArrival)
        writer.write(absence.nanoseconds)
        writer.write(order != nil)
        guard let order else { return }
        writer.write(released)
        order.save(to: &writer)
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        names.catchUp()
        guard let highWater = reader.readTimestamp(), let lastArrival = reader.readTimestamp(),
            let highWaterAtArrival = reader.readTimestamp(), let absence = reader.read(Int64.self),
            let isOrdered = reader.readFlag()
        else { return false }
        self.highWater = highWater
        self.lastArrival = lastArrival
        self.highWaterAtArrival = highWaterAtArrival
        self.absence = Span64(nanoseconds: absence)
        released = highWater
        guard isOrdered else { return true }
        guard let released = reader.readTimestamp() else { return false }
        self.released = released
        var order = EventOrder(lateness: lateness)
        guard order.restore(from: &reader, names) else { return false }
        self.order = order
        return true
    }
}
