public import TocsinCore

/// How far a run is, for a progress bar.
public struct ETLProgress: Sendable, Equatable {
    /// 0 to 1, by bytes of input.
    public var fraction: Double
    /// "silver/readings 2025-10-01 07:00".
    public var work: String
}

/// A file that could not be read: the run went on without it.
public struct SkippedFile: Sendable, Equatable {
    /// In the lake.
    public var name: String
    public var reason: String
}

/// What a run did.
public struct ETLResult: Sendable {
    /// Rows by rule over the hours of silver that were made: "rows_in", "duplicate", "out_of_range", "future",
    /// "not_finite", "unparsable", "late", "rows_out", and the user's own.
    public var rows: [String: Int] = [:]
    /// The same over all hours of the range, those that stayed as they were with the figures that they had: what limits
    /// are held against; nil where none is set.
    public var judged: [String: Int]?
    /// Hours of the range whose file says no figures; no limit takes them in.
    public var unjudged: [String] = []
    /// One for each hour that was made.
    public var reports: [QualityReport] = []
    /// Files made, by table; those that were there already count as unchanged.
    public var made: [String: Int] = [:]
    public var unchanged: [String: Int] = [:]
    public var bytesWritten: Int64 = 0
    /// Files that could not be read.
    public var skipped: [SkippedFile] = []
    /// Hours whose bronze has become less than what their silver was made of (aged out, or damaged): kept as they are.
    public var kept: [String] = []
    /// Rules whose share of rows in is beyond its limit, with a sentence each.
    public var exceeded: [(rule: String, sentence: String)] = []
    public var job: JobRecord

    /// False: the command exits non-zero.
    public var isSuccess: Bool { exceeded.isEmpty && job.state == .succeeded }
}

/// Rows by rule as `silver/quality.sql` counts them.
struct RuleCounts: Sendable {
    /// In the order of the SQL.
    var rows: [(rule: String, rows: Int)]

    subscript(rule: String) -> Int { rows.first { $0.rule == rule }?.rows ?? 0 }

    /// Distinct readings that were there: what can only grow while bronze is complete.
    var distinct: Int { self["rows_in"] - self["duplicate"] }

    /// One JSON object of the rules, without rows in and out.
    var json: String {
        var json = JSONWriter()
        json.object { json in
            for (rule, rows) in rows where rule != "rows_in" && rule != "rows_out" { json.field(rule, rows) }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// Rules beyond their limit.
    static func exceeded(_ rows: [String: Int], _ limits: [String: Double]) -> [(rule: String, sentence: String)] {
        let rowsIn = rows["rows_in"] ?? 0
        guard rowsIn > 0 else { return [] }
        return limits.sorted { $0.key < $1.key }.compactMap { rule, limit in
            let count = rows[rule] ?? 0
            let share = Double(count) / Double(rowsIn)
            guard share > limit else { return nil }
            return (
                rule,
                "\(rule): \(count) of \(rowsIn) rows (\(percent(share)) %) are more than the limit of \(percent(limit)) %."
            )
        }
    }

    private static func percent(_ share: Double) -> String {
        let hundredths = (share * 10_000).rounded() / 100
        return hundredths == 0 && share > 0 ? "< 0.01" : "\(hundredths)"
    }
}
