internal import Synchronization
public import TocsinCore

/// The last reading of a series and its band.
public struct SeriesSnapshot: Sendable {
    public var time = Timestamp(nanoseconds: .min)
    public var value = Double.nan
    public var low = Double.nan
    public var high = Double.nan
    public var isLearning = true
    /// The sensor has gone away by its own or its broker's word, and has not sent since.
    public var isStale = false
}

/// The last readings of one shard's series, by local index. The shard holds the lock while it works on a batch
/// (milliseconds at most); readers wait for it, the shard hardly ever.
final class ShardBoard: Sendable {
    let rows = Mutex<[SeriesSnapshot]>([])
}

public enum SensorState: String, Sendable, CaseIterable {
    case normal, learning, anomalous, silent
    /// It has gone away as it said, or as its broker said: its values are old, which is no anomaly.
    case stale
}

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
    /// Sensors that have gone away or come back since somebody asked.
    private let turned = Mutex<Set<UInt32>>([])

    init(table: SeriesTable, boards: [ShardBoard], localSeries: [LocalSeries]) {
        self.table = table
        self.boards = boards
        self.localSeries = localSeries
    }

    /// Those that another process has are not counted; nor are their series.
    public var sensorCount: Int {
        let elsewhere = elsewhere
        return table.withIndex { $0.sensorCount } - elsewhere.count
    }
    public var seriesCount: Int {
        let elsewhere = elsewhere
        return table.withIndex { index in
            elsewhere.reduce(index.seriesCount) { $0 - index.series(of: SensorID($1)).count }
        }
    }

    private var elsewhere: Set<UInt32> {
        localSeries.reduce(into: []) { all, shard in all.formUnion(shard.mapping.withLock { $0.elsewhere }) }
    }

    /// Sensors that were expected to speak and have not.
    public var silentSensors: Int { alarmed.withLock { $0.values.count { $0.contains(.silence) } } }
    /// Sensors whose level has moved away and stays away.
    public var driftingSensors: Int { alarmed.withLock { $0.values.count { $0.contains(.drift) } } }
    public var openAlarms: Int { alarmed.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    /// - Parameters:
    ///   - search: part of the name, case ignored.
    /// - Returns: one page in the order of first sight, and how many match. Cost: one pass over all names when searching.
    public func sensors(search: String?, limit: Int, offset: Int) -> (items: [SensorSnapshot], total: Int) {
        let elsewhere = elsewhere
        let (chosen, total): ([UInt32], Int) = table.withIndex { index in
            let needle = search?.lowercased() ?? ""
            if needle.isEmpty, elsewhere.isEmpty {
                let count = UInt32(index.sensorCount)
                let start = min(UInt32(offset), count)
                return (Array(start..<min(count, start + UInt32(limit))), Int(count))
            }
            var matches: [UInt32] = []
            for sensor in 0..<UInt32(index.sensorCount) where !elsewhere.contains(sensor) {
                if needle.isEmpty || index.name(SensorID(sensor)).lowercased().contains(needle) {
                    matches.append(sensor)
                }
            }
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
            if !metrics.isEmpty, metrics.allSatisfy(\.last.isStale) {
                .stale
            } else if alarms.contains(.silence) {
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

    /// Their incidents are another process's.
    func forget(_ sensors: [SensorID]) {
        alarmed.withLock { all in
            for sensor in sensors { all[sensor.index] = nil }
        }
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

    func note(turned sensors: [SensorID]) {
        guard !sensors.isEmpty else { return }
        turned.withLock { $0.formUnion(sensors.lazy.map(\.index)) }
    }

    /// Sensors that have gone away by their own word, or come back, since the last call: at most `limit`, the others are
    /// for the next.
    public func takeTurned(limit: Int) -> [SensorID] {
        turned.withLock { waiting in
            guard !waiting.isEmpty else { return [] }
            let taken = waiting.sorted().prefix(limit)
            waiting.subtract(taken)
            return taken.map(SensorID.init)
        }
    }

    /// Sensors with an open alarm.
    public var alarmedSensors: [SensorID] { alarmed.withLock { $0.keys.sorted().map(SensorID.init) } }
}
