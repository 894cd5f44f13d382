internal import TocsinCore

/// What enters the engine, in stream order.
enum Admission: Sendable {
    case batch(Batch, Receipt)
    /// Time went by without input (live only): windows close and silence is noticed all the same.
    case tick(Timestamp)
    /// A source (nil: all input) has ended: its sensors are not expected to speak any more.
    case endOfInput(SourceID?, Receipt)
}

/// A batch after validation, shared by all shards. One reference for all, never changed.
final class RoutedBatch: Sendable {
    let batch: Batch
    /// Per reading.
    let accepted: [Bool]
    let deadLetters: [DeadLetter]
    /// What the event forests say of it.
    let events: EventModels.Findings
    /// Sensors that a screen is showing.
    let watched: Set<UInt32>
    /// High-water event time of the stream before this batch.
    let highWater: Timestamp
    /// Events later than this were refused.
    let latestPlausible: Timestamp
    /// Where the stream stands after it.
    let progress: Timestamp
    let end: EndOfInput?
    let receipt: Receipt?

    init(
        batch: Batch, accepted: [Bool] = [], deadLetters: [DeadLetter] = [],
        events: EventModels.Findings = EventModels.Findings(), watched: Set<UInt32> = [], highWater: Timestamp,
        latestPlausible: Timestamp, progress: Timestamp,
        end: EndOfInput? = nil, receipt: Receipt? = nil
    ) {
        self.batch = batch
        self.accepted = accepted
        self.deadLetters = deadLetters
        self.events = events
        self.watched = watched
        self.highWater = highWater
        self.latestPlausible = latestPlausible
        self.progress = progress
        self.end = end
        self.receipt = receipt
    }
}

/// Whose input has ended.
enum EndOfInput: Sendable {
    /// Every window closes as it is.
    case all
    case source(SourceID)
}

/// What one shard found in one batch. Identifiers are global again.
struct ShardResult: Sendable {
    /// One per event of the batch; only the shard's own events are meaningful.
    var fates: [EventFate] = []
    /// With the index of the event that caused it, so that the order does not depend on the number of shards.
    var verdicts: [(event: Int, verdict: Verdict)] = []
    var windows = WindowBatch()
    /// By window: the event that closed it.
    var windowEvents: [Int32] = []
    /// For the window forests: the windows that have features, and `WindowFeatures.width` numbers for each.
    var featureWindows: [Int32] = []
    var windowFeatures: [Double] = []
    var points: [LivePoint] = []
    /// Sensors that were silent and spoke again.
    var returned: [(event: Int, sensor: SensorID, time: Timestamp)] = []
    /// Time spent on the shard's own readings, and how many they were.
    var seconds = 0.0
    var readings = 0
}

/// What the writer makes durable.
struct WriteJob: Sendable {
    var outcome: BatchOutcome
    var summary: DeliverySummary
    var points: [LivePoint]
    var models: [ModelRecord]
    var receipt: Receipt?
}
