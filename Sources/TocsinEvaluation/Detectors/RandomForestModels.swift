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

/// A random forest on what each sensor did over the last rows of its unit.
///
/// Every row of a training unit is a moment at which the unit could have been looked at; whole units are drawn.
struct RandomForestRegressor: RowModel {
    /// Rows looked back on.
    private static let window = 30
    let seed: UInt64
    private var forest: RandomForest?

    init(seed: UInt64) { self.seed = seed }

    mutating func fit(_ table: LabelledTable) throws {
        var numbers: [String: Int] = [:]
        let groups = table.groups.map { group in
            let number = numbers[group] ?? numbers.count
            numbers[group] = number
            return number
        }
        let (rows, names) = Self.features(table)
        forest = try RandomForest.regression(
            rows: rows, names: names, targets: table.targets, groups: groups, settings: .init(threads: 1), seed: seed
        ).forest
    }

    func predict(_ table: LabelledTable) -> [Double] {
        forest.map { $0.predict(rows: Self.features(table).rows, threads: 1) }
            ?? Array(repeating: 0, count: table.rowCount)
    }

    /// Per column its last value, mean, slope and the end of its line over the window, and the mean's distance from the
    /// unit's first rows.
    private static func features(_ table: LabelledTable) -> (rows: [Double], names: [String]) {
        var rows: [Double] = []
        rows.reserveCapacity(table.rowCount * table.width * 5)
        var start = 0
        for row in 0..<table.rowCount {
            if row > 0, table.groups[row] != table.groups[row - 1] { start = row }
            let first = max(start, row - window + 1)
            let count = Double(row - first + 1)
            let middle = (count - 1) / 2
            let spread = count * (count * count - 1) / 12
            for column in 0..<table.width {
                let last = table.values[row * table.width + column]
                var sum = 0.0
                var moment = 0.0
                for place in first...row {
                    let value = table.values[place * table.width + column]
                    sum += value
                    moment += (Double(place - first) - middle) * value
                }
                let mean = sum / count
                let slope = spread > 0 ? moment / spread : 0
                let early = (start...min(start + 9, row)).map { table.values[$0 * table.width + column] }
                let origin = early.reduce(0, +) / Double(early.count)
                rows += [last, mean, slope, mean + slope * middle, mean - origin]
            }
        }
        let names = table.columnNames.flatMap { name in
            ["last", "mean", "slope", "trend end", "change"].map { "\(name) \($0)" }
        }
        return (rows, names)
    }
}
