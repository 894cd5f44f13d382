internal import TocsinCore

/// The first stage, alone and in stream order: validates, follows the progress of the stream, and has the event
/// forests score and learn, so that a model becomes active at one exact event whatever the number of shards.
struct Router: Sendable {
    private var names: SeriesNames
    private var validator: Validator
    private var eventModels: EventModels
    private let isLive: Bool
    private let idleTimeout: Span64
    /// The newest plausible event time; for live input never ahead of the arrival, so that one fast clock among the
    /// devices does not make all others late.
    private var highWater = Timestamp(nanoseconds: .min)
    private var lastArrival = Timestamp(nanoseconds: .min)
    private var highWaterAtArrival = Timestamp(nanoseconds: .min)

    init(table: SeriesTable, settings: EngineSettings, saved: [String: SavedForest]) {
        names = SeriesNames(table: table)
        validator = Validator(settings: settings.validation)
        eventModels = EventModels(settings: settings.forests, saved: saved)
        isLive = settings.isLive
        idleTimeout = settings.idleTimeout
    }

    var learning: [LearningProgress] { eventModels.learning }

    mutating func route(_ batch: Batch, receipt: Receipt, watched: Set<UInt32>) -> RoutedBatch {
        names.catchUpIfNeeded(with: batch)
        validator.learnMetrics(names)
        let (accepted, deadLetters) = validator.validate(batch, names: names)
        let before = highWater
        let latest = validator.latestPlausible(batch)
        for time in batch.times where time <= latest { highWater = max(highWater, min(time, batch.origin.received)) }
        lastArrival = batch.origin.received
        highWaterAtArrival = highWater
        let events = eventModels.observe(batch, accepted: accepted, names: names)
        return RoutedBatch(
            batch: batch, accepted: accepted, deadLetters: deadLetters, events: events, watched: watched,
            highWater: before, latestPlausible: latest, progress: highWater, receipt: receipt)
    }

    /// Lets the stream go on by the wall clock while nothing comes in.
    mutating func advance(now: Timestamp) -> RoutedBatch {
        let before = highWater
        let quiet = now.since(lastArrival)
        if isLive, highWaterAtArrival.nanoseconds != .min, quiet >= idleTimeout {
            highWater = max(highWater, highWaterAtArrival.advanced(by: quiet))
        }
        return RoutedBatch(
            batch: Self.nothing(at: now), highWater: before, latestPlausible: highWater, progress: highWater)
    }

    func end(_ source: SourceID?, receipt: Receipt, now: Timestamp) -> RoutedBatch {
        RoutedBatch(
            batch: Self.nothing(at: now), highWater: highWater, latestPlausible: highWater, progress: highWater,
            end: source.map { .source($0) } ?? .all, receipt: receipt)
    }

    private static func nothing(at now: Timestamp) -> Batch {
        Batch(origin: Origin(source: SourceID(0), sourceName: "", position: 0, received: now))
    }
}
