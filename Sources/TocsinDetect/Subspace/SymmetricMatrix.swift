/// A small dense symmetric matrix, row after row; for covariances of some dozens of metrics.
struct SymmetricMatrix: Sendable {
    let size: Int
    var elements: [Double]

    init(size: Int) {
        self.size = size
        elements = .init(repeating: 0, count: size * size)
    }

    subscript(row: Int, column: Int) -> Double {
        get { elements[row * size + column] }
        set { elements[row * size + column] = newValue }
    }

    /// Adds weight · x · xᵀ, x a row of `size` numbers from `start` on.
    mutating func addOuter(of values: [Double], from start: Int, weight: Double) {
        for row in 0..<size {
            let scaled = weight * values[start + row]
            for column in 0..<size { elements[row * size + column] += scaled * values[start + column] }
        }
    }

    mutating func scale(by factor: Double) {
        for place in elements.indices { elements[place] *= factor }
    }

    /// Moves the elements off the diagonal towards 0 by `share` and lifts the diagonal by `floor`: an estimate from few
    /// rows becomes invertible (shrinkage towards independence, Schäfer and Strimmer 2005).
    mutating func shrink(by share: Double, floor: Double) {
        for row in 0..<size {
            for column in 0..<size where row != column { elements[row * size + column] *= 1 - share }
            elements[row * size + row] += floor
        }
    }

    /// The inverse by Cholesky's factors; nil when not positive definite. O(size³).
    func inverse() -> SymmetricMatrix? {
        var lower = self
        for column in 0..<size {
            var pivot = lower[column, column]
            for k in 0..<column { pivot -= lower[column, k] * lower[column, k] }
            guard pivot > 0, pivot.isFinite else { return nil }
            let root = pivot.squareRoot()
            lower[column, column] = root
            for row in column + 1..<max(size, column + 1) {
                var sum = lower[row, column]
                for k in 0..<column { sum -= lower[row, k] * lower[column, k] }
                lower[row, column] = sum / root
            }
        }
        // The inverse of the lower factor, column by column, then inverseᵀ · inverse.
        var factor = SymmetricMatrix(size: size)
        for column in 0..<size {
            for row in column..<size {
                var sum = row == column ? 1.0 : 0
                for k in column..<max(row, column) { sum -= lower[row, k] * factor[k, column] }
                factor[row, column] = sum / lower[row, row]
            }
        }
        var inverse = SymmetricMatrix(size: size)
        for row in 0..<size {
            for column in 0...row {
                var sum = 0.0
                for k in row..<size { sum += factor[k, row] * factor[k, column] }
                inverse[row, column] = sum
                inverse[column, row] = sum
            }
        }
        return inverse
    }

    /// Eigenvalues, largest first, with their unit vectors as rows: Jacobi's rotations, O(size³) a sweep, at most 30
    /// sweeps.
    func eigen() -> (values: [Double], vectors: [Double]) {
        var matrix = self
        var vectors = SymmetricMatrix(size: size)
        for place in 0..<size { vectors[place, place] = 1 }
        for _ in 0..<30 {
            var (off, all) = (0.0, 0.0)
            for row in 0..<size {
                for column in 0..<size {
                    let square = matrix[row, column] * matrix[row, column]
                    all += square
                    if row != column { off += square }
                }
            }
            guard off > 1e-22 * all else { break }
            for row in 0..<size {
                for column in row + 1..<max(size, row + 1) { matrix.rotate(row, column, &vectors) }
            }
        }
        let order = (0..<size).sorted { matrix[$0, $0] > matrix[$1, $1] }
        var sorted: [Double] = []
        sorted.reserveCapacity(size * size)
        for place in order { for column in 0..<size { sorted.append(vectors[place, column]) } }
        return (order.map { matrix[$0, $0] }, sorted)
    }

    /// One rotation that makes the element (first, second) zero; `vectors` holds eigenvectors as rows.
    private mutating func rotate(_ first: Int, _ second: Int, _ vectors: inout SymmetricMatrix) {
        let off = self[first, second]
        guard off != 0 else { return }
        let theta = (self[second, second] - self[first, first]) / (2 * off)
        let tangent = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let cosine = 1 / (tangent * tangent + 1).squareRoot()
        let sine = tangent * cosine
        for k in 0..<size {
            let (a, b) = (self[k, first], self[k, second])
            self[k, first] = cosine * a - sine * b
            self[k, second] = sine * a + cosine * b
        }
        for k in 0..<size {
            let (a, b) = (self[first, k], self[second, k])
            self[first, k] = cosine * a - sine * b
            self[second, k] = sine * a + cosine * b
            let (v, w) = (vectors[first, k], vectors[second, k])
            vectors[first, k] = cosine * v - sine * w
            vectors[second, k] = sine * v + cosine * w
        }
    }
}
