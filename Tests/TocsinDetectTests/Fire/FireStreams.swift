import TocsinCore
import TocsinDetect

/// A seeded room with a multi-sensor, one event a second.
struct FireRoom {
    static let names = [
        "Temperature[C]", "Humidity[%]", "TVOC[ppb]", "eCO2[ppm]", "Raw H2", "Raw Ethanol", "PM2.5", "NC0.5", "CNT",
    ]
    private var random: SplitMix64
    private var second = 0

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// - Parameters:
    ///   - smoke: µg/m³ of particles added.
    ///   - gas: ppb of TVOC added.
    ///   - heat: K added.
    mutating func row(smoke: Double = 0, gas: Double = 0, heat: Double = 0) -> [Double] {
        second += 1
        func noise() -> Double { random.nextUnit() + random.nextUnit() + random.nextUnit() - 1.5 }
        let wave = Double(second % 60) / 60 - 0.5
        return [
            22 + wave + 0.1 * noise() + heat, 45 - 2 * wave + noise(), 100 + 10 * noise() + gas, 420 + 5 * noise(),
            13_000 + 8 * noise() - gas / 10, 20_000 + 8 * noise() - gas / 5, 2 + 0.2 * noise() + smoke,
            13 + noise() + 6.6 * smoke, Double(second),
        ]
    }
}

func fireTime(_ second: Int) -> Timestamp { Timestamp(nanoseconds: Int64(second) * 1_000_000_000) }
