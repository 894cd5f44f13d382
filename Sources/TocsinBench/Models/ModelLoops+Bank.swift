internal import TocsinCore
internal import TocsinDetect
internal import TocsinMeasure

extension ModelLoops {
    /// Readings ahead whose state is asked for, as the engine does.
    private static let prefetchDistance = 12
    /// Seconds of event time before measuring, so that every series has learned.
    private static let warmUp = 70

    /// One reading a second of every sensor, sensors in an order that no processor can guess.
    static func bank(_ settings: ModelBenchmark.Settings) -> [ModelFigure] {
        var random = SplitMix64(seed: 7)
        let noise = (0..<1 << 16).map { _ in random.nextUnit() + random.nextUnit() + random.nextUnit() - 1.5 }
        return settings.sensors.map { sensors in
            let order = (0..<sensors).map { SeriesID(UInt32($0)) }.shuffled(using: &random)
            var bank = Bank()
            var second = 0
            var sum = 0.0
            var result = Assessment()
            func tick() {
                second += 1
                let time = Timestamp(nanoseconds: Int64(second) * 1_000_000_000)
                for place in 0..<sensors {
                    bank.prefetch(series: order[min(place + prefetchDistance, sensors - 1)])
                    let value = 20 + noise[(place &* 7919 &+ second &* 104_729) & 0xffff]
                    bank.assess(series: order[place], time: time, highWater: time, value: value, into: &result)
                    sum += result.score
                }
            }
            for _ in 0..<warmUp { tick() }
            let ticks = max(1, 2_000_000 / sensors)
            let figures = rates(settings.repeats) {
                for _ in 0..<ticks { tick() }
                return ticks * sensors
            }
            return ModelFigure(
                "bank_\(sensors)", "bank, \(Figure.grouped(sensors)) sensors", unit: "readings",
                rates: sum.isNaN ? [] : figures)
        }
    }
}
