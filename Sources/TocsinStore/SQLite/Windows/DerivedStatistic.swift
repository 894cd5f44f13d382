internal import TocsinCore

/// Statistics that follow from others by the engine's own formula (`WindowStatistics`), to the bit or with a few smallest
/// steps between: such a column is left out and computed again on reading.
enum DerivedStatistic {
    static func isDerivable(_ statistic: WindowStatistic) -> Bool {
        switch statistic {
        case .sum, .variance, .range, .interquartileRange, .change, .rootMeanSquare, .crestFactor,
            .coefficientOfVariation:
            true
        default: false
        }
    }

    /// The statistic made of others that stand before it or in columns of their own; not-a-number where it is not
    /// derivable.
    @inline(__always)
    static func value(_ statistic: WindowStatistic, _ other: (WindowStatistic) -> Double) -> Double {
        switch statistic {
        case .sum: return other(.mean) * other(.count)
        case .variance: return other(.standardDeviation) * other(.standardDeviation)
        case .range: return other(.maximum) - other(.minimum)
        case .interquartileRange: return other(.p75) - other(.p25)
        case .change: return other(.last) - other(.first)
        case .rootMeanSquare:
            let meanSquare = other(.mean) * other(.mean)
            return (other(.variance) * (other(.count) - 1) / other(.count) + meanSquare).squareRoot()
        case .crestFactor:
            let effective = other(.rootMeanSquare)
            guard effective > 0 else { return .nan }
            return max(abs(other(.minimum)), abs(other(.maximum))) / effective
        case .coefficientOfVariation:
            let mean = other(.mean)
            guard other(.count) >= 2, mean != 0 else { return .nan }
            return other(.standardDeviation) / abs(mean)
        default: return .nan
        }
    }
}
