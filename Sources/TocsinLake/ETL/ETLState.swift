internal import TocsinCore

/// What a run has come to so far.
struct ETLState: Sendable {
    var onProgress: @Sendable (ETLProgress) -> Void = { _ in }
    var progress = ETLProgress(fraction: 0, work: "")
    /// By table, kept up to date with what the run makes.
    var parts: [String: LakeTableParts] = [:]
    var rows: [String: Int] = [:]
    /// Rows by rule over the whole range, where limits are set.
    var judged: [String: Int]?
    /// Hours whose figures nobody knows.
    var unjudged: [String] = []
    var reports: [QualityReport] = []
    var made: [String: Int] = [:]
    var unchanged: [String: Int] = [:]
    var bytesWritten: Int64 = 0
    var skipped: [SkippedFile] = []
    var kept: [String] = []
    /// Partitions of any table that got a new file.
    var changed: Set<LakePartition> = []

    mutating func add(_ counts: RuleCounts, _ hour: LakePartition, _ settings: ETLSettings, created: Timestamp) {
        for (rule, count) in counts.rows { rows[rule, default: 0] += count }
        let ofHour = Dictionary(counts.rows.map { ($0.rule, $0.rows) }, uniquingKeysWith: +)
        reports.append(
            QualityReport(
                id: "silver/\(hour.path)", subject: "silver", created: created, start: hour.start, end: hour.end,
                rowsIn: counts["rows_in"], rowsOut: counts["rows_out"],
                exceedsLimit: !RuleCounts.exceeded(ofHour, settings.maximumShares).isEmpty, rules: counts.json))
    }

    func result(_ settings: ETLSettings, started: Timestamp, finished: Timestamp, failure: String?) -> ETLResult {
        var (rows, judged) = (rows, judged)
        if settings.undecoded > 0 {
            for rule in ["rows_in", "unparsable"] {
                rows[rule, default: 0] += settings.undecoded
                judged?[rule, default: 0] += settings.undecoded
            }
        }
        let exceeded = RuleCounts.exceeded(judged ?? rows, settings.maximumShares)
        var json = JSONWriter()
        json.object { json in
            json.field("seconds", finished.since(started).seconds)
            for (rule, count) in rows.sorted(by: { $0.key < $1.key }) { json.field(rule, count) }
            json.field("files_made", made.values.reduce(0, +))
            json.field("files_unchanged", unchanged.values.reduce(0, +))
            json.field("bytes_written", bytesWritten)
            json.field("files_skipped", skipped.count)
            json.field("partitions_kept", kept.count)
        }
        let error = failure ?? (exceeded.isEmpty ? nil : exceeded.map(\.sentence).joined(separator: " "))
        let job = JobRecord(
            id: "etl-\(started.iso8601)", name: "etl", state: error == nil ? .succeeded : .failed, started: started,
            finished: finished, progress: failure == nil ? 1 : progress.fraction,
            summary: String(decoding: json.bytes, as: UTF8.self), error: error)
        return ETLResult(
            rows: rows, judged: judged, unjudged: unjudged.sorted(), reports: reports.sorted { $0.start < $1.start },
            made: made, unchanged: unchanged,
            bytesWritten: bytesWritten, skipped: skipped.sorted { $0.name < $1.name }, kept: kept.sorted(),
            exceeded: exceeded, job: job)
    }
}
