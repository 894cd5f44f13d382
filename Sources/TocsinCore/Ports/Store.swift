/// Where results live: SQLite on one machine, PostgreSQL for many. One conformance suite holds for all.
public protocol Store: Sendable {
    /// Writes all outcomes in one transaction; on return they survive a crash and a power cut.
    /// Idempotent: rows have content-derived keys, so a replay writes the same rows over themselves.
    /// - Returns: for each outcome, the readings whose events the store held already.
    /// - Throws: `TocsinError` with `isRetriable` true where waiting can help (locked, disk full).
    @discardableResult
    func write(_ outcomes: [BatchOutcome]) async throws -> [HeldReadings]

    /// Whether `write` wants the raw bytes of batches: what nobody wants is freed before it waits to be written.
    var keepsRawInput: Bool { get }

    /// Alarms that were open when the last process ended, to be taken up again.
    func openAlarms() async throws -> [Alarm]

    /// Newest first, by event time.
    func events(_ query: RecordQuery) async throws -> [StoredEvent]
    func anomalies(_ query: RecordQuery) async throws -> [Anomaly]
    func alarms(_ query: RecordQuery, state: Alarm.State?) async throws -> [Alarm]
    func windows(_ query: RecordQuery) async throws -> [StoredWindow]
    func alarm(id: String) async throws -> Alarm?

    /// What people said of alarms since then, oldest first; of one alarm the last word only.
    func feedback(since: Timestamp) async throws -> [Feedback]

    /// What people did with alarms, newest first by the wall clock; of one alarm, or of all.
    func alarmActions(alarmID: String?, since: Timestamp?, limit: Int, offset: Int) async throws -> [AlarmAction]

    /// Newest first.
    func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter]
    func deadLetter(id: Int64) async throws -> DeadLetter?
    /// Called after a letter was sent again successfully.
    func removeDeadLetters(ids: [Int64]) async throws
    /// Highest number that a letter has had, 0 before the first.
    func lastDeadLetterID() async throws -> Int64
    /// Those with a higher number.
    func removeDeadLetters(after id: Int64) async throws
    func deadLetterCounts() async throws -> [DeadLetterReason: Int]

    /// Of the models that the program learnt by itself only the newest five versions of each name are kept.
    func saveModel(_ model: ModelRecord) async throws
    /// Newest version first; all names when `name` is nil. `data` is filled in.
    func models(name: String?) async throws -> [ModelRecord]

    /// Writes a job over its earlier record of the same id.
    func saveJob(_ job: JobRecord) async throws
    /// Newest start first; all names when `name` is nil.
    func jobs(name: String?, limit: Int) async throws -> [JobRecord]

    /// Writes a report over an earlier one of the same id.
    func saveQualityReport(_ report: QualityReport) async throws
    /// Newest first; all subjects when `subject` is nil.
    func qualityReports(subject: String?, limit: Int) async throws -> [QualityReport]

    /// Keeps the newest two of each name; one with a sequence that is there already is written over.
    func saveCheckpoint(_ checkpoint: CheckpointRecord) async throws
    /// The newest of that name.
    func checkpoint(name: String) async throws -> CheckpointRecord?

    /// Deletes what is older than the policy says, oldest first; returns rows deleted by table.
    func applyRetention(_ policy: RetentionPolicy, now: Timestamp) async throws -> [String: Int]

    func statistics() async throws -> StoreStatistics

    /// Flushes and closes; every later call throws.
    func close() async throws
}

extension Store {
    public var keepsRawInput: Bool { true }
}

/// Readings of one outcome that were in the store before it was written: a redelivery that reached back further than
/// the engine remembers.
public struct HeldReadings: Sendable, Equatable {
    /// Of events whose fate was `stored`, and of those whose fate was `late`.
    public var stored: Int
    public var late: Int
    public init(stored: Int = 0, late: Int = 0) {
        self.stored = stored
        self.late = late
    }
}

/// A filter that every listing understands. Times are event times; `start` inclusive, `end` exclusive.
public struct RecordQuery: Sendable {
    public var sensor: String?
    public var metric: String?
    public var start: Timestamp?
    public var end: Timestamp?
    public var limit: Int
    public var offset: Int

    public init(
        sensor: String? = nil, metric: String? = nil, start: Timestamp? = nil, end: Timestamp? = nil,
        limit: Int = 100, offset: Int = 0
    ) {
        self.sensor = sensor
        self.metric = metric
        self.start = start
        self.end = end
        self.limit = limit
        self.offset = offset
    }
}

public struct StoredEvent: Sendable {
    public var sensor: String
    public var time: Timestamp
    public var received: Timestamp
    public var source: String
    public var isLate: Bool
    /// In the order in which the device sent them; units where known.
    public var readings: [(metric: String, value: Double, unit: String?)]
    /// The message as received.
    public var payload: [UInt8]
    /// What tells it from other events of its sensor and time, as in a batch.
    public var key: UInt64

    public init(
        sensor: String, time: Timestamp, received: Timestamp, source: String, isLate: Bool,
        readings: [(metric: String, value: Double, unit: String?)], payload: [UInt8], key: UInt64 = 0
    ) {
        self.sensor = sensor
        self.time = time
        self.received = received
        self.source = source
        self.isLate = isLate
        self.readings = readings
        self.payload = payload
        self.key = key
    }
}

