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

    /// A row and a column become 0.
    mutating func clear(_ place: Int) {
        for other in 0..<size {
            elements[place * size + other] = 0
            elements[other * size + place] = 0
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

    /// The inverse; nil when not positive definite. O(size³).
    func inverse() -> SymmetricMatrix? {
        var inverse = self
        return inverse.invert() ? inverse : nil
    }

    /// Becomes its own inverse by Cholesky's factors, in place; false, and then no matrix any more, when it is not
    /// positive definite. O(size³), no allocation.
    mutating func invert() -> Bool {
        guard factorise() else { return false }
        // The lower factor's inverse, column by column.
        for column in 0..<size {
            self[column, column] = 1 / self[column, column]
            for row in column + 1..<max(size, column + 1) {
                var sum = 0.0
                for k in column..<row { sum += self[row, k] * self[k, column] }
                self[row, column] = -sum / self[row, row]
            }
        }
        // Its transpose times itself: row by row, as a row is not needed by those below.
        for row in 0..<size {
            for column in 0...row {
                var sum = 0.0
                for k in row..<size { sum += self[k, row] * self[k, column] }
                self[row, column] = sum
                self[column, row] = sum
            }
        }
        return true
    }

    /// The lower triangle becomes Cholesky's factor; false when not positive definite.
    private mutating func factorise() -> Bool {
        for column in 0..<size {
            var pivot = self[column, column]
            for k in 0..<column { pivot -= self[column, k] * self[column, k] }
            guard pivot > 0, pivot.isFinite else { return false }
            let root = pivot.squareRoot()
            self[column, column] = root
            for row in column + 1..<max(size, column + 1) {
                var sum = self[row, column]
                for k in 0..<column { sum -= self[row, k] * self[column, k] }
                self[row, column] = sum / root
            }
        }
        return true
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
