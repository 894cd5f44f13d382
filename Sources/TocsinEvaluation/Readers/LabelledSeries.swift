public import TocsinCore

/// A recording with the truth beside it: one or more metrics read at the same rows.
public struct LabelledSeries: Sendable {
    public var name: String
    public var group: String
    /// Per row; where the recording has none, one row a minute from 2000-01-01.
    public var times: [Timestamp]
    /// Metric by metric.
    public var columns: [[Double]]
    public var columnNames: [String]
    public var labels: [Bool]
    /// The first rows, on which a detector may be fitted and which are not scored; 0 = it starts cold.
    public var trainingRows: Int
    /// 0 when unknown.
    public var rowsPerDay: Double
    /// The labelled windows (`nab`, `ucr`) or change points (`skab`).
    public var windows: [Range<Int>]
    /// Whether `times` are the recording's own.
    public let hasTimes: Bool

    public init(
        name: String, group: String, times: [Timestamp]? = nil, columns: [[Double]], columnNames: [String],
        labels: [Bool], trainingRows: Int = 0, rowsPerDay: Double = 0, windows: [Range<Int>] = []
    ) {
        self.name = name
        self.group = group
        hasTimes = times != nil
        let count = columns.map(\.count).min() ?? 0
        self.times =
            times
            ?? (0..<count).map { Timestamp(nanoseconds: 946_684_800_000_000_000 + Int64($0) * 60_000_000_000) }
        self.columns = columns
        self.columnNames = columnNames
        self.labels = labels
        self.trainingRows = min(trainingRows, count)
        self.rowsPerDay = rowsPerDay
        self.windows = windows
    }

    public var rowCount: Int { min(times.count, columns.map(\.count).min() ?? 0) }

    /// The values alone of some rows: what a detector is given.
    public func rows(_ range: Range<Int>) -> MetricRows {
        let range = range.clamped(to: 0..<rowCount)
        return MetricRows(times: Array(times[range]), columns: columns.map { Array($0[range]) })
    }

    /// Stretches of labelled rows.
    public var labelledStretches: [Range<Int>] {
        var stretches: [Range<Int>] = []
        for row in labels.indices where labels[row] {
            if let last = stretches.last, last.upperBound == row {
                stretches[stretches.count - 1] = last.lowerBound..<row + 1
            } else {
                stretches.append(row..<row + 1)
            }
        }
        return stretches
    }

    /// The labels of the rows that are scored.
    public var scoredLabels: [Bool] { Array(labels.dropFirst(trainingRows)) }
}

/// Rows without labels.
public struct MetricRows: Sendable {
    public var times: [Timestamp]
    /// Metric by metric, each as long as `times`.
    public var columns: [[Double]]

    public init(times: [Timestamp], columns: [[Double]]) {
        self.times = times
        self.columns = columns
    }

    public var count: Int { times.count }
    public var width: Int { columns.count }

    /// The first rows.
    func prefix(_ count: Int) -> MetricRows {
        MetricRows(times: Array(times.prefix(count)), columns: columns.map { Array($0.prefix(count)) })
    }

    /// How many first rows are learnt from where none were given before: what NAB does not score; 0 for too few.
    var coldStart: Int {
        let learnt = min(count * 15 / 100, 750)
        return learnt >= 40 ? learnt : 0
    }

    /// Row after row, for models of rows.
    public var flat: [Double] {
        var flat: [Double] = []
        flat.reserveCapacity(count * width)
        for row in 0..<count { for column in columns { flat.append(column[row]) } }
        return flat
    }
}

/// Rows of a table with what is to be predicted.
public struct LabelledTable: Sendable {
    public var name: String
    public var columnNames: [String]
    /// Row after row.
    public var values: [Double]
    /// 1 and 0 for classes, a number for regression.
    public var targets: [Double]
    /// What belongs together: recording, unit.
    public var groups: [String]

    public var width: Int { columnNames.count }
    public var rowCount: Int { targets.count }

    /// Some of the rows, in the given order.
    public func rows(_ indices: [Int]) -> LabelledTable {
        var result = LabelledTable(name: name, columnNames: columnNames, values: [], targets: [], groups: [])
        for row in indices where row < rowCount {
            result.values.append(contentsOf: values[row * width..<(row + 1) * width])
            result.targets.append(targets[row])
            result.groups.append(groups[row])
        }
        return result
    }
}
