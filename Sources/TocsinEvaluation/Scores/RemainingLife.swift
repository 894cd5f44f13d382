import Glibc

/// Errors of predicted remaining useful life, in the unit of the data (cycles for C-MAPSS).
public enum RemainingLife {
    /// Root mean square error over the rows both arrays have; 0 when there are none.
    public static func rmse(predicted: [Double], actual: [Double]) -> Double {
        let count = min(predicted.count, actual.count)
        guard count > 0 else { return 0 }
        var sum = 0.0
        for (guess, truth) in zip(predicted, actual) { sum += (guess - truth) * (guess - truth) }
        return (sum / Double(count)).squareRoot()
    }

    /// The summed score of the PHM 2008 challenge, lower is better: with d = predicted - actual it adds exp(-d/13) - 1
    /// for d < 0 (too early) and exp(d/10) - 1 otherwise (too late, which costs more). Saxena and others, PHM 2008.
    public static func nasaScore(predicted: [Double], actual: [Double]) -> Double {
        var sum = 0.0
        for (guess, truth) in zip(predicted, actual) {
            let late = guess - truth
            sum += (late < 0 ? exp(-late / 13) : exp(late / 10)) - 1
        }
        return sum
    }
}
