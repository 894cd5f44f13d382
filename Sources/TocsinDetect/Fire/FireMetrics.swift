/// Which metrics of a sensor tell of fire, what each of them measures, and in which unit.
///
/// ```swift
/// FireMetrics.recognise(["Temperature[C]", "TVOC[ppb]", "PM2.5", "CNT"])?.channels.map(\.role)
///     // [.temperature, .volatile, .particleMass]
/// FireMetrics.recognise(["temperature", "humidity"])     // nil: no fire sensor
/// ```
public struct FireMetrics: Sendable, Equatable {
    /// What a metric measures.
    public enum Role: UInt8, CaseIterable, Sendable {
        /// °C.
        case temperature
        /// % relative humidity.
        case humidity
        /// µg/m³.
        case particleMass
        /// Particles per cm³.
        case particleCount
        /// Obscuration, or whatever a smoke sensor shows.
        case smoke
        /// ppb.
        case volatile
        /// ppm, measured or estimated (eCO2).
        case carbonDioxide
        /// ppm.
        case carbonMonoxide
        /// ppm of LPG, methane, hydrogen.
        case combustible
        /// Ticks of a metal-oxide sensor: 512 times the logarithm of its resistance (Sensirion SGP30).
        case rawGas
        /// Ohms of a metal-oxide sensor.
        case gasResistance
    }

    /// A metric in use.
    public struct Channel: Sendable, Equatable {
        /// As given.
        public let name: String
        /// Its place in the names given.
        public let position: Int
        public let role: Role
        /// The unit in which it is judged: value × scale + offset.
        public let unit: String
        let scale: Double
        let offset: Double
        /// How the rules of `SafetyLimits.fire` call it; empty where none fits.
        let limitName: String
    }

    public let channels: [Channel]

    /// The metrics that tell of fire, or nil where they are no smoke or fire sensor: one has a metric of smoke, or of
    /// particles together with one of gas. Case, units in brackets or behind the name (`temp_f`) and a path do not matter.
    public static func recognise(_ names: [String]) -> FireMetrics? {
        let metrics = FireMetrics(names)
        func has(_ roles: Role...) -> Bool { metrics.channels.contains { roles.contains($0.role) } }
        let isFire =
            has(.smoke)
            || has(.particleMass, .particleCount)
                && has(.volatile, .carbonMonoxide, .rawGas, .gasResistance, .combustible)
        return isFire ? metrics : nil
    }

    /// Whatever is known among the names, fire sensor or not; at most 32.
    public init(_ names: [String]) {
        channels = Array(names.enumerated().compactMap { Self.channel($1, at: $0) }.prefix(32))
    }

    private static func channel(_ name: String, at position: Int) -> Channel? {
        var (word, unit) = parts(name)
        if known[word] == nil, let cut = word.lastIndex(of: "_"), known[String(word[..<cut])] != nil, unit.isEmpty {
            unit = String(word[word.index(after: cut)...])
            word = String(word[..<cut])
        }
        guard let role = known[word] else { return nil }
        let (scale, offset) = conversion(role, unit)
        return Channel(
            name: name, position: position, role: role, unit: displayed(role, unit), scale: scale, offset: offset,
            limitName: limitName(role, word, unit))
    }

    /// The name in lower case with one kind of separator, and the unit in brackets.
    private static func parts(_ name: String) -> (word: String, unit: String) {
        let word = String(SafetyLimits.metric(of: name).map { $0 == " " || $0 == "-" || $0 == "." ? "_" : $0 })
        guard let open = name.firstIndex(where: { $0 == "[" || $0 == "(" }) else { return (word, "") }
        return (word, name[name.index(after: open)...].prefix { $0 != "]" && $0 != ")" }.lowercased())
    }

    private static let known: [String: Role] = {
        let words: [(Role, String)] = [
            (.temperature, "temperature temp air_temperature ambient_temperature room_temperature"),
            (.humidity, "humidity relative_humidity rh hum"),
            (.particleMass, "pm1 pm1_0 pm2_5 pm25 pm4 pm4_0 pm10 pm10_0"),
            (.particleCount, "nc0_5 nc1 nc1_0 nc2_5 nc4_0 nc10 nc10_0 particles particle_count"),
            (.smoke, "smoke smoke_density smoke_level smoke_obscuration obscuration"),
            (.volatile, "tvoc voc total_voc"), (.carbonDioxide, "eco2 co2 co2eq co2e"),
            (.carbonMonoxide, "co carbon_monoxide"), (.combustible, "lpg methane ch4 propane hydrogen h2"),
            (.rawGas, "raw_h2 raw_ethanol h2_raw ethanol_raw"), (.gasResistance, "gas_resistance"),
        ]
        var known: [String: Role] = [:]
        for (role, text) in words { for word in text.split(separator: " ") { known[String(word)] = role } }
        return known
    }()

    private static func conversion(_ role: Role, _ unit: String) -> (scale: Double, offset: Double) {
        switch (role, unit) {
        case (.temperature, "f"), (.temperature, "°f"), (.temperature, "degf"), (.temperature, "fahrenheit"):
            (1 / 1.8, -32 / 1.8)
        case (.temperature, "k"), (.temperature, "kelvin"): (1, -273.15)
        case (.volatile, "ppm"): (1000, 0)
        case (.carbonMonoxide, "ppb"), (.carbonDioxide, "ppb"): (0.001, 0)
        // 28.01 g/mol in 24.45 l/mol.
        case (.carbonMonoxide, "mg/m³"), (.carbonMonoxide, "mg/m3"): (0.873, 0)
        case (.carbonDioxide, "%"): (10_000, 0)
        case (.particleMass, "mg/m³"), (.particleMass, "mg/m3"): (1000, 0)
        default: (1, 0)
        }
    }

    private static func displayed(_ role: Role, _ unit: String) -> String {
        switch role {
        case .temperature: "°C"
        case .humidity: "%"
        case .particleMass: "µg/m³"
        case .particleCount: "/cm³"
        case .smoke: unit
        case .volatile: "ppb"
        case .carbonDioxide, .carbonMonoxide, .combustible: "ppm"
        case .rawGas: "ticks"
        case .gasResistance: "Ω"
        }
    }

    private static func limitName(_ role: Role, _ word: String, _ unit: String) -> String {
        switch role {
        case .temperature: "temperature"
        case .particleMass where word.hasPrefix("pm2"): "pm2.5"
        case .particleMass where word.hasPrefix("pm10"): "pm10"
        case .particleMass where word == "pm1" || word == "pm1_0": "pm1.0"
        case .carbonMonoxide: "co"
        case .carbonDioxide: word == "co2" ? "co2" : "eco2"
        case .smoke: "obscuration \(unit)"
        default: ""
        }
    }
}
