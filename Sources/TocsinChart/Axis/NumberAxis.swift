/// A vertical axis: the range that is shown and ticks at round numbers.
struct NumberAxis {
    let low: Double
    let high: Double
    let ticks: [Double]
    let labels: [String]

    // Beyond this a difference of two values is no number any more.
    private static let bound = 1e300

    /// - Parameters:
    ///   - values: smallest and greatest that must be seen; nil = nothing is drawn.
    ///   - height: of the plot in pixels: a tick about every 38, but three of them even where that is closer.
    init(_ values: ClosedRange<Double>?, height: Double) {
        var low = max(values?.lowerBound ?? 0, -Self.bound)
        var high = min(values?.upperBound ?? 1, Self.bound)
        if !(high > low) {
            let pad = low == 0 ? 1 : abs(low) * 0.1
            low -= pad
            high += pad
        }
        let room = (high - low) * 0.06
        // An axis that begins at nought is easier to read, where that costs little room.
        let isNearNought = low >= 0 && low < (high - low) * 0.2
        self.low = isNearNought ? (low == 0 ? -room * 0.4 : 0) : low - room
        self.high = high <= 0 && -high < (high - low) * 0.2 ? room * 0.4 : high + room
        var count = Int(min(max(height / 38, 2), 12))
        var step = Self.step(self.high - self.low, count: count)
        var ticks = Self.ticks(self.low, self.high, step)
        while ticks.count < 3, Double(count) * 18 < height {
            count += 1
            step = Self.step(self.high - self.low, count: count)
            ticks = Self.ticks(self.low, self.high, step)
        }
        self.ticks = ticks
        let greatest = ticks.map(abs).max() ?? 0
        labels = ticks.map { Self.label($0, step: step, greatest: greatest) }
    }

    /// The part of the axis below `value`, 0 to 1; a little more or less outside.
    func share(_ value: Double) -> Double {
        guard value.isFinite else { return value > 0 ? 1.2 : -0.2 }
        return min(max((value - low) / (high - low), -0.2), 1.2)
    }

    /// 1, 2 or 5 times a power of ten, so that about `count` steps fill the span.
    static func step(_ span: Double, count: Int) -> Double {
        let rough = span / Double(max(1, count))
        guard rough.isFinite, rough > 1e-300 else { return 1 }
        var power = 1.0
        while power > rough { power /= 10 }
        while power * 10 <= rough { power *= 10 }
        let share = rough / power
        return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10)
    }

    static func ticks(_ low: Double, _ high: Double, _ step: Double) -> [Double] {
        let first = (low / step).rounded(.up)
        guard first.isFinite, abs(first) < 1e15 else { return [] }
        var ticks: [Double] = []
        // A guard against steps that the numbers cannot resolve.
        while ticks.count < 50 {
            let tick = (first + Double(ticks.count)) * step
            guard tick <= high + step * 1e-9 else { break }
            ticks.append(tick == 0 ? 0 : tick)
        }
        return ticks
    }

    static func label(_ tick: Double, step: Double, greatest: Double) -> String {
        if tick == 0 { return "0" }
        if greatest >= 1e15 || step < 1e-6 { return NumberText.scientific(tick) }
        for (unit, suffix) in [(1e12, " T"), (1e9, " G"), (1e6, " M")] where greatest >= unit * 2 {
            return NumberText.fixed(tick / unit, decimals(step / unit)) + suffix
        }
        return NumberText.fixed(tick, decimals(step))
    }

    private static func decimals(_ step: Double) -> Int {
        var decimals = 0
        while decimals < 9, step * NumberText.power(decimals) < 0.999 { decimals += 1 }
        return decimals
    }
}
