import Testing
import TocsinCore
import TocsinDetect

/// Bell-shaped noise by the polar method.
struct Noise {
    private var random: SplitMix64
    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func next() -> Double {
        while true {
            let x = 2 * random.nextUnit() - 1
            let y = 2 * random.nextUnit() - 1
            let square = x * x + y * y
            if square > 0, square < 1 {
                // -2 ln s / s by halving, as no C library is imported here: ln s = 2 artanh((s-1)/(s+1)).
                return x * (-2 * Noise.naturalLog(square) / square).squareRoot()
            }
        }
    }

    private static func naturalLog(_ x: Double) -> Double {
        let exponent = Double(x.exponent)
        let ratio = (x.significand - 1) / (x.significand + 1)
        var term = ratio
        var sum = 0.0
        for power in stride(from: 1, through: 41, by: 2) {
            sum += term / Double(power)
            term *= ratio * ratio
        }
        return 2 * sum + exponent * 0.6931471805599453
    }
}

private let start = Timestamp(seconds: 1_700_000_000)

/// A triangle of a day, from -1 to 1.
private func wave(_ place: Int, period: Int) -> Double {
    let share = Double(place % period) / Double(period)
    return share < 0.5 ? 4 * share - 1 : 3 - 4 * share
}

/// Values every 15 minutes.
private func series(_ count: Int, _ value: (Int) -> Double) -> RegularSeries {
    RegularSeries(start: start, step: .minutes(15), values: (0..<count).map(value))
}

@Suite struct ForecastTests {
    /// Level, slow walk, daily wave, noise, correlated noise: the share of later values in the interval.
    @Test(arguments: ["noise", "wave", "walk", "correlated", "skewed"])
    func intervalsCover(_ kind: String) throws {
        var inside = 0.0
        var all = 0.0
        for seed in 1...12 {
            var noise = Noise(seed: UInt64(seed) &* 7919)
            var walk = 0.0
            let full = series(1100) { place in
                let shock = noise.next()
                switch kind {
                case "wave": return 20 + 5 * wave(place, period: 96) + shock
                case "walk":
                    walk += shock
                    return walk
                case "correlated":
                    walk = 0.9 * walk + shock
                    return walk
                case "skewed": return shock * shock
                default: return 50 + shock
                }
            }
            for now in [800, 1000] {
                let points = try Forecaster(full.prefix(now), horizon: .hours(12)).forecast().points
                #expect(points.count == 48)
                for (ahead, point) in points.enumerated() {
                    #expect(point.lower <= point.value && point.value <= point.upper)
                    let value = full.values[now + ahead]
                    inside += value >= point.lower && value <= point.upper ? 1 : 0
                    all += 1
                }
            }
        }
        #expect((0.90...0.99).contains(inside / all), "\(kind): \(inside / all)")
    }

    @Test func seasonsAreFoundAndUsed() throws {
        var noise = Noise(seed: 3)
        let full = series(1500) { 20 + 5 * wave($0, period: 96) + noise.next() }
        func error(_ choice: Forecaster.Choice) throws -> Double {
            let forecaster = try Forecaster(full.prefix(1300), horizon: .days(1), settings: .init(choice: choice))
            return forecaster.forecast().points.enumerated().reduce(0) { sum, point in
                sum + abs(full.values[1300 + point.offset] - point.element.value) / 96
            }
        }
        let chosen = try Forecaster(full.prefix(1300), horizon: .days(1))
        #expect(chosen.season == .days(1))
        #expect(chosen.errorToNaive < 0.5)
        let own = try error(.best)
        #expect(own < 0.95)
        let naive = try error(.naive)
        let seasonalNaive = try error(.seasonalNaive)
        #expect(own < 0.5 * naive)
        #expect(own < 0.85 * seasonalNaive)
        // A walk has none.
        var place = 0.0
        let walk = series(1500) { _ in
            place += noise.next()
            return place
        }
        #expect(try Forecaster(walk, horizon: .hours(6)).season == nil)
    }

    @Test func outliersAndGapsLeaveNoTrace() throws {
        var noise = Noise(seed: 5)
        let clean = series(900) { 20 + 5 * wave($0, period: 96) + 0.3 * noise.next() }
        var dirty = clean.values
        for place in stride(from: 40, to: 890, by: 61) { dirty[place] = 500 }
        for place in stride(from: 13, to: 890, by: 7) { dirty[place] = .nan }
        for place in 600..<640 { dirty[place] = .nan }
        let expected = try Forecaster(clean, horizon: .hours(6), settings: .init(choice: .holtWinters)).forecast()
        let found = try Forecaster(
            RegularSeries(start: start, step: .minutes(15), values: dirty), horizon: .hours(6),
            settings: .init(choice: .holtWinters)
        ).forecast()
        for (one, other) in zip(expected.points, found.points) { #expect(abs(one.value - other.value) < 1) }
    }

    @Test func levelShiftIsAccepted() throws {
        var noise = Noise(seed: 8)
        var walk = 0.0
        let history = (0..<400).map { _ in
            walk += 0.3 * noise.next()
            return walk + noise.next()
        }
        var model = try #require(HoltWinters.fitted(to: history, trend: .none, isCorrelated: false))
        for _ in 0..<100 { model.observe(1000 + noise.next()) }
        #expect(abs(model.point(1) - 1000) < 3)
        model.skip(.max)
        #expect(model.point(.max).isFinite)
    }

    @Test func readingsComeOnAnEvenGrid() throws {
        // Jitter, one reading missing, two in one slot, out of order, one no number.
        let seconds = [0.0, 61, 119, 240, 301, 303, 360, 180.5]
        let values = [1.0, 2, 3, 5, 6, 8, 9, .nan]
        let grid = try #require(
            RegularSeries(times: seconds.map { Timestamp(seconds: 1e9 + $0) }, values: values))
        #expect(grid.step == .minutes(1))
        #expect(grid.values.count == 7)
        #expect(grid.values[3].isNaN)
        #expect(grid.values[5] == 7)
        #expect(grid.end == Timestamp(seconds: 1e9 + 360))
        #expect(RegularSeries(times: [start, start, start], values: [1, 2, 3]) == nil)
        let extreme = [Timestamp(nanoseconds: .min), Timestamp(nanoseconds: 0), Timestamp(nanoseconds: .max)]
        #expect((RegularSeries(times: extreme, values: [1, 2, 3])?.count ?? 0) < 100_000)
        // Seconds are brought to what six hours need.
        let fine = try #require(
            RegularSeries(
                times: (0..<9000).map { Timestamp(seconds: 1e9 + Double($0)) },
                values: (0..<9000).map(Double.init), horizon: .hours(6)))
        #expect(fine.step == .seconds(75))
    }

    @Test func shortHistoriesAreRefused() {
        #expect(throws: TocsinError.self) { try Forecaster(series(20) { Double($0) }, horizon: .hours(1)) }
        #expect(throws: TocsinError.self) { try Forecaster(series(100) { Double($0) }, horizon: .days(2)) }
        #expect(throws: TocsinError.self) { try Forecaster(series(100) { _ in .nan }, horizon: .hours(2)) }
    }
}
