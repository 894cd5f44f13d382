public import TocsinCore

/// How files wait for a place that is away, and how often it is tried.
public struct UploadSettings: Sendable {
    /// The files that wait, together; beyond it the lake's writer takes nothing more from the spool.
    public var maximumBytes: Int64 = 4 << 30
    /// Waits between attempts: doubled from the first to the longest, each shortened at random by up to a half.
    public var firstRetryDelay = Span64.milliseconds(500)
    public var longestRetryDelay = Span64.minutes(1)

    public init() {}
}

/// What waits for a remote place at one moment, for metrics and health.
public struct UploadFigures: Sendable, Equatable {
    public var files = 0
    public var bytes: Int64 = 0
    /// Since the oldest file was put into the queue; 0 when none waits.
    public var oldestSeconds = 0.0
    /// Files and bytes sent since the start.
    public var sentFiles = 0
    public var sentBytes: Int64 = 0
    /// Attempts since the start that failed.
    public var failures = 0
    /// Of the last attempt; nil when it worked.
    public var lastError: String?
    /// Since when every attempt has failed; nil when the last one worked.
    public var awaySince: Timestamp?

    public init() {}
}
