internal import TocsinCore
internal import TocsinDetect

/// Which sensors are judged beyond the bank: what they never did before, and what does not go together.
public struct EnsembleSettings: Sendable {
    public var isEnabled: Bool
    /// Sensors, by order of appearance, that have a chart of how their metrics move together, and, where they are read
    /// every 20 s or more seldom, a memory of what they did: 31 KB a metric.
    public var maximumSensors: Int
    /// The same for sensors read more often, of which there may be many.
    public var maximumFastSensors: Int

    public init(isEnabled: Bool = true, maximumSensors: Int = 2000, maximumFastSensors: Int = 100) {
        self.isEnabled = isEnabled
        self.maximumSensors = maximumSensors
        self.maximumFastSensors = maximumFastSensors
    }
}

/// What an ensemble found, with the series of its row: names are given to it by the next stage.
struct SensorFinding: Sendable {
    var event: Int
    var sensor: SensorID
    var metrics: [SeriesID]
    var finding: EnsembleFinding
    /// As `Verdict.quiet`.
    var quiet = Span64.seconds(0)
}

/// The ensembles of one shard's sensors. A sensor's is made when its pace is known, after `introductions` events.
///
/// Who gets one depends on the sensor's number in the whole program, so that the number of shards does not show.
struct SensorEnsembles: Sendable {
    private struct Sensor: Sendable {
        /// Its series, global, in the order of their first readings: the places in the row.
        var metrics: [SeriesID] = []
        /// Saturates at `introductions`.
        var events: UInt8 = 0
        var first = Timestamp(nanoseconds: 0)
        var ensemble: SensorEnsemble?
        var usesNovelty = false
    }

    private static let introductions: UInt8 = 16
    private static let slowestFast = Span64.seconds(20)

    private let settings: EnsembleSettings
    private let shard: Int
    private let shards: Int
    private var sensors: [Sensor] = []
    /// Scratch: the row at hand.
    private var values: [Double] = []
    private var evidence: [Double] = []
    private var found: [EnsembleFinding] = []

    init(settings: EnsembleSettings, shard: Int, of shards: Int) {
        self.settings = settings
        self.shard = shard
        self.shards = shards
    }

    @inline(__always)
    func tracks(_ sensor: SensorID) -> Bool {
        settings.isEnabled && Int(sensor.index) * shards + shard < settings.maximumSensors
    }

    /// The series in whose record the sensor is saved; nil for a sensor that is not tracked or has none yet.
    func keeper(of sensor: SensorID) -> SeriesID? {
        tracks(sensor) && Int(sensor.index) < sensors.count ? sensors[Int(sensor.index)].metrics.first : nil
    }

    mutating func add(_ series: SeriesID, to sensor: SensorID) {
        guard tracks(sensor) else { return }
        let index = Int(sensor.index)
        while sensors.count <= index { sensors.append(Sensor()) }
        if !sensors[index].metrics.contains(series) { sensors[index].metrics.append(series) }
    }

    mutating func remove(_ sensor: SensorID) {
        if Int(sensor.index) < sensors.count { sensors[Int(sensor.index)] = Sensor() }
    }

    /// Begins the row of an event.
    mutating func begin(_ sensor: SensorID) {
        let width = sensors[Int(sensor.index)].metrics.count
        values.removeAll(keepingCapacity: true)
        evidence.removeAll(keepingCapacity: true)
        for _ in 0..<width {
            values.append(.nan)
            evidence.append(0)
        }
    }

    mutating func note(_ series: SeriesID, _ value: Double, evidence bank: Double, of sensor: SensorID) {
        let metrics = sensors[Int(sensor.index)].metrics
        guard let place = metrics.firstIndex(of: series), place < values.count else { return }
        values[place] = value
        evidence[place] = bank
    }

