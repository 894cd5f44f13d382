/// The state of a spool at one moment, for metrics and health.
public struct SpoolFigures: Sendable, Equatable {
    /// Length of all segments on disk.
    public var bytes: Int64 = 0
    public var segments = 0
    /// Number of the oldest record that is kept, or the next one's when none is.
    public var oldestSequence: UInt64 = 1
    /// The number the next record will get.
    public var nextSequence: UInt64 = 1
    /// Every record up to this one is on disk.
    public var durableSequence: UInt64 = 0
    /// Not yet on disk.
    public var pendingBytes = 0
    public var pendingRecords = 0
    /// Successful flushes since open.
    public var flushes: UInt64 = 0
    public var condition = SpoolCondition.working

    public init() {}
}

/// Whether the disk takes what is appended.
public enum SpoolCondition: Sendable, Equatable {
    case working
    /// The last attempt failed for this reason; what waits is kept in memory and tried again.
    case failing(String)
}

/// What `Spool.open` found in the folder.
public struct SpoolRecovery: Sendable {
    public var segments = 0
    /// Sound records, their payload bytes, the numbers of the first and the last; nil when there are none.
    public var records = 0
    public var bytes: Int64 = 0
    public var firstSequence: UInt64?
    public var lastSequence: UInt64?
    /// Sentences for people: what was wrong, where, and what was done about it. Empty after a clean stop.
    public var problems: [String] = []

    public init() {}
}

/// One record as it was appended.
public struct SpoolRecord: Sendable, Equatable {
    public var sequence: UInt64
    public var payload: [UInt8]

    public init(sequence: UInt64, payload: [UInt8]) {
        self.sequence = sequence
        self.payload = payload
    }
}
