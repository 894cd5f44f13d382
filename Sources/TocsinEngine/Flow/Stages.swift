internal import TocsinCore
internal import TocsinSpool

/// What enters the engine, in stream order.
enum Admission: Sendable {
    case batch(Batch, Receipt)
    /// A batch of so many readings that is in the spool only: it is read back when its turn comes.
    case spooled(Int)
    /// Time went by without input (live only): windows close and silence is noticed all the same.
    case tick(Timestamp)
    /// A process takes up the work of another: until now nobody listened.
    case begun(Timestamp)
    /// A source (nil: all input) has ended: its sensors are not expected to speak any more.
    case endOfInput(SourceID?, Receipt)
    /// What a person said of an alarm.
    case feedback(Feedback, Receipt)
    /// What a person did with an alarm, and the alarm as that person saw it.
    case action(AlarmAction, Alarm, Receipt)
    /// Everything before it is to be saved as one state.
    case checkpoint(CheckpointRun)
    /// The sensors of a source leave, or are copied.
    case leave(TransferRun)
    /// The sensors of a source come.
    case adopt(AdoptedSensors)
}

/// An admission in its place in the stream.
struct Admitted: Sendable {
    /// In the spool; 0 where there is none, or for what is not spooled.
    var sequence: UInt64 = 0
    var admission: Admission
    /// It was in the spool when the process started.
    var isRecovered = false
}

/// A batch after validation, shared by all shards. One reference for all, never changed.
final class RoutedBatch: Sendable {
    /// The high-water event time of an event's source rises at the event.
    struct Rise: Sendable {
        var event: Int32
        var highWater: Timestamp
    }

    /// The time of a source goes on without an event.
    struct Advance: Sendable {
        var source: SourceID
        var highWater: Timestamp
    }

    /// For so long nobody listened to a source.
    struct Absence: Sendable {
        var source: SourceID
        var span: Span64
    }

    let batch: Batch
    /// Per reading.
    let accepted: [Bool]
    let deadLetters: [DeadLetter]
    /// Sensors that a screen is showing.
    let watched: Set<UInt32>
    /// The newest source's time before this batch.
    let before: Timestamp
    /// Where the events' sources go on inside.
    let rises: [Rise]
    /// Sources that go on behind the events.
    let advances: [Advance]
    /// The newest source's time after it.
    let progress: Timestamp
    /// After a restart: how long nobody listened. No series is silent because of that.
    let absences: [Absence]
    let end: EndOfInput?
    let checkpoint: CheckpointRun?
    let feedback: Feedback?
    let handover: Handover?
    let action: (AlarmAction, Alarm)?
    let receipt: Receipt?
    let sequence: UInt64
    let isRecovered: Bool

    init(
        batch: Batch, accepted: [Bool] = [], deadLetters: [DeadLetter] = [],
        watched: Set<UInt32> = [], before: Timestamp,
        rises: [Rise] = [], advances: [Advance] = [], progress: Timestamp, absences: [Absence] = [],
        end: EndOfInput? = nil,
        checkpoint: CheckpointRun? = nil, feedback: Feedback? = nil, action: (AlarmAction, Alarm)? = nil,
        handover: Handover? = nil,
        receipt: Receipt? = nil, sequence: UInt64 = 0, isRecovered: Bool = false
    ) {
        self.batch = batch
        self.accepted = accepted
        self.deadLetters = deadLetters
        self.watched = watched
        self.before = before
        self.rises = rises
        self.advances = advances
        self.progress = progress
        self.absences = absences
        self.end = end
        self.checkpoint = checkpoint
        self.feedback = feedback
        self.handover = handover
        self.action = action
        self.receipt = receipt
        self.sequence = sequence
        self.isRecovered = isRecovered
    }
}

/// Whose input has ended.
enum EndOfInput: Sendable {
    /// Every window closes as it is.
    case all
    /// The same, as far as windows end by then: a part of the end, so that not all windows there are come at once.
    case windows(through: Timestamp)
    case source(SourceID)
}

/// What one shard found in one batch. Identifiers are global again.
struct ShardResult: Sendable {
    /// One per event of the batch; only the shard's own events are meaningful.
    var fates: [EventFate] = []
    /// With the index of the event that caused it, so that the order does not depend on the number of shards.
    var verdicts: [(event: Int, verdict: Verdict)] = []
    /// What the ensembles found, in the same way; they become verdicts where the names are.
    var findings: [SensorFinding] = []
    var windows = WindowBatch()
    /// By window: the event that closed it.
    var windowEvents: [Int32] = []
    /// By window: whether a heavy detector is to look; empty where there is none.
    var suspicions: [Bool] = []
    /// For the window forests: the windows that have features, and `WindowFeatures.width` numbers for each.
    var featureWindows: [Int32] = []
    var windowFeatures: [Double] = []
    var points: [LivePoint] = []
    /// Sensors that were silent and spoke again.
    var returned: [(event: Int, sensor: SensorID, time: Timestamp)] = []
    /// Sensors that went away by their own word, or came back.
    var turned: [SensorID] = []
    /// Of a handover: the shard's sensors that left or were copied, or that were replaced by others.
    var handed: [SensorID] = []
    /// Of a handover: what came cannot be read.
    var isNonsense = false
    /// Time spent on the shard's own readings, and how many they were.
    var seconds = 0.0
    var readings = 0
}

/// What the writer makes durable.
struct WriteJob: Sendable {
    var outcome: BatchOutcome
    var summary: DeliverySummary
    var models: [ModelRecord]
    var receipt: Receipt?
    var checkpoint: CheckpointRun?
    var handover: HandoverOutcome?
    var sequence: UInt64
    var isRecovered: Bool
}
