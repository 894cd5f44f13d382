extension SimulatorProfile {
    /// The sensor columns of the public smoke-detection data set, with its levels and its proportions between
    /// particle sizes (one optical counter estimates them all). `UTC`, `CNT` and `Fire Alarm` are not measured.
    ///
    /// Ranges are those of the parts it was recorded with: SGP30 (gas), SPS30 (particles), SHT31 (climate), BMP390.
    static let smokeMetrics: [SimulatedMetric] = [
        SimulatedMetric(
            "Temperature[C]", unit: "C", baseline: 24, noise: 0.1, correlation: 0.9, daily: 3, offset: 0.5,
            range: -40...125, decimals: 2, fire: FireResponse(.heat, 9)),
        SimulatedMetric(
            "Humidity[%]", unit: "%", baseline: 48, noise: 0.4, correlation: 0.9, daily: -4, offset: 1,
            range: 0...100, decimals: 2, fire: FireResponse(.heat, -12)),
        SimulatedMetric(
            "TVOC[ppb]", unit: "ppb", baseline: 80, noise: 6, correlation: 0.9, daily: 20, offset: 10,
            range: 0...60_000, decimals: 0, fire: FireResponse(.gas, 900)),
        SimulatedMetric(
            "eCO2[ppm]", unit: "ppm", baseline: 415, noise: 3, correlation: 0.9, daily: 5, offset: 3,
            range: 400...60_000, decimals: 0, fire: FireResponse(.gas, 450)),
        SimulatedMetric(
            "Raw H2", unit: "", baseline: 12_950, noise: 10, correlation: 0.9, daily: 30, offset: 40,
            range: 0...65_535, decimals: 0, fire: FireResponse(.gas, -350)),
        SimulatedMetric(
            "Raw Ethanol", unit: "", baseline: 20_200, noise: 15, correlation: 0.9, daily: 50, offset: 60,
            range: 0...65_535, decimals: 0, fire: FireResponse(.gas, -800)),
        SimulatedMetric(
            "Pressure[hPa]", unit: "hPa", baseline: 938, noise: 0.04, correlation: 0.95, daily: 0.4, offset: 0.05,
            range: 300...1250, decimals: 3),
        SimulatedMetric(
            "PM1.0", unit: "", baseline: 1.8, noise: 0.12, correlation: 0.9, daily: 0.2, offset: 0.1,
            range: 0...20_000, decimals: 2, fire: FireResponse(.particles, 26)),
        particles("PM2.5", perPM1: 1.04, range: 0...20_000, decimals: 2),
        particles("NC0.5", perPM1: 6.885, range: 0...100_000, decimals: 2),
        particles("NC1.0", perPM1: 1.0735, range: 0...100_000, decimals: 3),
        particles("NC2.5", perPM1: 0.0243, range: 0...100_000, decimals: 3),
    ]

    private static let particleIndex = 7

    private static func particles(
        _ name: String, perPM1 factor: Double, range: ClosedRange<Double>, decimals: Int
    ) -> SimulatedMetric {
        SimulatedMetric(
            name, unit: "", baseline: 0, noise: 0.02 * factor, daily: 0, offset: 0, range: range, decimals: decimals,
            proportional: Proportion(metric: particleIndex, factor: factor))
    }
}
