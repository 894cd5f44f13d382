internal import CTocsinKernels

extension IsolationForest {
    private static let tile = 512

    /// The score of one row, 0…1, high = anomalous. About 1 µs. Missing values (NaN) and missing columns count as the
    /// training median; surplus columns are ignored.
    public func score(_ row: [Double]) -> Double {
        var scaled = [Float](repeating: 0, count: width)
        for feature in 0..<min(width, row.count) { scaled[feature] = scaler.scaled(row[feature], feature) }
        let sum = unsafe withKernelForest { forest in
            unsafe withUnsafePointer(to: forest) { forest in
                unsafe scaled.withUnsafeBufferPointer { row in
                    guard let row = row.baseAddress else { return Float(0) }
                    return unsafe tk_forest_length(forest, row)
                }
            }
        }
        return score(pathSum: sum)
    }

    /// Scores many rows (row after row, `width` values each) with the fastest kernel; replaces the content of `scores`.
    public func score(rows: [Double], into scores: inout [Double]) {
        score(rows: rows, into: &scores, kernel: .best)
    }

    /// The same with a chosen kernel; one the processor lacks is replaced by the best it has.
    public func score(rows: [Double], into scores: inout [Double], kernel: Kernel) {
        let body = (Kernel.available.contains(kernel) ? kernel : .best).body
        let count = rows.count / width
        scores.removeAll(keepingCapacity: true)
        scores.reserveCapacity(count)
        let stride = Self.tile
        var columns = [Float](repeating: 0, count: stride * width)
        var sums = [Float](repeating: 0, count: stride)
        var first = 0
        while first < count {
            let filled = min(stride, count - first)
            // Column after column: the centre and scale of a feature stay in registers.
            for feature in 0..<width {
                let start = feature * stride
                for row in 0..<filled {
                    columns[start + row] = scaler.scaled(rows[(first + row) * width + feature], feature)
                }
            }
            walk(columns, stride: stride, rows: (filled + 31) / 32 * 32, sums: &sums, body: body)
            for row in 0..<filled { scores.append(score(pathSum: sums[row])) }
            first += filled
        }
    }

    private func walk(_ columns: [Float], stride: Int, rows: Int, sums: inout [Float], body: tk_body) {
        unsafe withKernelForest { forest in
            unsafe withUnsafePointer(to: forest) { forest in
                unsafe columns.withUnsafeBufferPointer { columns in
                    unsafe sums.withUnsafeMutableBufferPointer { sums in
                        guard let columns = columns.baseAddress, let sums = sums.baseAddress else { return }
                        unsafe tk_forest_lengths(forest, columns, stride, rows, sums, body)
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

    @inline(__always) private func score(pathSum: Float) -> Double {
        let mean = Double(pathSum) / Double(trees)
        return exponential(-mean / Self.meanPathLength(sampleSize) * 0.693_147_180_559_945_3)
    }
}
