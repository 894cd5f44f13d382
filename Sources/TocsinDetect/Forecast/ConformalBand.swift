/// How far below and above the point a value may lie, by horizon, as the errors of a back-test were distributed.
///
/// Split-conformal prediction (Vovk and others 2005; Lei and others 2018), each side at half of the risk, so that skewed
/// errors give a skewed band. Errors of overlapping forecasts are not independent: a horizon counts only as many of them
/// as fit side by side, and where those are too few for the quantile the normal distribution helps out.
struct ConformalBand: Sendable {
    let horizons: [Int]
    /// By horizon, to be added to the point: at or below 0, and at or above 0.
    var lower: [Double]
    var upper: [Double]

    init(horizons: [Int], lower: [Double], upper: [Double]) {
        self.horizons = horizons
        self.lower = lower
        self.upper = upper
    }

    /// - Parameter coverage: share of the values inside, 0.5 ..< 1.
    init(_ test: BackTest, coverage: Double) {
        horizons = test.horizons
        lower = []
        upper = []
        let risk = (1 - coverage) / 2
        var known = (lower: 0.0, upper: 0.0)
        for (place, horizon) in test.horizons.enumerated() {
            let errors = test.errors[place].sorted()
            // Too few for anything: the band grows as that of a random walk does.
            if errors.count < 8, place > 0 {
                let growth = (Double(horizon) / Double(test.horizons[place - 1])).squareRoot()
                known = (known.lower * growth, known.upper * growth)
            } else {
                known = (
                    -Self.reach(errors.reversed().map { -$0 }, horizon, risk), Self.reach(errors, horizon, risk)
                )
            }
            lower.append(min(known.lower, 0))
            upper.append(max(known.upper, 0))
        }
    }

    /// The error that is passed with the probability `risk`.
    private static func reach(_ sorted: [Double], _ horizon: Int, _ risk: Double) -> Double {
        guard let largest = sorted.last else { return 0 }
        let all = Double(sorted.count)
        // Errors at distances of half a horizon are taken as independent.
        let independent = max(min(all, 2 * all / Double(horizon)), 1)
        let rank = (1 - risk) * (1 + 1 / independent)
        if rank < 1 { return quantile(sorted: sorted, rank) }
        let square = sorted.reduce(0) { $0 + $1 * $1 } / all
        return max(largest, normalQuantile(1 - risk) * (square * (1 + 1 / independent)).squareRoot())
    }

    /// The distances at any horizon, between those of the back-test by straight lines.
    func at(_ steps: Int) -> (lower: Double, upper: Double) {
        guard let next = horizons.firstIndex(where: { $0 >= steps }) else {
            return (lower.last ?? 0, upper.last ?? 0)
        }
        guard next > 0, horizons[next] > steps else { return (lower[next], upper[next]) }
        let share = Double(steps - horizons[next - 1]) / Double(horizons[next] - horizons[next - 1])
        return (
            lower[next - 1] + share * (lower[next] - lower[next - 1]),
            upper[next - 1] + share * (upper[next] - upper[next - 1])
        )
    }

    /// Abramowitz and Stegun 26.2.23 for probabilities of 0.5 and more: error below 4.5e-4.
    private static func normalQuantile(_ probability: Double) -> Double {
        let t = (-2 * naturalLog(max(1 - probability, 1e-12))).squareRoot()
        return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    }
}
