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

    init(table: SeriesTable, settings: EngineSettings) {
        names = SeriesNames(table: table)
        validator = Validator(settings: settings.validation)
        isLive = settings.isLive
        idleTimeout = settings.idleTimeout
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
        return RoutedBatch(
            batch: batch, accepted: accepted, deadLetters: deadLetters, watched: watched,
            highWater: before, rises: rises, progress: highWater, absence: absence, receipt: receipt,
            sequence: admitted.sequence, isRecovered: admitted.isRecovered)
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
        return RoutedBatch(
            batch: Self.nothing(at: now), highWater: before, progress: highWater,
            absence: takeAbsence(since: before), sequence: admitted.sequence, isRecovered: admitted.isRecovered)
    }

    func end(_ source: SourceID?, from admitted: Admitted, receipt: Receipt?, now: Timestamp) -> RoutedBatch {
        RoutedBatch(
            batch: Self.nothing(at: now), highWater: highWater, progress: highWater,
            end: source.map { .source($0) } ?? .all, receipt: receipt, sequence: admitted.sequence,
            isRecovered: admitted.isRecovered)
    }

    func barrier(_ checkpoint: CheckpointRun, now: Timestamp) -> RoutedBatch {
        RoutedBatch(
            batch: Self.nothing(at: now), highWater: highWater, progress: highWater, checkpoint: checkpoint)
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
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        names.catchUp()
        guard let highWater = reader.readTimestamp(), let lastArrival = reader.readTimestamp(),
            let highWaterAtArrival = reader.readTimestamp(), let absence = reader.read(Int64.self)
        else { return false }
        self.highWater = highWater
        self.lastArrival = lastArrival
        self.highWaterAtArrival = highWaterAtArrival
        self.absence = Span64(nanoseconds: absence)
        return true
    }
}
