internal import TocsinCore

/// From a reconstruction error to the probability of one at least as high on normal data.
///
/// Up to the 90 % quantile the empirical distribution of the validation errors (64 quantiles), beyond it a Pareto tail
/// whose index is the mean of the log excesses of the top tenth (Hill 1975). Neighbouring errors share most of their
/// rows, so far out the tail orders rather than counts.
public struct ErrorTail: Sendable, Equatable {
    static let points = 64
    /// The quantiles 0, 1/63, … 1 of the validation errors, ascending.
    let quantiles: [Double]
    /// The 90 % quantile, above 0.
    let start: Double
    /// Mean of ln(error / start) over the errors above it.
    let index: Double

    init(errors: [Double]) {
        let sorted = errors.filter(\.isFinite).sorted()
        quantiles = (0..<Self.points).map {
            sorted.isEmpty ? 0 : quantile(sorted: sorted, Double($0) / Double(Self.points - 1))
        }
        let start = max(sorted.isEmpty ? 0 : quantile(sorted: sorted, 0.9), 1e-12)
        let above = sorted.filter { $0 > start }
        let excess = above.reduce(0) { $0 + naturalLog($1 / start) } / Double(max(above.count, 1))
        self.start = start
        // A floor, so that equal validation errors do not make the next digit a certainty.
        index = max(excess, 0.05)
    }

    /// 0...1; NaN for NaN.
    public func pValue(_ error: Double) -> Double {
        guard error <= start else { return error.isNaN ? .nan : 0.1 * power(error / start, -1 / index) }
        guard let place = quantiles.firstIndex(where: { $0 >= error }) else { return 0.1 }
        guard place > 0 else { return 1 }
        let width = quantiles[place] - quantiles[place - 1]
        let rank = Double(place - 1) + (width > 0 ? (error - quantiles[place - 1]) / width : 1)
        return max(1 - rank / Double(Self.points - 1), 0.1)
    }

    /// The error whose p-value is `pValue`.
    public func threshold(pValue: Double) -> Double {
        guard pValue < 0.1 else { return quantile(sorted: quantiles, 1 - pValue) }
        return start * power(max(pValue, 1e-300) / 0.1, -index)
    }

    func save(_ writer: inout StateWriter) {
        for value in quantiles { writer.write(value) }
        writer.write(start)
        writer.write(index)
    }

    /// nil for anything but ascending finite quantiles with a positive tail.
    init?(_ reader: inout StateReader) {
        var values: [Double] = []
        for _ in 0..<Self.points {
            guard let value = reader.readDouble(), value.isFinite, value >= values.last ?? 0 else { return nil }
            values.append(value)
        }
        guard let start = reader.readDouble(), start.isFinite, start > 0, let index = reader.readDouble(),
            index.isFinite, index > 0
        else { return nil }
        quantiles = values
        self.start = start
        self.index = index
    }
}
