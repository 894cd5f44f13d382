internal import TocsinCore
internal import TocsinDetect

/// `default`: what watches a sensor for which nothing is configured, as the engine drives it: the bank on every reading,
/// `SensorEnsemble` on every row. Scores are in units of the decision limit. The bank's own verdicts, which the engine
/// reports beside, are judged as `bank`.
struct DefaultDetector: SeriesDetector {
    let threshold = 1.0
    private var bank = Bank()
    private var ensemble = SensorEnsemble()
    private let width: Int

    init(width: Int) { self.width = width }

    mutating func fit(_ rows: MetricRows) throws {
        if rows.count >= 64 {
            ensemble = try SensorEnsemble(fitting: rows.flat, times: rows.times, width: rows.width)
        }
        for row in 0..<rows.count { _ = evidence(rows, row) }
    }

    mutating func score(_ rows: MetricRows) -> [Double] {
        var findings: [EnsembleFinding] = []
        return (0..<rows.count).map { row in
            let evidence = evidence(rows, row)
            findings.removeAll(keepingCapacity: true)
            let values = rows.columns.map { $0[row] }
            return ensemble.observe(
                time: rows.times[row], values: values.span, evidence: evidence.span, into: &findings)
        }
    }

    private mutating func evidence(_ rows: MetricRows, _ row: Int) -> [Double] {
        let time = rows.times[row]
        return (0..<rows.width).map { metric in
            bank.assess(
                series: SeriesID(UInt32(metric)), time: time, highWater: time, value: rows.columns[metric][row]
            ).evidence
        }
    }
}
