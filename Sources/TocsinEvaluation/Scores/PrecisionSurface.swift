/// One slice of the surface per buffer width; keeps its buffers between slices.
struct PrecisionSurface {
    private let bins: ThresholdBins
    private let runs: [Range<Int>]
    private let rows: Int
    /// The runs widened by the largest buffer, merged: nothing outside of them ever has weight.
    private let regions: [Range<Int>]
    private var weights: [Double]

    init(bins: ThresholdBins, runs: [Range<Int>], rows: Int, maximumBuffer: Int) {
        self.bins = bins
        self.runs = runs
        self.rows = rows
        regions = Self.widened(runs, by: maximumBuffer / 2, rows: rows)
        weights = Array(repeating: 0, count: rows)
    }

    /// Range-based average precision with edges of `buffer / 2` rows.
    mutating func averagePrecision(buffer: Int) -> Double {
        let thresholds = bins.flagged.count
        setWeights(buffer: buffer)
        var weight = Array(repeating: 0.0, count: thresholds + 1)
        for region in regions {
            for row in region { weight[bins.binOfRow[row]] += min(1, weights[row]) }
        }
        var firstSeen = Array(repeating: 0, count: thresholds + 1)
        let segments = Self.widened(runs, by: buffer / 2, rows: rows)
        for segment in segments {
            var first = thresholds
            for row in segment { first = min(first, bins.binOfRow[row]) }
            firstSeen[first] += 1
        }

        var area = 0.0
        var lastRecall = 0.0
        var truePositives = 0.0
        var found = 0
        let positives = Double(bins.positives)
        for bin in 0..<thresholds {
            truePositives += weight[bin]
            found += firstSeen[bin]
            // Labelled rows count whole, edge rows by their weight and only when flagged.
            let softPositives = positives + truePositives - Double(bins.labelledFlagged[bin])
            let share = min(1, truePositives / ((positives + softPositives) / 2))
            let recall = share * Double(found) / Double(segments.count)
            area += (recall - lastRecall) * truePositives / Double(bins.flagged[bin])
            lastRecall = recall
        }
        return area
    }

    private mutating func setWeights(buffer: Int) {
        for region in regions { for row in region { weights[row] = 0 } }
        let half = buffer / 2
        let edge = (0...half).map { $0 == 0 ? 1 : (1 - Double($0) / Double(buffer)).squareRoot() }
        for run in runs {
            for row in run { weights[row] += 1 }
            let after = min(half, rows - run.upperBound)
            if after > 0 { for distance in 1...after { weights[run.upperBound - 1 + distance] += edge[distance] } }
            let before = min(half, run.lowerBound)
            if before > 0 { for distance in 1...before { weights[run.lowerBound - distance] += edge[distance] } }
        }
    }

    /// Runs widened on both sides; those that then touch or overlap become one (a gap of at least one row keeps two).
    private static func widened(_ runs: [Range<Int>], by half: Int, rows: Int) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for run in runs {
            let wide = max(0, run.lowerBound - half)..<min(rows, run.upperBound + half)
            // The last row of one must lie strictly before the first of the next: adjacent ones stay apart.
            if let last = result.last, wide.lowerBound < last.upperBound {
                result[result.count - 1] = last.lowerBound..<wide.upperBound
            } else {
                result.append(wide)
            }
        }
        return result
    }
}
