internal import Glibc
internal import TocsinCore

/// The wear of a unit as one number a row, with noise of standard deviation 1, smaller = more worn.
///
/// A ridge regression tells the last rows of units from rows of their youth; what it makes of the rows between is the
/// index. Several sensors averaged are much less noisy than any of them.
struct HealthIndex: Sendable {
    private var scale = Standardisation()
    private var weights: [Double] = []
    private var factor = 1.0

    init() {}

    /// - Parameter table: targets are the rows left, capped; rows of a unit stand in order.
    init(_ table: LabelledTable) {
        scale = Standardisation(table)
        let cap = table.targets.max() ?? 0
        let ends = (0..<table.rowCount).filter { table.targets[$0] < cap / 6 || table.targets[$0] >= cap }
        var chosen = table.rows(ends)
        chosen.targets = chosen.targets.map { $0 >= cap ? 1 : 0 }
        weights = RidgeRegression.weights(chosen, scale)
        let raw = values(table)
        var sum = 0.0
        var count = 0.0
        for row in 1..<max(table.rowCount, 1) where table.groups[row] == table.groups[row - 1] {
            sum += (raw[row] - raw[row - 1]) * (raw[row] - raw[row - 1])
            count += 1
        }
        // Neighbours differ by the noise of both.
        factor = sum > 0 ? (2 * count / sum).squareRoot() : 1
    }

    func values(_ table: LabelledTable) -> [Double] {
        (0..<table.rowCount).map { row in
            zip(scale.row(row, of: table), weights).reduce(0) { $0 + $1.0 * $1.1 } * factor
        }
    }
}

/// Remaining life by likeness: where the unit's last rows run as those of a unit that ran to failure, as much is left as
/// was left there.
///
/// After Wang, Yu, Siegel and Lee, "A similarity-based prognostics approach", PHM 2008, with other distances: every
/// stretch of every known unit is weighed by the likelihood that the newest rows are that stretch with noise and an
/// offset of their own, and the rows left there are averaged with these weights.
struct TrajectorySimilarity: RowModel {
    /// Rows compared.
    private static let window = 60
    /// Rows on both sides over which known units are smoothed.
    private static let smoothing = 8.0
    /// How far the likelihood is believed: neighbours of an index are not independent, and no unit wears as another.
    private static let trust = 0.5
    /// Variance of a unit's own offset, in noise variances.
    private static let offset = 0.1

    private struct Known: Sendable {
        var values: [Double]
        var left: [Double]
    }

    private var index = HealthIndex()
    private var known: [Known] = []

    mutating func fit(_ table: LabelledTable) throws {
        index = HealthIndex(table)
        let values = index.values(table)
        known = Self.units(table).map { rows in
            Known(values: Self.smoothed(Array(values[rows])), left: Array(table.targets[rows]))
        }
    }

    func predict(_ table: LabelledTable) -> [Double] {
        let values = index.values(table)
        var predicted = [Double](repeating: 0, count: table.rowCount)
        for rows in Self.units(table) {
            let unit = Array(values[rows])
            // Relative to the best stretch, or all weights may be 0.
            var best = [Double](repeating: .infinity, count: unit.count)
            for other in known { Self.compare(unit, other) { row, _, miss in best[row] = min(best[row], miss) } }
            var sums = [Double](repeating: 0, count: unit.count)
            var weights = [Double](repeating: 0, count: unit.count)
            for other in known {
                Self.compare(unit, other) { row, left, miss in
                    let beyond = Self.trust / 2 * (miss - best[row])
                    guard beyond < 30 else { return }
                    let weight = exp(-beyond)
                    sums[row] += weight * left
                    weights[row] += weight
                }
            }
            for row in unit.indices {
                predicted[rows.lowerBound + row] = weights[row] > 0 ? sums[row] / weights[row] : 0
            }
        }
        return predicted
    }

    /// Calls `body` with every row of the unit beside every row of the other one that has as many rows before it: what
    /// was left there, and the squared misses over the window with the best offset taken off.
    @inline(__always)
    private static func compare(_ unit: [Double], _ other: Known, _ body: (Int, Double, Double) -> Void) {
        for shift in -unit.count..<other.values.count {
            let first = max(0, -shift)
            let last = min(unit.count, other.values.count - shift)
            guard first < last else { continue }
            var sum = 0.0
            var squares = 0.0
            for row in first..<last {
                let miss = unit[row] - other.values[row + shift]
                sum += miss
                squares += miss * miss
                if row - first >= window {
                    let gone = unit[row - window] - other.values[row - window + shift]
                    sum -= gone
                    squares -= gone * gone
                }
                // A unit younger than the window is compared from its first row.
                let count = min(row - first + 1, window)
                guard count >= min(row + 1, window) else { continue }
                body(row, other.left[row + shift], squares - sum * sum * offset / (1 + offset * Double(count)))
            }
        }
    }

    /// The rows of each unit.
    private static func units(_ table: LabelledTable) -> [Range<Int>] {
        var units: [Range<Int>] = []
        var start = 0
        for row in 0..<table.rowCount where row + 1 == table.rowCount || table.groups[row + 1] != table.groups[row] {
            units.append(start..<row + 1)
            start = row + 1
        }
        return units
    }

    /// Straight lines through the neighbours, weighed by a bell curve.
    private static func smoothed(_ values: [Double]) -> [Double] {
        values.indices.map { row in
            var (w, wx, wxx, wy, wxy) = (0.0, 0.0, 0.0, 0.0, 0.0)
            let reach = Int(4 * smoothing)
            for place in max(0, row - reach)...min(values.count - 1, row + reach) {
                let x = Double(place - row)
                let weight = exp(-0.5 * x * x / (smoothing * smoothing))
                w += weight
                wx += weight * x
                wxx += weight * x * x
                wy += weight * values[place]
                wxy += weight * x * values[place]
            }
            let spread = w * wxx - wx * wx
            return spread > 0 ? (wxx * wy - wx * wxy) / spread : values[row]
        }
    }
}
