extension HoltWinters {
    /// Values the smoothing parameters are chosen on, the newest ones.
    private static let fittedCount = 12_000

    /// A model that has seen the history, with the parameters that make its one-step errors smallest.
    ///
    /// - Parameters:
    ///   - values: NaN = missing.
    ///   - period: slots of a season; 1 = none.
    ///   - isCorrelated: whether errors may come in runs; if not, the level follows them instead.
    /// - Returns: nil when the history is shorter than three seasons or 8 values. Cost: about 60 passes over the
    ///   history, 5 ns a value each.
    public static func fitted(
        to values: [Double], period: Int = 1, trend: Trend = .damped, isCorrelated: Bool = true
    ) -> HoltWinters? {
        let values = Array(values.suffix(max(fittedCount, 4 * max(period, 1))))
        let warm = period > 1 ? 2 * period : min(max(values.count / 10, 4), 30)
        guard period >= 1, values.count >= max(3 * period, 8), let start = started(values, warm, period, trend) else {
            return nil
        }
        var search = ParameterSearch(period: period, trend: trend, isCorrelated: isCorrelated)
        search.run { parameters in
            var model = HoltWinters(parameters: parameters, state: start.state, seasons: start.seasons)
            return model.meanError(values, from: warm)
        }
        var model = HoltWinters(parameters: search.parameters, state: start.state, seasons: start.seasons)
        for value in values[warm...] { model.observe(value) }
        return model.state.level.isFinite ? model : nil
    }

    private mutating func meanError(_ values: [Double], from first: Int) -> Double {
        var sum = 0.0
        var count = 0.0
        for place in first..<values.count {
            let error = abs(observe(values[place]))
            if error.isFinite {
                sum += error
                count += 1
            }
        }
        return count > 0 ? sum / count : .infinity
    }

    /// The state at the end of the first `warm` values, by medians; values far outside count as missing.
    private static func started(
        _ history: [Double], _ warm: Int, _ period: Int, _ trend: Trend
    ) -> (state: State, seasons: [Double])? {
        let sorted = history[..<warm].filter(\.isFinite).sorted()
        let low = quantile(sorted: sorted, 0.25)
        let high = quantile(sorted: sorted, 0.75)
        let reach = high > low ? 3 * (high - low) : .infinity
        let values = history[..<warm].map { $0 >= low - reach && $0 <= high + reach ? $0 : .nan }
        let half = warm / 2
        let first = median(values[..<half].filter(\.isFinite))
        let second = median(values[half..<warm].filter(\.isFinite))
        let all = median(values[..<warm].filter(\.isFinite))
        guard all.isFinite else { return nil }
        var state = State()
        let slope = trend != .none && first.isFinite && second.isFinite ? (second - first) / Double(warm - half) : 0
        state.trend = slope
        state.level = (second.isFinite ? second : all) + slope * Double(warm - half) / 2
        var seasons = Array(repeating: 0.0, count: period)
        if period > 1 {
            // A place without a value takes that of its neighbour.
            var newest = 0.0
            for place in 0..<period {
                let known = [values[place] - first, values[period + place] - second].filter(\.isFinite)
                if !known.isEmpty { newest = known.reduce(0, +) / Double(known.count) }
                seasons[place] = newest
            }
        }
        var deviations: [Double] = []
        for (earlier, later) in zip(values, values.dropFirst()) {
            let distance = abs(later - earlier)
            if distance.isFinite { deviations.append(distance) }
        }
        state.scale = deviations.isEmpty ? 0 : 1.2533 * deviations.reduce(0, +) / Double(deviations.count)
        return (state, seasons)
    }
}

/// Goes down the grid of parameters one neighbour at a time until none is better.
struct ParameterSearch {
    private static let grids: [[Double]] = [
        [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1],
        [0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5],
        [0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5],
        [0.8, 0.9, 0.95, 0.98, 0.99],
        [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99],
    ]
    private var places: [Int]
    private let moving: [Int]
    private let trend: HoltWinters.Trend
    private let hasSeason: Bool

    init(period: Int, trend: HoltWinters.Trend, isCorrelated: Bool) {
        self.trend = trend
        hasSeason = period > 1
        places = isCorrelated ? [2, 2, 2, 2, 5] : [5, 2, 2, 2, 0]
        var moving = [0]
        if trend != .none { moving.append(1) }
        if hasSeason { moving.append(2) }
        if trend == .damped { moving.append(3) }
        if isCorrelated { moving.append(4) }
        self.moving = moving
    }

    var parameters: HoltWinters.Parameters { parameters(places) }

    private func parameters(_ places: [Int]) -> HoltWinters.Parameters {
        let value = { (axis: Int) in Self.grids[axis][places[axis]] }
        return HoltWinters.Parameters(
            level: value(0), trend: trend == .none ? 0 : value(1), season: hasSeason ? value(2) : 0,
            damping: trend == .none ? 0 : trend == .linear ? 1 : value(3), correlation: value(4))
    }

    mutating func run(_ error: (HoltWinters.Parameters) -> Double) {
        var best = error(parameters)
        var isBetter = true
        var rounds = 0
        while isBetter, rounds < 12 {
            isBetter = false
            rounds += 1
            for axis in moving {
                for direction in [-1, 1] {
                    while Self.grids[axis].indices.contains(places[axis] + direction) {
                        var next = places
                        next[axis] += direction
                        let found = error(parameters(next))
                        // Less than a thousandth is no reason to move.
                        guard found < best * 0.999 else { break }
                        best = found
                        places = next
                        isBetter = true
                    }
                }
            }
        }
    }
}
