public import TocsinCore

/// How `SQLiteStore` treats its database file.
public struct SQLiteSettings: Sendable {
    /// False leaves the events themselves out: sensors, windows, anomalies, alarms and dead letters are still kept.
    public var storesEvents: Bool
    /// False leaves out the message as received, which is about half of an event's bytes.
    public var storesPayloads: Bool
    /// The configured windows: `WindowBatch.definition` counts into them.
    public var windows: [WindowDefinition]
    /// How long a statement waits for another process (a shell, a backup) to release the database.
    public var busyTimeout: Span64
    /// Page cache of the writing connection, in bytes.
    public var cacheBytes: Int
    /// Opens for queries only: no process lock, so it works beside a running writer; every change throws.
    public var isReadOnly: Bool
    /// Events that may wait before they are entered into the per-sensor index; and windows that may wait in small chunks,
    /// if each were full (see docs/schema.md).
    public var unindexedRows: Int

    public init(
        storesEvents: Bool = true, storesPayloads: Bool = true,
        windows: [WindowDefinition] = [.oneMinute, .fiveMinutes], busyTimeout: Span64 = .seconds(5),
        cacheBytes: Int = 16 << 20, isReadOnly: Bool = false, unindexedRows: Int = 32_768
    ) {
        self.storesEvents = storesEvents
        self.storesPayloads = storesPayloads
        self.windows = windows
        self.busyTimeout = busyTimeout
        self.cacheBytes = cacheBytes
        self.isReadOnly = isReadOnly
        self.unindexedRows = unindexedRows
    }
}
