internal import TocsinCore
internal import TocsinEvaluation
internal import TocsinJobs

/// Scores a whole file by a detector that is fitted on the first rows of each group and given the rest in one piece.
///
/// Rows are held until the end: 16 bytes a row and 8 a value.
final class RecordingScoring {
    private struct Row {
        var group: Int
        /// Its place in the group; -1 for a row that could not be read.
        var place: Int
    }

    private struct Group {
        var times: [Timestamp] = []
        var columns: [[Double]]
        /// The last value of each column: takes the place of one that is missing.
        var last: [Double]
    }

    private let detector: EvaluatedDetector
    private let names: [String]
    private let trainRows: Int
    private var rows: [Row] = []
    private var groups: [Group] = []
    private var groupOfSensor: [UInt32: Int] = [:]

    init(detector: EvaluatedDetector, names: [String], trainRows: Int) throws {
        let needed: EvaluatedDetector.Fields = names.count == 1 ? .univariate : .multivariate
        guard detector.fields.contains(needed) else {
            throw TocsinError(
                .usage, "\(detector.name) judges \(names.count == 1 ? "several metrics together" : "one metric")",
                remedy: names.count == 1
                    ? "name several columns with --values, or take another detector"
                    : "name one column with --values, or take another detector")
        }
        self.detector = detector
        self.names = names
        self.trainRows = trainRows
    }

    func add(sensor: SensorID, time: Timestamp, values: [(column: Int, value: Double)]) {
        let index: Int
        if let known = groupOfSensor[sensor.index] {
            index = known
        } else {
            index = groups.count
            groupOfSensor[sensor.index] = index
            groups.append(
                Group(
                    columns: Array(repeating: [], count: names.count),
                    last: Array(repeating: .nan, count: names.count)))
        }
        rows.append(Row(group: index, place: groups[index].times.count))
        groups[index].times.append(time)
        for entry in values { groups[index].last[entry.column] = entry.value }
        for column in names.indices {
            let last = groups[index].last[column]
            groups[index].columns[column].append(last.isNaN ? 0 : last)
        }
    }

    func addUnreadable() { rows.append(Row(group: 0, place: -1)) }

    /// One answer for each row, in the order in which they were added.
    func scores() throws -> [RowScore] {
        let byGroup = try groups.map(score)
        return rows.map { $0.place < 0 ? .unreadable : byGroup[$0.group][$0.place] }
    }

    private func score(_ group: Group) throws -> [RowScore] {
        let learnt = min(trainRows, group.times.count)
        var model = detector.make(SeriesContext(metricNames: names))
        try model.fit(
            MetricRows(times: Array(group.times[..<learnt]), columns: group.columns.map { Array($0[..<learnt]) }))
        let threshold = model.threshold
        let raw = try model.score(
            MetricRows(times: Array(group.times[learnt...]), columns: group.columns.map { Array($0[learnt...]) }))
        let pValues = RecentShare.pValues(raw)
        var scores = group.times[..<learnt].map {
            RowScore(time: $0, score: .nan, pValue: .nan, isAnomalous: false, kind: nil)
        }
        for (row, score) in raw.enumerated() {
            let isAnomalous = score >= threshold
            scores.append(
                RowScore(
                    time: group.times[learnt + row], score: Self.share(score, threshold), pValue: pValues[row],
                    isAnomalous: isAnomalous,
                    kind: isAnomalous ? (names.count == 1 ? .pattern : .multivariate) : nil))
        }
        return scores
    }

    /// 0 to 1, one half at the threshold.
    private static func share(_ score: Double, _ threshold: Double) -> Double {
        guard score > 0, threshold > 0 else { return score >= threshold ? 1 : 0 }
        return score.isInfinite ? 1 : score / (score + threshold)
    }
}
