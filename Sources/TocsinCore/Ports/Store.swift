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

    /// Newest first.
    func deadLetters(reason: DeadLetterReason?, limit: Int, offset: Int) async throws -> [DeadLetter]
    func deadLetter(id: Int64) async throws -> DeadLetter?
    /// Called after a letter was sent again successfully.
    func removeDeadLetters(ids: [Int64]) async throws
    func deadLetterCounts() async throws -> [DeadLetterReason: Int]

    /// Of the models that the program learnt by itself only the newest five versions of each name are kept.
    func saveModel(_ model: ModelRecord) async throws
    /// Newest version first; all names when `name` is nil. `data` is filled in.
    func models(name: String?) async throws -> [ModelRecord]

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

    public init(
        sensor: String, time: Timestamp, received: Timestamp, source: String, isLate: Bool,
        readings: [(metric: String, value: Double, unit: String?)], payload: [UInt8]
    ) {
        self.sensor = sensor
        self.time = time
        self.received = received
        self.source = source
        self.isLate = isLate
        self.readings = readings
        self.payload = payload
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

    public init(
        eventAge: Span64? = nil, windowAge: Span64? = nil, anomalyAge: Span64? = nil, deadLetterAge: Span64? = nil,
        maxBytes: Int64? = nil
    ) {
        self.eventAge = eventAge
        self.windowAge = windowAge
        self.anomalyAge = anomalyAge
        self.deadLetterAge = deadLetterAge
        self.maxBytes = maxBytes
    }
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
