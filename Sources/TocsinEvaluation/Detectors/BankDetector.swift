internal import Glibc
internal import TocsinCore
internal import TocsinDetect

/// The bank as the engine's shard drives it: every metric of a row in turn, each its own series.
///
/// The score is the largest -log10 p of a row, above the threshold exactly where the bank says so (a condition goes on
/// with readings that are themselves ordinary), and for several metrics corrected by Bonferroni.
struct BankDetector: SeriesDetector {
    private var bank: Bank
    private let limit: Double
    private let correction: Double

    init(_ context: SeriesContext, settings: BankSettings = BankSettings()) {
        bank = Bank(settings: settings)
        limit = -log10(settings.falseAlarmRate)
        correction = log10(Double(max(context.width, 1)))
    }

    var threshold: Double { max(limit - correction, 0) }

    mutating func fit(_ rows: MetricRows) { _ = score(rows) }

    mutating func score(_ rows: MetricRows) -> [Double] {
        var scores: [Double] = []
        scores.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            let time = rows.times[row]
            var largest = 0.0
            for metric in 0..<rows.width {
                let assessment = bank.assess(
                    series: SeriesID(UInt32(metric)), time: time, highWater: time, value: rows.columns[metric][row])
                let score = assessment.surprise * 0.434_294_481_903_251_8
                // A hair below the limit, where the rules withhold the verdict.
                largest = max(largest, assessment.isAnomalous ? max(score, limit) : min(score, limit * 0.999))
            }
            scores.append(max(largest - correction, 0))
        }
        return scores
    }
}
