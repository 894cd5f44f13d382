internal import Glibc
internal import TocsinCore

/// A model of rows: a classifier, whose prediction at or above 0.5 means yes, or a regression.
public protocol RowModel: Sendable {
    mutating func fit(_ table: LabelledTable) throws
    /// One prediction per row.
    func predict(_ table: LabelledTable) -> [Double]
}

/// The registry: adding a model is one entry here.
public struct EvaluatedRowModel: Sendable {
    public enum Task: Sendable {
        case classify, regress
        /// Rows of a smoke or fire sensor in their order.
        case watchFire
    }

    public let name: String
    public let oneLine: String
    public let task: Task
    public let make: @Sendable (_ seed: UInt64) -> any RowModel

    public init(
        name: String, oneLine: String, task: Task, make: @escaping @Sendable (_ seed: UInt64) -> any RowModel
    ) {
        self.name = name
        self.oneLine = oneLine
        self.task = task
        self.make = make
    }

    public static let all: [EvaluatedRowModel] =
        [
            EvaluatedRowModel(
                name: "nearest-centroid", oneLine: "the nearer mean of the two classes, features standardised",
                task: .classify
            ) { _ in NearestCentroid() },
            EvaluatedRowModel(
                name: "random-forest", oneLine: "100 trees on the rows as they are, classes balanced", task: .classify
            ) { RandomForestClassifier(seed: $0) },
            EvaluatedRowModel(
                name: "ridge", oneLine: "linear regression with ridge penalty, features standardised", task: .regress
            ) { _ in RidgeRegression() },
            EvaluatedRowModel(
                name: "random-forest",
                oneLine: "100 trees on each unit's sensors and health index: level, slope, change",
                task: .regress
            ) { RandomForestRegressor(seed: $0) },
            EvaluatedRowModel(
                name: "similarity", oneLine: "units run to failure whose wear ran as this one's last 60 rows",
                task: .regress
            ) { _ in TrajectorySimilarity() },
        ] + fire

    /// The entries of the names, or all for the task when none is given.
    ///
    /// - Throws: `TocsinError(.usage)` that lists the names there are.
    static func choose(_ names: [String], tasks: Set<Task>) throws -> [EvaluatedRowModel] {
        let fitting = all.filter { tasks.contains($0.task) }
        return names.isEmpty
            ? fitting
            : try names.map { name in
                guard let found = fitting.first(where: { $0.name == name }) else {
                    throw TocsinError(
                        .usage, "there is no such model for this suite: \(name)",
                        remedy: "choose from \(fitting.map(\.name).joined(separator: ", "))")
                }
                return found
            }
    }
}

/// Means and standard deviations of the fitted rows; constant and missing values become 0.
struct Standardisation: Sendable {
    private var means: [Double] = []
    private var factors: [Double] = []

    init() {}

    init(_ table: LabelledTable) {
        for feature in 0..<table.width {
            let column = (0..<table.rowCount).map { table.values[$0 * table.width + feature] }.filter(\.isFinite)
            let mean = column.isEmpty ? 0 : column.reduce(0, +) / Double(column.count)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(column.count, 1))
            means.append(mean)
            factors.append(variance > 1e-20 * (1 + mean * mean) ? 1 / variance.squareRoot() : 0)
        }
    }

    func row(_ row: Int, of table: LabelledTable) -> [Double] {
        (0..<min(table.width, means.count)).map { feature in
            let value = (table.values[row * table.width + feature] - means[feature]) * factors[feature]
            return value.isFinite ? value : 0
        }
    }
}

/// The share of the distance to the no-class mean: 0.5 in the middle.
struct NearestCentroid: RowModel {
    private var scale = Standardisation()
    private var centres: [[Double]] = [[], []]

    mutating func fit(_ table: LabelledTable) {
        scale = Standardisation(table)
        var sums = Array(repeating: Array(repeating: 0.0, count: table.width), count: 2)
        var counts = [0.0, 0.0]
        for row in 0..<table.rowCount {
            let target = table.targets[row] >= 0.5 ? 1 : 0
            counts[target] += 1
            for (feature, value) in scale.row(row, of: table).enumerated() { sums[target][feature] += value }
        }
        centres = zip(sums, counts).map { sum, count in count > 0 ? sum.map { $0 / count } : [] }
    }

    func predict(_ table: LabelledTable) -> [Double] {
        guard !centres[0].isEmpty, !centres[1].isEmpty else {
            return Array(repeating: centres[1].isEmpty ? 0 : 1, count: table.rowCount)
        }
        return (0..<table.rowCount).map { row in
            let values = scale.row(row, of: table)
            let distances = centres.map { centre in
                zip(values, centre).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            }
            let sum = distances[0] + distances[1]
            return sum > 0 ? distances[0] / sum : 0.5
        }
    }
}

/// Least squares with a penalty of one row's weight, by Cholesky factors.
struct RidgeRegression: RowModel {
    private var scale = Standardisation()
    private var weights: [Double] = []
    private var mean = 0.0

    mutating func fit(_ table: LabelledTable) {
        scale = Standardisation(table)
        mean = table.targets.reduce(0, +) / Double(max(table.rowCount, 1))
        weights = Self.weights(table, scale)
    }

    /// What each standardised feature adds to the mean target.
    static func weights(_ table: LabelledTable, _ scale: Standardisation) -> [Double] {
        let width = table.width
        let mean = table.targets.reduce(0, +) / Double(max(table.rowCount, 1))
        var matrix = [Double](repeating: 0, count: width * width)
        var right = [Double](repeating: 0, count: width)
        for row in 0..<table.rowCount {
            let values = scale.row(row, of: table)
            for i in 0..<width where values[i] != 0 {
                right[i] += values[i] * (table.targets[row] - mean)
                for j in 0...i { matrix[i * width + j] += values[i] * values[j] }
            }
        }
        for i in 0..<width { matrix[i * width + i] += 1 }
        return solve(&matrix, right)
    }

    func predict(_ table: LabelledTable) -> [Double] {
        (0..<table.rowCount).map { row in
            zip(scale.row(row, of: table), weights).reduce(mean) { $0 + $1.0 * $1.1 }
        }
    }

    /// Positive definite by the penalty, so no pivot is below 1.
    private static func solve(_ a: inout [Double], _ right: [Double]) -> [Double] {
        let n = right.count
        var x = right
        for i in 0..<n {
            for j in 0...i {
                var sum = a[i * n + j]
                for k in 0..<j { sum -= a[i * n + k] * a[j * n + k] }
                a[i * n + j] = i == j ? max(sum, 1e-12).squareRoot() : sum / a[j * n + j]
            }
            for k in 0..<i { x[i] -= a[i * n + k] * x[k] }
            x[i] /= a[i * n + i]
        }
        for i in stride(from: n - 1, through: 0, by: -1) {
            for k in i + 1..<max(n, i + 1) { x[i] -= a[k * n + i] * x[k] }
            x[i] /= a[i * n + i]
        }
        return x
    }
}
