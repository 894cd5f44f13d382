internal import TocsinDetect

/// A random forest on the rows as they are, classes balanced.
struct RandomForestClassifier: RowModel {
    let seed: UInt64
    private var forest: RandomForest?

    init(seed: UInt64) { self.seed = seed }

    mutating func fit(_ table: LabelledTable) throws {
        // Leaves of 5 rows: neighbours in time are near copies, so smaller ones learn noise by heart.
        forest = try RandomForest.classifier(
            rows: table.values, names: table.columnNames, labels: table.targets.map { $0 >= 0.5 ? 1 : 0 },
            settings: .init(minimumLeafRows: 5, classWeights: .balanced, threads: 1), seed: seed
        ).forest
    }

    func predict(_ table: LabelledTable) -> [Double] {
        forest.map { $0.predict(rows: table.values, threads: 1) } ?? Array(repeating: 0, count: table.rowCount)
    }
}

/// A random forest on what each sensor, and the health index of all, did over the last rows of its unit.
///
/// Every row of a training unit is a moment at which the unit could have been looked at; whole units are drawn.
struct RandomForestRegressor: RowModel {
    /// Rows of a sensor looked back on.
    private static let window = 30
    /// Rows of the index looked back on: how fast it falls shows over long stretches, the last over a whole life.
    private static let healthWindows = [15, 30, 60, 120, 400]
    let seed: UInt64
    private var index = HealthIndex()
    /// Columns that move at all in the fitted rows.
    private var columns: [Int] = []
    private var forest: RandomForest?

    init(seed: UInt64) { self.seed = seed }

    mutating func fit(_ table: LabelledTable) throws {
        var numbers: [String: Int] = [:]
        let groups = table.groups.map { group in
            let number = numbers[group] ?? numbers.count
            numbers[group] = number
            return number
        }
        index = HealthIndex(table)
        columns = (0..<table.width).filter { column in
            let first = table.values[column]
            return (0..<table.rowCount).contains { table.values[$0 * table.width + column] != first }
        }
        let (rows, names) = features(table)
        forest = try RandomForest.regression(
            rows: rows, names: names, targets: table.targets, groups: groups, settings: .init(threads: 1), seed: seed
        ).forest
    }

    func predict(_ table: LabelledTable) -> [Double] {
        forest.map { $0.predict(rows: features(table).rows, threads: 1) }
            ?? Array(repeating: 0, count: table.rowCount)
    }

    /// Per column its last value, mean, slope and the end of its line over the window, and the mean's distance from the
    /// unit's first rows; the same of the index over several windows.
    private func features(_ table: LabelledTable) -> (rows: [Double], names: [String]) {
        let health = index.values(table)
        let histories = columns.map { column in
            (
                table.columnNames[column], (0..<table.rowCount).map { table.values[$0 * table.width + column] },
                Self.window
            )
        }
        let all = histories + Self.healthWindows.map { ("health \($0)", health, $0) }
        var rows: [Double] = []
        rows.reserveCapacity(table.rowCount * all.count * 5)
        var start = 0
        for row in 0..<table.rowCount {
            if row > 0, table.groups[row] != table.groups[row - 1] { start = row }
            for (_, values, window) in all { Self.append(values, start, row, window, to: &rows) }
        }
        let names = all.flatMap { name, _, _ in
            ["last", "mean", "slope", "trend end", "change"].map { "\(name) \($0)" }
        }
        return (rows, names)
    }

    private static func append(_ values: [Double], _ start: Int, _ row: Int, _ window: Int, to rows: inout [Double]) {
        let first = max(start, row - window + 1)
        let count = Double(row - first + 1)
        let middle = (count - 1) / 2
        let spread = count * (count * count - 1) / 12
        var sum = 0.0
        var moment = 0.0
        for place in first...row {
            sum += values[place]
            moment += (Double(place - first) - middle) * values[place]
        }
        let mean = sum / count
        let slope = spread > 0 ? moment / spread : 0
        let early = values[start...min(start + 9, row)]
        rows.append(values[row])
        rows.append(mean)
        rows.append(slope)
        rows.append(mean + slope * middle)
        rows.append(mean - early.reduce(0, +) / Double(early.count))
    }
}
