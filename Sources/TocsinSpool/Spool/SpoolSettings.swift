public import TocsinCore

/// How a spool groups, bounds and forces what it is given.
public struct SpoolSettings: Sendable {
    /// A new segment file is begun when the active one would become longer.
    public var segmentBytes: Int64 = 64 << 20
    /// The disk is forced at most this often …
    public var flushInterval = Span64.milliseconds(10)
    /// … or earlier when so many bytes wait.
    public var flushBytes = 4 << 20
    /// Force the disk as soon as anything waits; what is appended meanwhile still shares the next one.
    public var flushesEachBatch = false
    /// All segments together; beyond it `append` throws a retriable error.
    public var maximumBytes: Int64 = 4 << 30
    /// What may wait in memory for a slow or failing disk; beyond it `append` throws a retriable error.
    public var pendingBytes = 64 << 20
    /// False leaves out every forcing of the disk: for tests.
    public var isDurable = true
    /// Waits between attempts on a failing disk: doubled from the first to the longest.
    public var firstRetryDelay = Span64.milliseconds(50)
    public var longestRetryDelay = Span64.seconds(1)
    /// An active segment whose records are all released is replaced when it is longer than this.
    public var rollBytes: Int64 = 1 << 20
    /// So many damaged segments are kept as evidence after their release.
    public var keptDamagedSegments = 4

    public init() {}
}

/// Call-outs of a spool; made from its own queue, never under a lock. Must return soon: the next flush waits for them.
public struct SpoolObserver: Sendable {
    /// Once when the disk begins to fail, once when it works again.
    public var onConditionChange: @Sendable (SpoolCondition) -> Void
    /// After each successful flush.
    public var onFlush: @Sendable (_ bytes: Int, _ seconds: Double) -> Void

    public init(
        onConditionChange: @escaping @Sendable (SpoolCondition) -> Void = { _ in },
        onFlush: @escaping @Sendable (_ bytes: Int, _ seconds: Double) -> Void = { _, _ in }
    ) {
        self.onConditionChange = onConditionChange
        self.onFlush = onFlush
    }
}
