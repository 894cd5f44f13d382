internal import TocsinCore

/// Brings features to mean 0 and standard deviation 1 of the training rows, cut at ±10.
struct StandardScaler: Sendable, Equatable {
    /// Where values are cut: one wild feature must not saturate the layers for all others.
    static let limit = 10.0
    var means: [Double]
    /// 1 / standard deviation; 1 for a feature that never moved, so that it shows when it does.
    var factors: [Double]

    /// Measures flat rows; not-a-number and infinities are left out.
    init(rows: [[Double]], width: Int) {
        means = []
        factors = []
        for feature in 0..<width {
            var moments = (count: 0.0, mean: 0.0, squares: 0.0)
            for part in rows {
                for place in stride(from: feature, to: part.count, by: width) where part[place].isFinite {
                    let value = part[place].clamped(-1e100, 1e100)
                    moments.count += 1
                    let distance = value - moments.mean
                    moments.mean += distance / moments.count
                    moments.squares += distance * (value - moments.mean)
                }
            }
            let deviation = (moments.squares / max(moments.count, 1)).squareRoot()
            let isConstant = !(deviation > 1e-9 * abs(moments.mean)) || deviation < 1e-12
            means.append(moments.mean)
            factors.append(isConstant ? 1 : 1 / deviation)
        }
    }

    /// 0 (the mean) for a missing value.
    @inline(__always) func scaled(_ value: Double, _ feature: Int) -> Float {
        let scaled = (value - means[feature]) * factors[feature]
        return scaled.isNaN ? 0 : Float(scaled.clamped(-Self.limit, Self.limit))
    }

    func save(_ writer: inout StateWriter) {
        for value in means + factors { writer.write(value) }
    }

    init?(_ reader: inout StateReader, width: Int) {
        var values: [Double] = []
        for _ in 0..<2 * width {
            guard let value = reader.readDouble(), value.isFinite else { return nil }
            values.append(value)
        }
        means = Array(values.prefix(width))
        factors = Array(values.suffix(width))
        guard factors.allSatisfy({ $0 > 0 }) else { return nil }
    }
}
