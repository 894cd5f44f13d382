internal import CTocsinKernels

extension IsolationForest {
    private static let tile = 512
    /// What the batch kernels work in.
    private static let group = 32
    /// Rows that a thread takes at a time.
    private static let share = 4 * tile

    /// The score of one row, 0…1, high = anomalous. About 1 µs. Missing values (NaN) and missing columns count as the
    /// training median; surplus columns are ignored.
    public func score(_ row: [Double]) -> Double {
        let sum = unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { scaled in
            for feature in 0..<width {
                unsafe scaled[feature] = feature < row.count ? scaler.scaled(row[feature], feature) : 0
            }
            return unsafe pathSum(UnsafeBufferPointer(scaled))
        }
        return score(pathSum: sum, unit: unit)
    }

    /// Scores many rows (row after row, `width` values each) with the fastest kernel; replaces the content of `scores`.
    ///
    /// - Parameter threads: at most so many cores for batches of some thousand rows; 0 = all there are. The scores do
    ///   not depend on it.
    public func score(rows: [Double], into scores: inout [Double], threads: Int = 1) {
        var scratch = ScoringScratch()
        score(rows: rows, into: &scores, scratch: &scratch, threads: threads)
    }

    /// The same in memory that the caller keeps: with one thread nothing is allocated.
    public func score(
        rows: [Double], into scores: inout [Double], scratch: inout ScoringScratch, threads: Int = 1
    ) {
        scores.removeAll(keepingCapacity: true)
        append(rows: rows, 0..<rows.count / width, to: &scores, scratch: &scratch, threads: threads)
    }

    /// The same with a chosen kernel; one that the processor lacks or that cannot walk this forest is replaced by the
    /// best there is.
    public func score(rows: [Double], into scores: inout [Double], kernel: Kernel) {
        var scratch = ScoringScratch()
        scores.removeAll(keepingCapacity: true)
        append(rows: rows, 0..<rows.count / width, to: &scores, kernel: kernel, scratch: &scratch)
    }

    /// Appends the scores of some of the rows.
    func append(
        rows: [Double], _ range: Range<Int>, to scores: inout [Double], scratch: inout ScoringScratch, threads: Int
    ) {
        guard threads != 1, range.count >= 2 * Self.share else {
            return append(rows: rows, range, to: &scores, kernel: .best, scratch: &scratch)
        }
        let shares = (range.count + Self.share - 1) / Self.share
        let parts = ParallelWork.map(shares, threads: threads) { part in
            let first = range.lowerBound + part * Self.share
            var scores: [Double] = []
            scores.reserveCapacity(Self.share)
            var scratch = ScoringScratch()
            let own = first..<min(range.upperBound, first + Self.share)
            append(rows: rows, own, to: &scores, kernel: .best, scratch: &scratch)
            return scores
        }
        for part in parts { scores.append(contentsOf: part) }
    }

    private func append(
        rows: [Double], _ range: Range<Int>, to scores: inout [Double], kernel: Kernel, scratch: inout ScoringScratch
    ) {
        scratch.prepare(width: width, tile: Self.tile)
        let kernel = kernel.isAvailable ? kernel : .best
        let words = kernel == .avx512bw ? words : nil
        // Up to so many rows beyond whole groups are cheaper one by one.
        let few = words == nil ? 18 : 3
        let unit = unit
        var first = range.lowerBound
        while range.upperBound - first > few {
            let rest = range.upperBound - first
            // Whole groups; a last one that is not full is padded when it holds more than a few rows.
            let whole = min(Self.tile, rest / Self.group * Self.group)
            let filled = whole > 0 && (whole == Self.tile || rest - whole <= few) ? whole : min(rest, Self.tile)
            scale(rows, first..<first + filled, into: &scratch.columns)
            let padded = (filled + Self.group - 1) / Self.group * Self.group
            if let words {
                words.walk(
                    scratch.columns, stride: Self.tile, rows: padded, ranks: &scratch.ranks, sums: &scratch.sums)
            } else {
                walk(scratch.columns, rows: padded, sums: &scratch.sums, body: kernel.body)
            }
            for row in 0..<filled { scores.append(score(pathSum: scratch.sums[row], unit: unit)) }
            first += filled
        }
        for row in first..<range.upperBound {
            for feature in 0..<width {
                scratch.row[feature] = scaler.scaled(rows[row * width + feature], feature)
            }
            let sum = unsafe scratch.row.withUnsafeBufferPointer { row in unsafe pathSum(row) }
            scores.append(score(pathSum: sum, unit: unit))
        }
    }

    /// Column after column; what stands behind the last row of a group is finite, whatever it is.
    private func scale(_ rows: [Double], _ range: Range<Int>, into columns: inout [Float]) {
        unsafe rows.withUnsafeBufferPointer { rows in
            unsafe scaler.centers.withUnsafeBufferPointer { centers in
                unsafe scaler.inverseScales.withUnsafeBufferPointer { scales in
                    unsafe columns.withUnsafeMutableBufferPointer { columns in
                        guard let rows = rows.baseAddress, let centers = centers.baseAddress,
                            let scales = scales.baseAddress, let columns = columns.baseAddress
                        else { return }
                        unsafe tk_forest_scale(
                            rows + range.lowerBound * width, width, range.count, centers, scales, columns, Self.tile)
                    }
                }
            }
        }
    }

    /// The sum of the path lengths of one row; equal to that of the batch kernels.
    private func pathSum(_ scaled: UnsafeBufferPointer<Float>) -> UInt32 {
        unsafe withKernelForest { forest in
            unsafe withUnsafePointer(to: forest) { forest in
                guard let row = scaled.baseAddress else { return 0 }
                return unsafe tk_forest_length(forest, row)
            }
        }
    }

    private func walk(_ columns: [Float], rows: Int, sums: inout [UInt32], body: tk_body) {
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
                unsafe steps.withUnsafeBufferPointer { lengths in
                    unsafe body(
                        tk_forest(
                            features: features.baseAddress, thresholds: thresholds.baseAddress,
                            lengths: lengths.baseAddress, trees: Int32(trees), depth: Int32(depth)))
                }
            }
        }
    }

    @inline(__always) private func score(pathSum: UInt32, unit: Double) -> Double {
        exponential(Double(pathSum) * unit)
    }
}
