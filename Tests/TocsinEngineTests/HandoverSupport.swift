import Foundation
import Synchronization
import TocsinCore
import TocsinDetect
import TocsinEngine
import TocsinSpool
import TocsinTestKit

/// A stream of four sources of five sensors each, second by second, with something to report in each.
struct HandoverStream {
    static let start = Timestamp(seconds: 1_760_000_000)
    static let seconds = 240
    static let sources = 4
    static let sensors = 5

    /// Events far too late: their order beside the others is no one's where events wait for their turn.
    var hasLate = true
    /// By so many seconds the times of one source are ahead of those of the one before.
    var offset: Int64 = 0

    func batch(_ source: Int, second: Int, number: UInt16, table: SeriesTable) -> Batch {
        var builder = BatchBuilder(
            table: table, source: "part \(source)", received: Self.start.advanced(by: .days(1)))
        var random = Mixer(seed: UInt64(second * Self.sources + source))
        func add(_ sensor: Int, _ second: Int, _ metrics: KeyValuePairs<String, Double>) {
            builder.add(
                "sensor \(source).\(sensor)",
                at: Self.start.advanced(by: .seconds(Int64(second) + offset * Int64(source))), metrics,
                key: sensor == 1 ? UInt64((second + 1000) * 100 + source) : 0)
        }
        let noise = { Double($0.next(below: 1000)) / 500 } as (inout Mixer) -> Double
        add(0, second, ["temperature": 20 + noise(&random), "humidity": 50 - noise(&random)])
        // Spikes, disorder, repeats.
        let isSpike = (second + 7 * source) % 60 == 47
        let delay = random.next(below: 6) == 0 ? Int(random.next(below: 3)) : 0
        add(
            1, second - delay,
            ["temperature": isSpike ? 95 : 20 + noise(&random), "humidity": 40 + noise(&random)])
        // Silent for a while.
        if !(110 + 10 * source..<160 + 10 * source).contains(second) {
            add(2, second, ["temperature": 15 + noise(&random), "humidity": 50 + noise(&random)])
        }
        let smoke = second > 180 ? Double(second - 180) * 20 : 1
        let dust = noise(&random)
        add(3, second, ["PM2.5": smoke + dust, "TVOC": 100 + smoke + 10 * dust])
        // Stuck, then at another level.
        let isStuck = (100..<150).contains(second)
        add(4, second, ["temperature": isStuck ? 21 : (second > 190 ? 60 : 20) + noise(&random)])
        if hasLate, random.next(below: 20) == 0 { add(4, second - 60, ["temperature": 20 + noise(&random)]) }
        var batch = builder.take()
        batch.origin.source = SourceID(number)
        batch.origin.resume = ReadPosition(
            path: "part \(source)", device: 0, number: 0, next: Int64(second) + 1)
        return batch
    }

    static func settings(shards: Int, order: EventOrdering) -> EngineSettings {
        var settings = EngineSettings(
            shards: shards,
            windows: [
                WindowDefinition(size: .seconds(20), slide: .seconds(10)),
                WindowDefinition(size: .seconds(60), slide: .seconds(60)),
            ], allowedLateness: .seconds(10), order: order, isLive: false)
        settings.bank.minimumSilence = .seconds(5)
        settings.bank.continuationInterval = .seconds(20)
        settings.forests.onEvents = false
        settings.forests.onWindows = false
        settings.alarms.flood = nil
        settings.alarms.clearAfter = .seconds(20)
        settings.alarms.cooldown = .seconds(30)
        settings.alarms.newNormalAfter = .seconds(15)
        settings.rules = AlarmRules(rules: [
            AlarmRule(sensor: "sensor *.1", fields: RuleFields(deadBand: 1)),
            AlarmRule(sensor: "sensor *.4", fields: RuleFields(onDelay: .seconds(2))),
        ])
        return settings
    }
}

/// SplitMix64: the same numbers on every run.
struct Mixer: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
}

