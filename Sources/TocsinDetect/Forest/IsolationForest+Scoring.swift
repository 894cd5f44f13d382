internal import CTocsinKernels

extension IsolationForest {
    private static let tile = 512
    /// What the batch kernels work in, and up to how many rows beyond whole groups are cheaper one by one.
    private static let group = 32
    private static let fewRows = 18

    /// The score of one row, 0…1, high = anomalous. About 1 µs. Missing values (NaN) and missing columns count as the
    /// training median; surplus columns are ignored.
    public func score(_ row: [Double]) -> Double {
        var scaled = [Float](repeating: 0, count: width)
        for feature in 0..<min(width, row.count) { scaled[feature] = scaler.scaled(row[feature], feature) }
        return score(pathSum: pathSum(scaled), unit: Self.meanPathLength(sampleSize))
    }

    /// Scores many rows (row after row, `width` values each) with the fastest kernel; replaces the content of `scores`.
    public func score(rows: [Double], into scores: inout [Double]) {
        score(rows: rows, into: &scores, kernel: .best)
    }

    /// The same without allocation, in memory that the caller keeps.
    public func score(rows: [Double], into scores: inout [Double], scratch: inout ScoringScratch) {
        scores.removeAll(keepingCapacity: true)
        append(rows: rows, 0..<rows.count / width, to: &scores, kernel: .best, scratch: &scratch)
    }

    /// The same with a chosen kernel; one the processor lacks is replaced by the best it has.
    public func score(rows: [Double], into scores: inout [Double], kernel: Kernel) {
        var scratch = ScoringScratch()
        scores.removeAll(keepingCapacity: true)
        let body = kernel.isAvailable ? kernel : .best
        append(rows: rows, 0..<rows.count / width, to: &scores, kernel: body, scratch: &scratch)
    }

    /// Appends the scores of some of the rows.
    func append(
        rows: [Double], _ range: Range<Int>, to scores: inout [Double], kernel: Kernel, scratch: inout ScoringScratch
    ) {
        scratch.prepare(width: width, tile: Self.tile)
        let unit = Self.meanPathLength(sampleSize)
        var first = range.lowerBound
        while range.upperBound - first > Self.fewRows {
            let rest = range.upperBound - first
            // Whole groups; a last one that is not full is padded when it holds more than a few rows.
            let whole = min(Self.tile, rest / Self.group * Self.group)
            let filled =
                whole > 0 && (whole == Self.tile || rest - whole <= Self.fewRows) ? whole : min(rest, Self.tile)
            // Column after column: the centre and scale of a feature stay in registers.
            for feature in 0..<width {
                let start = feature * Self.tile
                for row in 0..<filled {
                    scratch.columns[start + row] = scaler.scaled(rows[(first + row) * width + feature], feature)
                }
            }
            let padded = (filled + Self.group - 1) / Self.group * Self.group
            walk(scratch.columns, rows: padded, sums: &scratch.sums, body: kernel.body)
            for row in 0..<filled { scores.append(score(pathSum: scratch.sums[row], unit: unit)) }
            first += filled
        }
        for row in first..<range.upperBound {
            for feature in 0..<width {
                scratch.row[feature] = scaler.scaled(rows[row * width + feature], feature)
            }
            scores.append(score(pathSum: pathSum(scratch.row), unit: unit))
        }
    }

    /// The sum of the path lengths of one row; bit-identical to that of the batch kernels.
    private func pathSum(_ scaled: [Float]) -> Float {
        unsafe withKernelForest { forest in
            unsafe withUnsafePointer(to: forest) { forest in
                unsafe scaled.withUnsafeBufferPointer { row in
                    guard let row = row.baseAddress else { return Float(0) }
                    return unsafe tk_forest_length(forest, row)
                }
            }
        }
    }

    private func walk(_ columns: [Float], rows: Int, sums: inout [Float], body: tk_body) {
        unsafe withKernelForest { forest in
            unsafe withUnsafePointer(to: forest) { forest in
                unsafe columns.withUnsafeBufferPointer { columns in
                    unsafe sums.withUnsafeMutableBufferPointer { sums in
                        guard let columns = columns.baseAddress, let sums = sums.baseAddress else { return }
                        unsafe tk_forest_lengths(forest, columns, Self.tile, rows, sums, body)
                    }
                }
            }
        }
    }

    /// The trees as the kernel sees them, valid inside `body` only.
    private func withKernelForest<Result>(_ body: (tk_forest) -> Result) -> Result {
        unsafe features.withUnsafeBufferPointer { features in
            unsafe thresholds.withUnsafeBufferPointer { thresholds in
                unsafe lengths.withUnsafeBufferPointer { lengths in
                    unsafe body(
                        tk_forest(
                            features: features.baseAddress, thresholds: thresholds.baseAddress,
                            lengths: lengths.baseAddress, trees: Int32(trees), depth: Int32(depth)))
                }
            }
        }
    }

    /// - Parameter unit: `meanPathLength(sampleSize)`, which costs a logarithm.
    @inline(__always) private func score(pathSum: Float, unit: Double) -> Double {
        let mean = Double(pathSum) / Double(trees)
        return exponential(-mean / unit * 0.693_147_180_559_945_3)
    }
}
