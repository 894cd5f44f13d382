internal import Glibc

/// A detector of single values: -log10 p of each in turn.
protocol ValueDetector: Sendable {
    var threshold: Double { get }
    mutating func surprise(_ value: Double) -> Double
}

/// One detector of values a metric; the smallest p counts, corrected by Bonferroni.
struct PerMetricDetector<Detector: ValueDetector>: SeriesDetector {
    private var detectors: [Detector]
    private let correction: Double
    let threshold: Double

    init(_ detector: Detector, width: Int) {
        detectors = Array(repeating: detector, count: width)
        correction = log10(Double(max(width, 1)))
        threshold = detector.threshold
    }

    mutating func fit(_ rows: MetricRows) { _ = score(rows) }

    mutating func score(_ rows: MetricRows) -> [Double] {
        var scores = [Double](repeating: 0, count: rows.count)
        for metric in 0..<min(rows.width, detectors.count) {
            for row in scores.indices {
                scores[row] = max(scores[row], detectors[metric].surprise(rows.columns[metric][row]))
            }
        }
        return scores.map { max($0 - correction, 0) }
    }
}

/// NAB's Windowed Gaussian (`nab/detectors/gaussian`): the one-sided tail probability under the mean and standard
/// deviation of the last 6,400 values, moved on by 100.
struct WindowedGaussian: ValueDetector {
    /// NAB publishes the threshold 1.0 for 1 - p, stored with 12 digits: p <= 5e-13.
    let threshold = -log10(5e-13)
    private var window: [Double] = []
    private var waiting: [Double] = []
    private var mean = 0.0
    private var deviation = 1.0
    private var sum = 0.0
    private var squares = 0.0
    private static let size = 6400
    private static let step = 100

    mutating func surprise(_ value: Double) -> Double {
        guard value.isFinite else { return 0 }
        var surprise = 0.0
        if !window.isEmpty {
            let p = 0.5 * erfc(abs(value - mean) / (2.0.squareRoot() * deviation))
            surprise = -log10(max(p, 1e-300))
        }
        if window.count < Self.size {
            window.append(value)
            // Welford's update, as a mean over all values anew each time would be quadratic.
            let before = value - sum
            sum += before / Double(window.count)
            squares += before * (value - sum)
            set(mean: sum, variance: squares / Double(window.count))
        } else {
            waiting.append(value)
            if waiting.count == Self.step {
                window.removeFirst(Self.step)
                window.append(contentsOf: waiting)
                waiting = []
                let mean = window.reduce(0, +) / Double(window.count)
                set(mean: mean, variance: window.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(window.count))
            }
        }
        return surprise
    }

    private mutating func set(mean: Double, variance: Double) {
        self.mean = mean
        deviation = variance > 0 ? variance.squareRoot() : 1e-6
    }
}
