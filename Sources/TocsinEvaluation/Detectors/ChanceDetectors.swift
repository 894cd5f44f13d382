internal import Glibc
internal import TocsinDetect

/// Random scores, uniform p: what chance reaches under a measure.
struct RandomDetector: SeriesDetector {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    var threshold: Double { 3 }
    mutating func fit(_ rows: MetricRows) {}
    mutating func score(_ rows: MetricRows) -> [Double] {
        (0..<rows.count).map { _ in -log10(max(1 - random.nextUnit(), 1e-300)) }
    }
}

/// Never fires: the zero of NAB's scale.
struct NullDetector: SeriesDetector {
    var threshold: Double { 1 }
    mutating func fit(_ rows: MetricRows) {}
    mutating func score(_ rows: MetricRows) -> [Double] { Array(repeating: 0, count: rows.count) }
}