    /// Judges the row, then learns it.
    mutating func judge(
        _ sensor: SensorID, event: Int, time: Timestamp, into findings: inout [SensorFinding]
    ) {
        let index = Int(sensor.index)
        if sensors[index].events < Self.introductions { introduce(index, time) }
        guard sensors[index].ensemble != nil else { return }
        // Taken out, and put back with its memory: all of these are parts of one struct.
        var (row, light, found): ([Double], [Double], [EnsembleFinding]) = ([], [], [])
        swap(&row, &values)
        swap(&light, &evidence)
        swap(&found, &self.found)
        defer {
            swap(&row, &values)
            swap(&light, &evidence)
            swap(&found, &self.found)
        }
        found.removeAll(keepingCapacity: true)
        sensors[index].ensemble?.observe(time: time, values: row.span, evidence: light.span, into: &found)
        for finding in found {
            findings.append(
                SensorFinding(
                    event: event, sensor: SensorID(UInt32(index * shards + shard)), metrics: sensors[index].metrics,
                    finding: finding))
        }
    }

    private mutating func introduce(_ index: Int, _ time: Timestamp) {
        if sensors[index].events == 0 { sensors[index].first = time }
        sensors[index].events += 1
        guard sensors[index].events == Self.introductions else { return }
        let gap = Span64(
            nanoseconds: time.since(sensors[index].first).nanoseconds / Int64(Self.introductions - 1))
        let number = index * shards + shard
        let usesNovelty = gap >= Self.slowestFast || number < settings.maximumFastSensors
        guard usesNovelty || sensors[index].metrics.count > 1 else { return }
        sensors[index].usesNovelty = usesNovelty
        sensors[index].ensemble = SensorEnsemble(usesNovelty: usesNovelty)
    }

    /// Bytes of the ensembles, as an estimate by their sizes.
    var memoryBytes: Int {
        sensors.reduce(sensors.count * MemoryLayout<Sensor>.stride) { sum, sensor in
            guard sensor.ensemble != nil else { return sum }
            return sum + SensorEnsemble.bytes(metrics: sensor.metrics.count, usesNovelty: sensor.usesNovelty)
        }
    }

    // MARK: Checkpoint

    /// What belongs into the record of a series: its sensor, if it is the keeper.
    func save(keeper series: SeriesID, of sensor: SensorID, to writer: inout StateWriter) {
        guard keeper(of: sensor) == series else { return writer.write(false) }
        let known = sensors[Int(sensor.index)]
        writer.write(true)
        writer.write(varint: UInt64(known.metrics.count))
        for metric in known.metrics { writer.write(metric.index) }
        writer.write(known.events)
        writer.write(known.first)
        writer.write(known.usesNovelty)
        writer.write(known.ensemble != nil)
        known.ensemble?.save(to: &writer)
    }

    /// - Returns: false for nonsense. What other settings saved of a sensor that is not tracked now is passed over.
    mutating func restore(_ sensor: SensorID, from reader: inout StateReader, _ ids: SavedIDs) -> Bool {
        guard let isKeeper = reader.readFlag() else { return false }
        guard isKeeper else { return true }
        guard let count = reader.readCount(of: 4) else { return false }
        var known = Sensor()
        for _ in 0..<count {
            guard let metric = reader.readSeries(ids) else { return false }
            known.metrics.append(metric)
        }
        guard let events = reader.read(UInt8.self), events <= Self.introductions,
            let first = reader.readTimestamp(), let usesNovelty = reader.readFlag(), let hasEnsemble = reader.readFlag()
        else { return false }
        (known.events, known.first, known.usesNovelty) = (events, first, usesNovelty)
        if hasEnsemble {
            guard let ensemble = SensorEnsemble(restoring: &reader) else { return false }
            known.ensemble = ensemble
        }
        guard tracks(sensor) else { return true }
        let index = Int(sensor.index)
        while sensors.count <= index { sensors.append(Sensor()) }
        sensors[index] = known
        return true
    }
}
