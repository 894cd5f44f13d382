internal import TocsinCore
internal import TocsinDetect

/// `PrincipalSubspace`: T² and Q over their limits, averaged over both and over the last rows.
struct PrincipalSubspaceDetector: SeriesDetector {
    let threshold = 1.0
    private var subspace: PrincipalSubspace?

    mutating func fit(_ rows: MetricRows) throws {
        subspace = try PrincipalSubspace(fitting: rows.flat, width: rows.width)
    }

    mutating func score(_ rows: MetricRows) throws -> [Double] {
        let learnt = subspace == nil ? rows.coldStart : 0
        if learnt > 0 { try fit(rows.prefix(learnt)) }
        var row = [Double](repeating: 0, count: rows.width)
        return (0..<rows.count).map { index in
            if index < learnt { return 0 }
            for metric in 0..<rows.width { row[metric] = rows.columns[metric][index] }
            return subspace?.observe(row).smoothed ?? 0
        }
    }
}