/// What was stored and told; nothing depends on ids, clocks or the cut into batches.
struct HandoverResults {
    private(set) var windows: [String] = []
    private(set) var anomalies: [String] = []
    private(set) var alarms: [String] = []
    private(set) var fates: [String] = []

    mutating func add(_ store: MemoryStore, _ table: SeriesTable) {
        for outcome in store.outcomes {
            for row in 0..<outcome.windows.count {
                let name = table.withIndex { index in
                    let series = outcome.windows.series[row]
                    return "\(index.name(index.sensor(of: series))) \(index.name(index.metric(of: series)))"
                }
                let columns = row * WindowStatistic.columns..<(row + 1) * WindowStatistic.columns
                let bits = outcome.windows.statistics[columns].map(\.bitPattern)
                windows.append("\(name) \(outcome.windows.definition[row]) \(outcome.windows.start[row]) \(bits)")
            }
            for event in 0..<outcome.batch.eventCount {
                let sensor = table.withIndex { $0.name(outcome.batch.sensors[event]) }
                fates.append("\(sensor) \(outcome.batch.times[event]) \(outcome.fates[event])")
            }
            for anomaly in outcome.anomalies { anomalies.append("\(anomaly)") }
            for change in outcome.alarmChanges { alarms.append("\(change)") }
        }
    }

    /// What one has and the other has not, with how often where `counts`.
    func differences(from other: HandoverResults, counts: Bool) -> [String] {
        var texts: [String] = []
        for (name, mine, theirs) in [
            ("window", windows, other.windows), ("anomaly", anomalies, other.anomalies),
            ("alarm", alarms, other.alarms), ("event", fates, other.fates),
        ] {
            let left = Self.counted(mine, counts)
            let right = Self.counted(theirs, counts)
            for (row, count) in left where right[row] != count {
                texts.append("\(name) \(count) times, not \(right[row] ?? 0): \(row)")
            }
            for (row, count) in right where left[row] == nil {
                texts.append("\(name) missing, \(count) times: \(row)")
            }
        }
        return texts.sorted()
    }

    private static func counted(_ rows: [String], _ counts: Bool) -> [String: Int] {
        rows.reduce(into: [:]) { $0[$1] = counts ? ($0[$1] ?? 0) + 1 : 1 }
    }
}

/// Keeps what it is told.
final class HandoverListener: AlarmListener {
    private let state = Mutex<[AlarmChange]>([])
    var changes: [AlarmChange] { state.withLock { $0 } }
    func tell(_ changes: [AlarmChange], from first: AlarmMark) { state.withLock { $0 += changes } }
    var toldThrough: AlarmMark { .none }
    func keep() async -> Bool { true }
}

/// One process.
final class HandoverLife: Sendable {
    let table = SeriesTable(seed: .random(in: 0 ... .max))
    let store: MemoryStore
    let clock = HandClock(HandoverStream.start.advanced(by: .days(1)))
    let durability: EngineDurability?
    let engine: Engine
    let positions: [String: ReadPosition]
    private let work: Task<Void, any Error>

    init(
        _ place: RecoveryPlace?, shards: Int, order: EventOrdering, store: MemoryStore = MemoryStore(),
        listeners: [any AlarmListener] = [], adjust: (inout EngineSettings) -> Void = { _ in }
    ) async throws {
        self.store = store
        durability = try place?.durability()
        var settings = HandoverStream.settings(shards: shards, order: order)
        adjust(&settings)
        let engine = Engine(
            settings: settings, table: table, store: store, clock: clock, durability: durability,
            listeners: listeners)
        self.engine = engine
        positions = try await engine.prepare()
        work = Task { try await engine.run() }
    }

    func end(isWhole: Bool) async throws {
        if isWhole { _ = try await engine.endOfInput().wait() }
        engine.finish()
        try await work.value
        await durability?.spool.close()
    }

    func save() async {
        let before = engine.metrics.snapshot.checkpoints
        engine.saveNow()
        while engine.metrics.snapshot.checkpoints == before { try? await Task.sleep(for: .milliseconds(1)) }
    }
}
