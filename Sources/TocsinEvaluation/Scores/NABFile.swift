public import TocsinCore

/// One file of the Numenta Anomaly Benchmark with a detector's scores: one per row, higher is more anomalous.
public struct NABFile: Sendable {
    public var name: String
    public var scores: [Double]
    /// Labelled windows as row ranges; the published windows hold both ends, so the upper bound is the last row + 1.
    public var windows: [Range<Int>]

    public init(name: String, scores: [Double], windows: [Range<Int>]) {
        self.name = name
        self.scores = scores
        self.windows = windows
    }

    /// The row ranges of published windows, found as NAB finds them: by the first row that bears the time.
    ///
    /// A limit that no row bears falls on the first row at or after it (start) or the last at or before it (end);
    /// windows outside of the file are left out. O(rows × windows).
    public static func windows(_ limits: [(start: Timestamp, end: Timestamp)], in times: [Timestamp]) -> [Range<Int>] {
        limits.compactMap { limit in
            let first = times.firstIndex(of: limit.start) ?? times.firstIndex { $0 >= limit.start }
            let last = times.firstIndex(of: limit.end) ?? times.lastIndex { $0 <= limit.end }
            guard let first, let last, first <= last else { return nil }
            return first..<(last + 1)
        }
    }
}