public struct StoredWindow: Sendable {
    public var sensor: String
    public var metric: String
    public var start: Timestamp
    public var end: Timestamp
    /// In the order of `WindowStatistic.allCases`; NaN where undefined.
    public var statistics: [Double]
    /// NaN where the forest did not score it.
    public var score: Double

    public init(
        sensor: String, metric: String, start: Timestamp, end: Timestamp, statistics: [Double], score: Double
    ) {
        self.sensor = sensor
        self.metric = metric
        self.start = start
        self.end = end
        self.statistics = statistics
        self.score = score
    }
}

/// Who made a model. Raw values are stored.
public enum ModelOrigin: String, Sendable, CaseIterable {
    /// The program by itself, from what went by; it goes on learning.
    case learned
    /// A person, by `tocsin train`: used as it is until another is trained.
    case trained
}

/// A trained model as a plain versioned record. (name, version) is its key.
public struct ModelRecord: Sendable {
    public var name: String
    public var version: Int
    public var origin: ModelOrigin
    public var created: Timestamp
    /// Format name and version of `data` ("isolation-forest/1").
    public var format: String
    /// One JSON object for people: rows, features, threshold, training time.
    public var summary: String
    public var data: [UInt8]

    public init(
        name: String, version: Int, origin: ModelOrigin, created: Timestamp, format: String, summary: String,
        data: [UInt8]
    ) {
        self.name = name
        self.version = version
        self.origin = origin
        self.created = created
        self.format = format
        self.summary = summary
        self.data = data
    }
}

/// What to keep. nil = keep for ever. Ages are measured in event time against the clock.
public struct RetentionPolicy: Sendable {
    public var eventAge: Span64?
    public var windowAge: Span64?
    public var anomalyAge: Span64?
    public var deadLetterAge: Span64?
    /// Upper bound of the database file: above it the oldest events, then the oldest windows, go first.
    public var maxBytes: Int64?
    /// Older windows are thinned: of the largest definition those that follow one another without a gap stay (of five
    /// minutes every minute, one of five), the others go. No number is changed.
    public var thinnedWindowAge: Span64?
    /// Of jobs that have ended, by their start, and of quality reports, by when they were made.
    public var jobAge: Span64?

    public init(
        eventAge: Span64? = nil, windowAge: Span64? = nil, anomalyAge: Span64? = nil, deadLetterAge: Span64? = nil,
        maxBytes: Int64? = nil, thinnedWindowAge: Span64? = nil, jobAge: Span64? = nil
    ) {
        self.eventAge = eventAge
        self.windowAge = windowAge
        self.anomalyAge = anomalyAge
        self.deadLetterAge = deadLetterAge
        self.maxBytes = maxBytes
        self.thinnedWindowAge = thinnedWindowAge
        self.jobAge = jobAge
    }
}

/// Which of the windows older than `RetentionPolicy.thinnedWindowAge` stay: the rule that every store follows.
public struct WindowThinning: Sendable, Equatable {
    /// Windows of smaller definitions go.
    public var size: Int64
    /// The largest definition's own slide: windows of other definitions that are not smaller stay as they are.
    public var slide: Int64
    /// Of the largest definition those stay whose start is a multiple of this: as many slides as fit into the size.
    public var step: Int64

    /// nil where there is no definition, or one that has no size.
    public init?(_ definitions: [WindowDefinition]) {
        let largest = definitions.max {
            ($0.size.nanoseconds, $1.slide.nanoseconds) < ($1.size.nanoseconds, $0.slide.nanoseconds)
        }
        guard let largest, largest.size.nanoseconds > 0, largest.slide.nanoseconds > 0 else { return nil }
        size = largest.size.nanoseconds
        slide = largest.slide.nanoseconds
        step = slide * max(1, size / slide)
    }

    public func keeps(_ definition: WindowDefinition, start: Timestamp) -> Bool {
        guard definition.size.nanoseconds >= size else { return false }
        let isLargest = definition.size.nanoseconds == size && definition.slide.nanoseconds == slide
        return !isLargest || start.nanoseconds % step == 0
    }
}

/// The schema of a store and the steps that bring it up to date: what `tocsin migrate` shows.
public struct SchemaStatus: Sendable, Equatable {
    public struct Step: Sendable, Equatable {
        /// From 1.
        public var number: Int
        /// For people: what it brings.
        public var title: String
        /// Its statements; what the program does between them stands in comments.
        public var sql: String
        public var isApplied: Bool

        public init(number: Int, title: String, sql: String, isApplied: Bool) {
            self.number = number
            self.title = title
            self.sql = sql
            self.isApplied = isApplied
        }
    }

    /// The file, or the database and its server.
    public var place: String
    /// Number of the last step applied; 0 = nothing is there yet.
    public var version: Int
    /// Number of the last step that this program knows.
    public var knownVersion: Int
    public var steps: [Step]

    public init(place: String, version: Int, knownVersion: Int, steps: [Step]) {
        self.place = place
        self.version = version
        self.knownVersion = knownVersion
        self.steps = steps
    }

    /// Made by a newer version of the program, which alone can open it.
    public var isNewer: Bool { version > knownVersion }
    public var stepsToCome: [Step] { steps.filter { !$0.isApplied } }
}

public struct StoreStatistics: Sendable {
    public var bytes: Int64
    /// Rows by table, exact for small tables, from the highest row id for the large ones.
    public var rows: [String: Int]
    public init(bytes: Int64, rows: [String: Int]) {
        self.bytes = bytes
        self.rows = rows
    }
}
