internal import TocsinCore
internal import TocsinDetect

/// `AssetChart`: smoothed T² with a dead band. A row in alarm scores at least 1, a row out of alarm less.
struct AssetChartDetector: SeriesDetector {
    let threshold = 1.0
    private var chart: AssetChart?

    mutating func fit(_ rows: MetricRows) throws { chart = try AssetChart(fitting: rows.flat, width: rows.width) }

    mutating func score(_ rows: MetricRows) throws -> [Double] {
        // A cold start: the first rows are learnt from and not judged.
        let learnt = chart == nil ? rows.coldStart : 0
        if learnt > 0 { try fit(rows.prefix(learnt)) }
        var row = [Double](repeating: 0, count: rows.width)
        return (0..<rows.count).map { index in
            if index < learnt { return 0 }
            for metric in 0..<rows.width { row[metric] = rows.columns[metric][index] }
            guard let reading = chart?.observe(row) else { return 0 }
            return reading.isAlarm ? max(reading.score, 1) : min(reading.score, 1.0.nextDown)
        }
    }
}
