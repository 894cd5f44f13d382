internal import TocsinCore

/// How the numbers of sensors and series in saved state are to be read: as they are in a checkpoint, translated where
/// the state has come from another process.
struct SavedIDs: Sendable {
    private struct Translation: Sendable {
        var sensors: [UInt32: UInt32]
        var series: [UInt32: UInt32]
    }

    private let sensorCount: Int
    /// By series; nil: any number is a series.
    private let sensorOfSeries: [UInt32]?
    private var translation: Translation?

    /// Numbers that nothing is known of, as they are.
    static let any = SavedIDs()

    private init() {
        sensorCount = .max
        sensorOfSeries = nil
    }

    /// The numbers of a table, as they are.
    init(sensorCount: Int, sensorOfSeries: [UInt32]) {
        self.sensorCount = sensorCount
        self.sensorOfSeries = sensorOfSeries
    }

    init(_ names: SeriesNames) {
        self.init(sensorCount: names.sensorNames.count, sensorOfSeries: names.sensorOfSeries)
    }

    /// The numbers of another table, and what they are in this one.
    init(_ names: SeriesNames, _ interned: TransferNames.Interned) {
        self.init(names)
        translation = Translation(sensors: interned.sensors, series: interned.series)
    }

    /// nil for nonsense.
    func sensor(_ saved: UInt32) -> SensorID? {
        let number = translation.map { $0.sensors[saved] } ?? saved
        guard let number, Int(number) < sensorCount else { return nil }
        return SensorID(number)
    }

    /// nil for nonsense.
    func series(_ saved: UInt32) -> SeriesID? {
        let number = translation.map { $0.series[saved] } ?? saved
        guard let number, sensorOfSeries.map({ Int(number) < $0.count }) ?? true else { return nil }
        return SeriesID(number)
    }

    /// Whose a series is that `series` gave.
    func sensor(of series: SeriesID) -> UInt32 { sensorOfSeries?[Int(series.index)] ?? 0 }

    /// The sensors of a translation, as they are here.
    var translated: [UInt32] { translation.map { Array($0.sensors.values) } ?? [] }
}

extension StateReader {
    /// nil for nonsense.
    mutating func readSensor(_ ids: SavedIDs) -> SensorID? { read(UInt32.self).flatMap { ids.sensor($0) } }
    /// nil for nonsense.
    mutating func readSeries(_ ids: SavedIDs) -> SeriesID? { read(UInt32.self).flatMap { ids.series($0) } }
}

/// Some of the sensors, whose state is to be saved or forgotten.
struct SensorSelection: Sendable {
    let sensors: Set<UInt32>
    let names: Set<String>
    private let sensorOfSeries: [UInt32]

    init(_ sensors: Set<UInt32>, _ names: SeriesNames) {
        self.sensors = sensors
        self.names = Set(sensors.compactMap { Int($0) < names.sensorNames.count ? names.sensorNames[Int($0)] : nil })
        sensorOfSeries = names.sensorOfSeries
    }

    func contains(_ sensor: SensorID) -> Bool { sensors.contains(sensor.index) }

    func containsSeries(_ series: UInt32) -> Bool {
        Int(series) < sensorOfSeries.count && sensors.contains(sensorOfSeries[Int(series)])
    }
}
