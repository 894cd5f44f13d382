internal import TocsinCore

/// An exponentially weighted average of each metric that follows a confirmed shift at once.
///
/// While readings stay near the average it is smoothed as usual. Where the median of the last three is farther from
/// it than `reach` usual distances, the average jumps to that distance: it neither lags behind a shift nor behind the
/// return, and one far reading alone moves it no more than any other. An adaptive EWMA after Capizzi and Masarotto,
/// "An adaptive exponentially weighted moving average control chart" (2003), with the median of three as error.
struct ShiftingAverage: Sendable {
    /// Usual distances: beyond it the average jumps. From 3 to 6 the figures on recordings hardly change.
    private static let reach = 3.5
    /// Where a metric hardly moves, in its fitted standard deviations.
    private static let leastSpread = 0.02

    private(set) var values: [Double]
    /// Root mean square distance of a reading from the average.
    private var spreads: [Double]
    /// The two readings before, metric by metric.
    private var before: [SIMD2<Double>]
    private let weight: Double

    /// - Parameter weight: of one reading, above 0 … 1.
    init(width: Int, weight: Double) {
        values = .init(repeating: 0, count: width)
        spreads = .init(repeating: 1, count: width)
        before = .init(repeating: .zero, count: width)
        self.weight = weight.clamped(1e-6, 1)
    }

    /// Takes a metric's reading in.
    ///
    /// - Parameter rate: how much the usual distance learns from it, 0 … 1.
    @inline(__always) mutating func learn(_ value: Double, _ metric: Int, rate: Double) {
        let average = values[metric]
        let (last, earlier) = (before[metric].x, before[metric].y)
        let median = max(min(last, earlier), min(max(last, earlier), value))
        before[metric] = SIMD2(value, last)
        let error = value - average
        let shift = median - average
        let limit = Self.reach * spreads[metric]
        if abs(shift) <= limit {
            values[metric] = average + weight * error
        } else {
            values[metric] = median + (shift > 0 ? -1 : 1) * (1 - weight) * limit
        }
        guard rate > 0 else { return }
        let square = spreads[metric] * spreads[metric]
        spreads[metric] = max((square + rate * (error * error - square)).squareRoot(), Self.leastSpread)
    }

    /// Begins a new stretch: forgets where it was, not the usual distances.
    mutating func restart() {
        for metric in values.indices { (values[metric], before[metric]) = (0, .zero) }
    }
}

extension ShiftingAverage {
    func save(to writer: inout StateWriter) {
        writer.write(weight)
        writer.write(column: values)
        writer.write(column: spreads)
        writer.write(column: before)
    }

    init?(restoring reader: inout StateReader, width: Int) {
        guard let weight = reader.readDouble(), weight > 0, weight <= 1,
            let values = reader.readColumn(of: Double.self), let spreads = reader.readColumn(of: Double.self),
            let before = reader.readColumn(of: SIMD2<Double>.self), values.count == width, spreads.count == width,
            before.count == width, values.allSatisfy({ abs($0) <= 1e12 }), spreads.allSatisfy({ $0 <= 1e12 && $0 > 0 }),
            before.allSatisfy({ abs($0.x) <= 1e12 && abs($0.y) <= 1e12 })
        else { return nil }
        self.init(width: width, weight: weight)
        (self.values, self.spreads, self.before) = (values, spreads, before)
    }
}
