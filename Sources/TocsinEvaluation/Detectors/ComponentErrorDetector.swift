internal import Glibc

/// Reconstruction error of principal components: the squared length of what the components that hold 90 % of the
/// variance of the fitted rows leave over (the Q statistic of Jackson and Mudholkar 1979), metrics standardised.
///
/// Without rows to fit on it fits on those it scores.
struct ComponentErrorDetector: SeriesDetector {
    /// The 99.9 % quantile of the errors of the fitted rows.
    private(set) var threshold = Double.infinity
    private var means: [Double] = []
    /// 1 / standard deviation; 1 for a metric that was constant, so that it shows when it moves.
    private var factors: [Double] = []
    private var components: [[Double]] = []

    mutating func fit(_ rows: MetricRows) {
        guard rows.count > 1, rows.width > 0 else { return }
        means = rows.columns.map { column in
            let known = column.filter(\.isFinite)
            return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
        }
        factors = zip(rows.columns, means).map { column, mean in
            let squares = column.reduce(0.0) { $1.isFinite ? $0 + ($1 - mean) * ($1 - mean) : $0 }
            let deviation = (squares / Double(rows.count)).squareRoot()
            return deviation > 1e-12 ? 1 / deviation : 1
        }
        let centred = centre(rows)
        let width = rows.width
        var covariance = [Double](repeating: 0, count: width * width)
        for left in 0..<width {
            for right in left..<width {
                var sum = 0.0
                for row in 0..<rows.count { sum += centred[left][row] * centred[right][row] }
                covariance[left * width + right] = sum / Double(rows.count - 1)
                covariance[right * width + left] = sum / Double(rows.count - 1)
            }
        }
        let (values, vectors) = SymmetricMatrix.eigen(covariance, width: width)
        let total = values.reduce(0, +)
        var held = 0.0
        components = []
        for (value, vector) in zip(values, vectors) where held < 0.9 * total {
            components.append(vector)
            held += value
        }
        let errors = errors(rows).sorted()
        threshold = errors.isEmpty ? .infinity : errors[min(errors.count - 1, errors.count * 999 / 1000)]
    }

    mutating func score(_ rows: MetricRows) -> [Double] {
        if means.count != rows.width { fit(rows) }
        return errors(rows)
    }

    private func errors(_ rows: MetricRows) -> [Double] {
        let centred = centre(rows)
        var errors = [Double](repeating: 0, count: rows.count)
        for column in centred { for row in errors.indices { errors[row] += column[row] * column[row] } }
        for component in components {
            var projection = [Double](repeating: 0, count: rows.count)
            for (column, weight) in zip(centred, component) {
                for row in projection.indices { projection[row] += weight * column[row] }
            }
            for row in errors.indices { errors[row] -= projection[row] * projection[row] }
        }
        return errors.map { max($0, 0) }
    }

    private func centre(_ rows: MetricRows) -> [[Double]] {
        rows.columns.indices.map { metric in
            rows.columns[metric].map { $0.isFinite ? ($0 - means[metric]) * factors[metric] : 0 }
        }
    }
}

/// Eigenvalues of small symmetric matrices.
enum SymmetricMatrix {
    /// Values in descending order with their unit vectors, by cyclic Jacobi rotations (Golub and Van Loan, 8.5).
    /// O(n³) a sweep, about 8 sweeps.
    static func eigen(_ matrix: [Double], width: Int) -> (values: [Double], vectors: [[Double]]) {
        var a = matrix
        var v = [Double](repeating: 0, count: width * width)
        for index in 0..<width { v[index * width + index] = 1 }
        for _ in 0..<64 {
            var off = 0.0
            var scale = 0.0
            for row in 0..<width {
                for column in 0..<width {
                    let square = a[row * width + column] * a[row * width + column]
                    scale += square
                    if row != column { off += square }
                }
            }
            if off <= scale * 1e-26 { break }
            for p in 0..<width {
                for q in p + 1..<max(width, p + 1) { rotate(&a, &v, p, q, width) }
            }
        }
        let order = (0..<width).sorted { a[$0 * width + $0] > a[$1 * width + $1] }
        return (
            order.map { a[$0 * width + $0] },
            order.map { column in (0..<width).map { v[$0 * width + column] } }
        )
    }

    private static func rotate(_ a: inout [Double], _ v: inout [Double], _ p: Int, _ q: Int, _ width: Int) {
        let apq = a[p * width + q]
        guard apq != 0 else { return }
        let theta = (a[q * width + q] - a[p * width + p]) / (2 * apq)
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<width {
            let x = a[k * width + p]
            let y = a[k * width + q]
            a[k * width + p] = c * x - s * y
            a[k * width + q] = s * x + c * y
        }
        for k in 0..<width {
            let x = a[p * width + k]
            let y = a[q * width + k]
            a[p * width + k] = c * x - s * y
            a[q * width + k] = s * x + c * y
        }
        for k in 0..<width {
            let x = v[k * width + p]
            let y = v[k * width + q]
            v[k * width + p] = c * x - s * y
            v[k * width + q] = s * x + c * y
        }
    }
}
