public import TocsinCore

/// What kind of installation is imitated: which metrics its sensors have and how they behave.
public enum SimulatorProfile: String, CaseIterable, Sendable {
    /// Rooms of a plant: temperature near 25 °C and relative humidity near 50 %, every 12 s.
    case plant
    /// Rotating machines: temperature, pressure and vibration, every second.
    case machine
    /// Any number of thermometers in 50 zones, one reading a second each, in the narrow form.
    case fleet
    /// Smoke detectors with the columns of the smoke data set, and fires.
    case smoke

    /// The metrics of one sensor, in the order in which they are written.
    public var metrics: [SimulatedMetric] {
        switch self {
        case .plant: Self.plantMetrics
        case .machine: Self.machineMetrics
        case .fleet: Self.fleetMetrics
        case .smoke: Self.smokeMetrics
        }
    }

    /// Kinds that can be injected: a fire needs sensors that smell it.
    public var possibleKinds: [AnomalyKind] {
        let faults: [AnomalyKind] = [.spike, .drift, .stuck, .noise, .silence]
        return self == .smoke ? faults + [.fire] : faults
    }

    /// A sensor's name is this and its number, counted from 1 and padded to `numberWidth` digits.
    var namePrefix: String {
        switch self {
        case .plant, .fleet: "sensor_"
        case .machine: "machine_"
        case .smoke: "smoke_"
        }
    }

    var numberWidth: Int { self == .fleet ? 6 : 1 }

    private static let plantMetrics = [
        SimulatedMetric(
            "temperature", unit: "celsius", baseline: 25, noise: 0.6, daily: 2, offset: 0.8, range: -50...120,
            decimals: 2, anomalous: 80...120),
        SimulatedMetric(
            "humidity", unit: "percent", baseline: 50, noise: 1.5, daily: -4, offset: 2, range: 0...100, decimals: 2,
            anomalous: 0...20),
    ]

    private static let machineMetrics = [
        SimulatedMetric(
            "temperature", unit: "celsius", baseline: 65, noise: 0.8, correlation: 0.8, daily: 3, offset: 2,
            range: -50...200, decimals: 2),
        SimulatedMetric(
            "pressure", unit: "bar", baseline: 6.2, noise: 0.05, correlation: 0.5, daily: 0.05, offset: 0.1,
            range: 0...16, decimals: 3),
        SimulatedMetric(
            "vibration", unit: "mm/s", baseline: 2.8, noise: 0.15, daily: 0.1, offset: 0.2, range: 0...50,
            decimals: 3),
    ]

    private static let fleetMetrics = [
        SimulatedMetric(
            "temperature", unit: "celsius", baseline: 25, noise: 1, daily: 3, offset: 2, range: -50...120,
            decimals: 2)
    ]
}
