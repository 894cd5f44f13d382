internal import TocsinCore
public import TocsinDetect

/// How smoke and fire sensors are watched.
public struct FireWatchSettings: Sendable {
    public var isEnabled: Bool
    /// A trained forest of change; nil = fixed limits and changes of several metrics only. The newest is used.
    public var model: FireModel?

    public init(isEnabled: Bool = true, model: FireModel? = nil) {
        self.isEnabled = isEnabled
        self.model = model
    }
}

/// The fire detectors of all sensors whose metrics tell of fire, found by the metrics' names.
struct FireWatch: Sendable {
    private struct Sensor: Sendable {
        /// Its metrics that may tell of fire, in the order in which they came, and their series.
        var names: [String] = []
        var series: [SeriesID] = []
        /// nil until they are enough to be a fire sensor.
        var detector: FireDetector?
    }

    /// What a series is to the watch.
    private enum Use: UInt8 { case unknown, none, used, ambient }

    private let settings: FireWatchSettings
    private var sensors: [UInt32: Sensor] = [:]
    /// By metric: `used` for what makes a fire sensor (smoke, particles), `ambient` for what tells more of one (heat, gas).
    private var metricUses: [Use] = []
    /// By series. A large fleet of thermometers costs a byte each.
    private var uses: [Use] = []
    /// By sensor: it has a metric of smoke or particles.
    private var isWatched: [Bool] = []
    private var row: [Double] = []

    init(settings: FireWatchSettings) { self.settings = settings }

    /// Verdicts of the events of a batch, in their order.
    mutating func observe(
        _ batch: Batch, accepted: [Bool], fates: [EventFate], names: SeriesNames
    ) -> [(event: Int, verdict: Verdict)] {
        var verdicts: [(event: Int, verdict: Verdict)] = []
        guard settings.isEnabled else { return verdicts }
        grow(names)
        for event in 0..<batch.eventCount where fates[event] == .stored {
            var isUsed = false
            for reading in batch.readings(of: event) {
                let series = batch.series[reading]
                switch uses[Int(series.index)] {
                case .none: continue
                case .used: isUsed = true
                case .unknown, .ambient: isUsed = look(at: series, of: batch.sensors[event], names) || isUsed
                }
            }
            guard isUsed, let verdict = judge(event, of: batch, accepted) else { continue }
            verdicts.append((event, verdict))
        }
        return verdicts
    }

    private mutating func grow(_ names: SeriesNames) {
        while metricUses.count < names.metricNames.count {
            let role = FireMetrics([names.metricNames[metricUses.count]]).channels.first?.role
            let use: Use =
                switch role {
                case nil: .none
                case .smoke, .particleMass, .particleCount: .used
                default: .ambient
                }
            metricUses.append(use)
        }
        let newSeries = names.metricOfSeries.count - uses.count
        if newSeries > 0 { uses += repeatElement(.unknown, count: newSeries) }
        let newSensors = names.sensorNames.count - isWatched.count
        if newSensors > 0 { isWatched += repeatElement(false, count: newSensors) }
    }

    /// - Returns: whether the series is used now.
    private mutating func look(at series: SeriesID, of sensor: SensorID, _ names: SeriesNames) -> Bool {
        let use = metricUses[Int(names.metric(of: series))]
        uses[Int(series.index)] = use
        if use == .used { isWatched[Int(sensor.index)] = true }
        guard use == .used || (use == .ambient && isWatched[Int(sensor.index)]) else { return false }
        uses[Int(series.index)] = .used
        add(series, to: sensor, names)
        return true
    }

    private mutating func add(_ series: SeriesID, to sensor: SensorID, _ names: SeriesNames) {
        var known = sensors[sensor.index] ?? Sensor()
        guard !known.series.contains(series) else { return }
        known.series.append(series)
        known.names.append(names.metricName(of: series))
        // With another metric it begins anew: metrics appear in a sensor's first events.
        known.detector = FireDetector(metrics: known.names, model: settings.model)
        sensors[sensor.index] = known
    }

    private mutating func judge(_ event: Int, of batch: Batch, _ accepted: [Bool]) -> Verdict? {
        let sensor = batch.sensors[event]
        guard let known = sensors[sensor.index], known.detector != nil else { return nil }
        row.removeAll(keepingCapacity: true)
        for _ in known.series { row.append(.nan) }
        for reading in batch.readings(of: event) where accepted[reading] {
            if let place = known.series.firstIndex(of: batch.series[reading]) { row[place] = batch.values[reading] }
        }
        let time = batch.times[event]
        guard let found = sensors[sensor.index]?.detector?.observe(row, at: time), found.step != nil,
            let detector = sensors[sensor.index]?.detector,
            var verdict = detector.verdict(found, sensor: sensor, at: time)
        else { return nil }
        let metric = detector.explain()?.metric
        verdict.series = metric.flatMap { known.names.firstIndex(of: $0) }.map { known.series[$0] }
        return verdict
    }

    // MARK: Checkpoint

    /// - Parameter selection: whose; nil = all.
    func save(to writer: inout StateWriter, _ selection: SensorSelection? = nil) {
        let sensors = sensors.filter { selection?.sensors.contains($0.key) ?? true }
        writer.write(varint: UInt64(sensors.count))
        for (index, sensor) in sensors.sorted(by: { $0.key < $1.key }) {
            writer.write(index)
            writer.write(varint: UInt64(sensor.series.count))
            for series in sensor.series { writer.write(series.index) }
            var state = StateWriter()
            sensor.detector?.save(to: &state)
            writer.write(blob: state.bytes)
        }
    }

    mutating func forget(_ selection: SensorSelection) {
        for sensor in selection.sensors {
            guard let known = sensors.removeValue(forKey: sensor) else { continue }
            // They are looked at again when the sensor comes back.
            for series in known.series where Int(series.index) < uses.count { uses[Int(series.index)] = .unknown }
        }
        for sensor in selection.sensors where Int(sensor) < isWatched.count { isWatched[Int(sensor)] = false }
    }

    /// - Returns: false for nonsense.
    mutating func restore(from reader: inout StateReader, _ ids: SavedIDs, names: SeriesNames) -> Bool {
        guard let count = reader.readCount(of: 4) else { return false }
        grow(names)
        for _ in 0..<count {
            guard let sensor = reader.readSensor(ids), let length = reader.readCount(of: 4) else { return false }
            for _ in 0..<length {
                guard let series = reader.readSeries(ids) else { return false }
                uses[Int(series.index)] = .used
                isWatched[Int(sensor.index)] = true
                add(series, to: sensor, names)
            }
            guard let bytes = reader.readBlob() else { return false }
            guard !bytes.isEmpty else { continue }
            var state = StateReader(bytes)
            guard sensors[sensor.index]?.detector?.restore(from: &state) == true else { return false }
        }
        return true
    }
}
