public import TocsinCore

/// When the small files of an hour become one.
public struct CompactionSettings: Sendable {
    /// An hour with more small files than this is compacted.
    public var files = 4
    /// Larger files stay as they are.
    public var smallBytes: Int64 = 64 << 20
    /// Together at most, so that one compaction stays within its time and room.
    public var maximumBytes: Int64 = 1 << 30
    /// Only hours in which no file has changed for so long: their writers have moved on.
    public var quiet = Span64.hours(2)
    /// Files of the lake, by path, that will be written again, over themselves: they stay as they are.
    public var leftAlone: Set<String> = []
    /// As in `ETLSettings`.
    public var memoryBytes: Int64 = 1 << 30
    public var workFolder: String
    public var duckdb = DuckDBSettings()

    public init(workFolder: String) { self.workFolder = workFolder }
}

/// What a compaction did.
public struct CompactionResult: Sendable {
    public var hours = 0
    public var filesBefore = 0
    public var bytesBefore: Int64 = 0
    /// One for each hour.
    public var bytesAfter: Int64 = 0
    /// Files that could not be read; they stay.
    public var skipped: [SkippedFile] = []

    public init() {}
}
