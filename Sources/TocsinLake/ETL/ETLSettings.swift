public import TocsinCore

/// The plausible range of a metric, in its unit; nil: no bound.
public struct PlausibleRange: Sendable, Equatable {
    public var metric: String
    public var low: Double?
    public var high: Double?

    public init(metric: String, low: Double? = nil, high: Double? = nil) {
        self.metric = metric
        self.low = low
        self.high = high
    }
}

/// What a run works on, and by which rules.
public struct ETLSettings: Sendable {
    /// Event times; nil: from the first, to the last. Hours that the range touches are done whole.
    public var start: Timestamp?
    /// Excluded.
    public var end: Timestamp?
    public var layers: Set<LakeLayer> = [.silver, .gold]
    /// Tables of gold ("gold/hourly") to be made with those that they are made of; nil: all.
    public var tables: Set<String>?
    public var ranges: [PlausibleRange] = []
    /// A message that was received later than this after its own time is late.
    public var lateness = Span64.minutes(5)
    /// What the starts of the engine's windows are multiples of: a reading is late when its part of a window is over.
    public var pane = Span64.minutes(1)
    /// How far a device's clock may run ahead of ours: what is further ahead the engine has refused.
    public var clockSkew = Span64.minutes(5)
    /// Length of the windows of gold/features.
    public var window = Span64.minutes(5)
    /// Greatest share of rows in, 0 to 1, by rule ("duplicate", "out_of_range", "future", "not_finite", "unparsable",
    /// "late" or one of the user's): beyond it the run fails. A rule without one has no limit; an unknown one is refused.
    public var maximumShares: [String: Double] = [:]
    /// Messages of an import before this run that could not be decoded: they count as rows in and unparsable.
    public var undecoded = 0
    /// Whether anomalies, alarms and windows of the operational store are taken over ("gold/windows" takes the most room).
    public var storeTables: Set<String> = ["gold/anomalies", "gold/alarms", "gold/windows"]
    /// Hours worked on at once, each on one thread and with its part of the memory. Results do not depend on it.
    public var workers = 2
    /// For DuckDB, all workers together; beyond it sorts go to disk.
    public var memoryBytes: Int64 = 2 << 30
    /// A folder of this machine for files in the making and for spilled sorts; emptied at the start. Best on the lake's own
    /// file system: results are then renamed, not copied.
    public var workFolder: String
    /// How the database is opened: library, S3 keys. Memory, threads and the temporary folder are set by the run.
    public var duckdb = DuckDBSettings()

    public init(workFolder: String) { self.workFolder = workFolder }

    /// As SQL's view `limits` has them, in a fixed order.
    var sortedRanges: [PlausibleRange] { ranges.sorted { $0.metric < $1.metric } }
}
