/// The state of the lake's writer at one moment, for metrics and health.
public struct LakeWriterFigures: Sendable, Equatable {
    /// Since the start: messages, their readings, files and their bytes that bronze got.
    public var events = 0
    public var readings = 0
    public var files = 0
    public var bytes: Int64 = 0
    public var rolls = 0
    /// Spool records that could not be read, since the start.
    public var skippedRecords = 0
    /// Every record up to this one is in bronze.
    public var position: UInt64 = 0
    /// Records that are on disk and not yet in bronze.
    public var lagRecords: UInt64 = 0
    /// Since the oldest of them arrived; 0 where there is none.
    public var lagSeconds = 0.0
    /// That writing the last roll took.
    public var lastRollSeconds = 0.0
    /// Messages gathered for the next roll.
    public var gatheredEvents = 0
    public var condition = LakeCondition.writing

    public init() {}
}

/// Whether the lake takes what comes in.
public enum LakeCondition: Sendable, Equatable {
    case writing
    /// The queue to the remote place is full; the spool keeps what comes in.
    case waitingForRoom
    /// The last attempt failed for this reason; it is tried again.
    case failing(String)
}
