/// One run of a scheduled or hand-started job: training, ETL, retention, quality, compaction.
public struct JobRecord: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable {
        case running
        case succeeded
        case failed
        /// Its process ended before the job did.
        case abandoned
    }

    /// Unique: name and start.
    public var id: String
    public var name: String
    public var state: State
    public var started: Timestamp
    public var finished: Timestamp?
    /// 0 to 1.
    public var progress: Double
    /// One JSON object for people: rows, files, seconds.
    public var summary: String
    /// What went wrong, and what to do.
    public var error: String?

    public init(
        id: String, name: String, state: State, started: Timestamp, finished: Timestamp? = nil, progress: Double = 0,
        summary: String = "{}", error: String? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.started = started
        self.finished = finished
        self.progress = progress
        self.summary = summary
        self.error = error
    }
}

/// What a look at the data of a range of time found: rows in, rows out and what was refused, by rule.
public struct QualityReport: Sendable, Equatable {
    /// Unique: subject and range; a repeated run writes over its report.
    public var id: String
    /// What was looked at ("silver").
    public var subject: String
    public var created: Timestamp
    /// Event times, the end excluded.
    public var start: Timestamp
    public var end: Timestamp
    public var rowsIn: Int
    public var rowsOut: Int
    /// Whether a limit was passed.
    public var exceedsLimit: Bool
    /// One JSON object: rows by rule ("duplicate", "out_of_range", "unparsable", "late").
    public var rules: String

    public init(
        id: String, subject: String, created: Timestamp, start: Timestamp, end: Timestamp, rowsIn: Int, rowsOut: Int,
        exceedsLimit: Bool, rules: String
    ) {
        self.id = id
        self.subject = subject
        self.created = created
        self.start = start
        self.end = end
        self.rowsIn = rowsIn
        self.rowsOut = rowsOut
        self.exceedsLimit = exceedsLimit
        self.rules = rules
    }
}

/// How far something that survives its process has come: the state of a partition that another process may take over, the
/// place that a job reached. The newest of each name counts.
public struct CheckpointRecord: Sendable, Equatable {
    public var name: String
    /// Of the same name the higher one is newer.
    public var sequence: Int64
    public var created: Timestamp
    /// Format name and version of `data` ("partition/1").
    public var format: String
    public var data: [UInt8]

    public init(name: String, sequence: Int64, created: Timestamp, format: String, data: [UInt8]) {
        self.name = name
        self.sequence = sequence
        self.created = created
        self.format = format
        self.data = data
    }
}
