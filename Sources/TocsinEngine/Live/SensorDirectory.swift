internal import Synchronization
public import TocsinCore

/// The last reading of a series and its band.
public struct SeriesSnapshot: Sendable {
    public var time = Timestamp(nanoseconds: .min)
    public var value = Double.nan
    public var low = Double.nan
    public var high = Double.nan
    public var isLearning = true
}

/// The last readings of one shard's series, by local index. The shard holds the lock while it works on a batch
/// (milliseconds at most); readers wait for it, the shard hardly ever.
final class ShardBoard: Sendable {
    let rows = Mutex<[SeriesSnapshot]>([])
}

public enum SensorState: String, Sendable, CaseIterable { case normal, learning, anomalous, silent }

public struct SensorSnapshot: Sendable {
    public struct Metric: Sendable {
        public var name: String
        public var unit: String?
        public var last: SeriesSnapshot
    }

    public var id: SensorID
    public var name: String
    public var zone: String?
    public var state: SensorState
    public var lastSeen: Timestamp?
    public var metrics: [Metric]
    public var alarmsOpen: Int
}

/// What is known of every sensor right now, from memory: the list on the screen and behind `GET /sensors`.
public final class SensorDirectory: Sendable {
    private let table: SeriesTable
    private let boards: [ShardBoard]
    private let localSeries: [LocalSeries]
    /// Kinds of the open incidents by sensor.
    private let alarmed = Mutex<[UInt32: Set<AnomalyKind>]>([:])

    init(table: SeriesTable, boards: [ShardBoard], localSeries: [LocalSeries]) {
        self.table = table
        self.boards = boards
        self.localSeries = localSeries
    }

    public var sensorCount: Int { table.withIndex { $0.sensorCount } }
    public var seriesCount: Int { table.withIndex { $0.seriesCount } }
    public var openAlarms: Int { alarmed.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    /// - Parameters:
    ///   - search: part of the name, case ignored.
    /// - Returns: one page in the order of first sight, and how many match. Cost: one pass over all names when searching.
    public func sensors(search: String?, limit: Int, offset: Int) -> (items: [SensorSnapshot], total: Int) {
        let (chosen, total): ([UInt32], Int) = table.withIndex { index in
            guard let needle = search?.lowercased(), !needle.isEmpty else {
                let count = UInt32(index.sensorCount)
                let start = min(UInt32(offset), count)
                return (Array(start..<min(count, start + UInt32(limit))), Int(count))
            }
            var matches: [UInt32] = []
            for sensor in 0..<UInt32(index.sensorCount)
            where index.name(SensorID(sensor)).lowercased().contains(needle) { matches.append(sensor) }
            return (Array(matches.dropFirst(offset).prefix(limit)), matches.count)
        }
        return (snapshots(chosen.map(SensorID.init)), total)
    }

    /// The state of the given sensors, in their order. Each shard is asked once: it may be at work.
    public func snapshots(_ sensors: [SensorID]) -> [SensorSnapshot] {
        typealias Series = (id: SeriesID, metric: String, unit: String?)
        let described: [(name: String, zone: String?, series: [Series])] = table.withIndex { index in
            sensors.map { sensor in
                let series = index.series(of: sensor).map {
                    (id: $0, metric: index.name(index.metric(of: $0)), unit: index.unit(of: $0))
                }
                return (index.name(sensor), index.zone(of: sensor), series)
            }
        }
        var rows = described.map { Array(repeating: SeriesSnapshot(), count: $0.series.count) }
        for shard in boards.indices {
            let mine = sensors.indices.filter { Int(sensors[$0].index) % boards.count == shard }
            guard !mine.isEmpty else { continue }
            let locals = mine.map { localSeries[shard].indices(of: described[$0].series.map(\.id)) }
            let found: [[SeriesSnapshot]] = boards[shard].rows.withLock { board in
                locals.map {
                    $0.map { local in local.flatMap { $0 < board.count ? board[$0] : nil } ?? SeriesSnapshot() }
                }
            }
            for (position, snapshots) in zip(mine, found) { rows[position] = snapshots }
        }
        let alarms = alarmed.withLock { all in sensors.map { all[$0.index] ?? [] } }
        return sensors.indices.map { position in
            let (name, zone, series) = described[position]
            return Self.snapshot(
                sensors[position], name: name, zone: zone, alarms: alarms[position],
                metrics: zip(series, rows[position]).map {
                    SensorSnapshot.Metric(name: $0.metric, unit: $0.unit, last: $1)
                })
        }
    }

    private static func snapshot(
        _ sensor: SensorID, name: String, zone: String?, alarms: Set<AnomalyKind>, metrics: [SensorSnapshot.Metric]
    ) -> SensorSnapshot {
        let seen = metrics.map(\.last.time).max().flatMap { $0.nanoseconds == .min ? nil : $0 }
        let state: SensorState =
            if alarms.contains(.silence) {
                .silent
            } else if !alarms.isEmpty {
                .anomalous
            } else if metrics.allSatisfy(\.last.isLearning) {
                .learning
            } else {
                .normal
            }
        return SensorSnapshot(
            id: sensor, name: name, zone: zone, state: state, lastSeen: seen, metrics: metrics,
            alarmsOpen: alarms.count)
    }

    /// Books the beginning or the end of an incident; telling the same state again changes nothing.
    func note(_ change: AlarmChange) {
        guard let sensor = table.withIndex({ $0.sensor(named: change.alarm.sensor) }) else { return }
        alarmed.withLock { all in
            var kinds = all[sensor.index] ?? []
            if change.alarm.state == .open { kinds.insert(change.alarm.kind) } else { kinds.remove(change.alarm.kind) }
            all[sensor.index] = kinds.isEmpty ? nil : kinds
        }
    }

    /// Sensors with an open alarm.
    public var alarmedSensors: [SensorID] { alarmed.withLock { $0.keys.sorted().map(SensorID.init) } }
}
