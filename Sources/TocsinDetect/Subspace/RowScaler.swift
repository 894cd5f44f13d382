internal import TocsinCore

/// Centres and scales the metrics of an asset by the rows it was fitted on, and bounds what is left.
///
/// A value that is not finite counts as its metric's mean: a missing metric says nothing. Values beyond `bound`
/// standard deviations are cut to it, so that one broken metric cannot hide the others' agreement.
struct RowScaler: Sendable {
    static let bound = 10.0
    private(set) var means: [Double]
    private(set) var inverseDeviations: [Double]
    var width: Int { means.count }

    /// - Parameter rows: one row after the other, `width` values each.
    init(fitting rows: [Double], width: Int) {
        let count = rows.count / max(width, 1)
        means = .init(repeating: 0, count: width)
        inverseDeviations = .init(repeating: 1, count: width)
        for metric in 0..<width {
            // Welford's update: no cancellation for values far from 0.
            var (mean, squares, seen) = (0.0, 0.0, 0.0)
            for row in 0..<count {
                let value = rows[row * width + metric]
                guard value.isFinite, abs(value) < 1e150 else { continue }
                seen += 1
                let step = value - mean
                mean += step / seen
                squares += step * (value - mean)
            }
            means[metric] = mean
            let deviation = seen > 0 ? (squares / seen).squareRoot() : 0
            // A metric that never moved: its first move by a thousandth of its size is one deviation.
            inverseDeviations[metric] = 1 / max(deviation, 1e-3 * (deviation > 0 ? 0.001 : max(abs(mean), 1)), 1e-150)
        }
    }

    @inline(__always) func scaled(_ value: Double, _ metric: Int) -> Double {
        let scaled = (value - means[metric]) * inverseDeviations[metric]
        return scaled.isNaN || !value.isFinite ? 0 : scaled.clamped(-Self.bound, Self.bound)
    }

    /// Without the cut, for who follows a metric far from where it was fitted; NaN for a missing value, else within
    /// ±1e9.
    @inline(__always) func standardised(_ value: Double, _ metric: Int) -> Double {
        let scaled = (value - means[metric]) * inverseDeviations[metric]
        return value.isFinite ? scaled.clamped(-1e9, 1e9) : .nan
    }
}

extension RowScaler {
    func save(to writer: inout StateWriter) {
        writer.write(column: means)
        writer.write(column: inverseDeviations)
    }

    init?(restoring reader: inout StateReader) {
        guard let means = reader.readColumn(of: Double.self), let inverse = reader.readColumn(of: Double.self),
            means.count == inverse.count, means.allSatisfy(\.isFinite), inverse.allSatisfy({ $0.isFinite && $0 > 0 })
        else { return nil }
        (self.means, inverseDeviations) = (means, inverse)
    }
}
