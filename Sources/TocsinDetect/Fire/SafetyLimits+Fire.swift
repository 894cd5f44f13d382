extension SafetyLimits {
    /// The rules for smoke and fire, in the units that they name.
    ///
    /// None was chosen from a recording. Where no fire standard speaks in the unit of the sensor, the limit is that of a
    /// health authority: such a value means that people should leave, fire or not.
    public static let fire: [Rule] =
        ["temperature", "temp"].flatMap { name in
            [
                Rule(
                    metric: name, kind: .above, limit: 57, unit: "°C",
                    source: "UL 521, 135 °F heat detector; EN 54-5 class A1 responds at 54 to 65 °C"),
                Rule(
                    metric: name, kind: .risePerMinute, limit: 8.3, unit: "K",
                    source: "NFPA 72, 15 °F a minute"),
            ]
        }
        + ["pm1.0", "pm2.5"].flatMap { name in particles(name, above: 225, rise: 15) }
        + particles("pm10", above: 425, rise: 45)
        + [
            Rule(metric: "co", kind: .above, limit: 70, unit: "ppm", source: "UL 2034, lowest alarm level"),
            Rule(
                metric: "co", kind: .risePerMinute, limit: 30, unit: "ppm",
                source: "WHO, a whole hour's guideline of 35 mg/m³ in a minute"),
            Rule(metric: "co2", kind: .above, limit: 5000, unit: "ppm", source: "OSHA exposure limit"),
            Rule(metric: "eco2", kind: .above, limit: 5000, unit: "ppm", source: "OSHA exposure limit of CO2"),
            Rule(
                metric: "obscuration %/ft", kind: .above, limit: 4, unit: "%/ft",
                source: "UL 217, least sensitivity to grey smoke"),
            // The same in other units: 1 - 0.96^(1 / 0.3048), and -10 lg 0.96 / 0.3048.
            Rule(
                metric: "obscuration %/m", kind: .above, limit: 12.5, unit: "%/m", source: "UL 217, 4 %/ft"),
            Rule(
                metric: "obscuration db/m", kind: .above, limit: 0.58, unit: "dB/m", source: "UL 217, 4 %/ft"),
        ]

    private static func particles(_ name: String, above: Double, rise: Double) -> [Rule] {
        [
            Rule(
                metric: name, kind: .above, limit: above, unit: "µg/m³", source: "US EPA air quality index, hazardous"),
            Rule(
                metric: name, kind: .risePerMinute, limit: rise, unit: "µg/m³",
                source: "WHO 2021, a whole day's guideline in a minute"),
        ]
    }
}
