import Foundation
import Testing
import TocsinCore
import TocsinEngine
import TocsinSpool
import TocsinTestKit

/// Engines that end without warning, and those that take up their work from spool and checkpoint.
@Suite struct RecoveryTests {
    private static let start = Timestamp(seconds: 1_760_000_000)

    /// One process.
    private struct Life {
        let table = SeriesTable(seed: .random(in: 0 ... .max))
        let store = MemoryStore()
        let clock = HandClock(RecoveryTests.start.advanced(by: .days(1)))
        let durability: EngineDurability
        let engine: Engine

        init(_ place: RecoveryPlace, shards: Int = 2) throws {
            durability = try place.durability()
            var settings = EngineSettings(shards: shards, isLive: false)
            settings.forests.learningRows = 200
            // Every rule that holds state: an alarm that waits, one that a person has called false, a budget.
            settings.rules = AlarmRules(rules: [
                AlarmRule(sensor: "sensor_3", fields: RuleFields(onDelay: .seconds(2), deadBand: 1)),
                AlarmRule(sensor: "sensor_2", fields: RuleFields(budgetPerDay: 1)),
            ])
            engine = Engine(settings: settings, table: table, store: store, clock: clock, durability: durability)
        }

        /// Batches `range` of the stream; every receipt is awaited.
        func feed(_ range: Range<Int>) async throws {
            for number in range { _ = try await engine.enqueue(batch(number)).wait() }
        }

        func batch(_ number: Int) -> Batch {
            var builder = BatchBuilder(table: table, received: clock.now())
            var random = SystemIndependentGenerator(seed: UInt64(number))
            for second in 0..<5 {
                for sensor in 0..<8 {
                    var time = RecoveryTests.start.advanced(by: .seconds(Int64(number * 5 + second)))
                    // Out of order, within the lateness.
                    if random.next(below: 20) == 0 { time = time.advanced(by: .milliseconds(-7300)) }
                    let noise = Double(random.next(below: 1000)) / 500
                    let isSpike = sensor == 3 && number % 40 == 39 && second == 2
                    let isSilent = sensor == 5 && (60..<100).contains(number)
                    if isSilent { continue }
                    var metrics: KeyValuePairs = ["temperature": isSpike ? 95 : 20 + noise, "humidity": 50 - noise]
                    // A smoke sensor, with something to report late in the stream.
                    if sensor == 6 {
                        let smoke = number > 90 ? Double(number - 90) * 20 : 1
                        metrics = ["PM2.5": smoke + noise, "TVOC": 100 + smoke + 10 * noise]
                    }
                    builder.add(
                        "sensor_\(sensor)", at: time, metrics,
                        key: sensor % 2 == 0 ? UInt64(number * 100 + second * 10 + sensor + 1) : 0)
                }
            }
            return builder.take()
        }

        func end() async throws {
            engine.finish()
        }
    }

    /// What can be compared: nothing depends on ids, clocks or the number of a batch.
    private struct Results: Equatable {
        var windows: Set<String> = []
        var anomalies: Set<String> = []
        var alarms: [String] = []
        var models: Set<String> = []

        mutating func add(_ life: Life) {
            for outcome in life.store.outcomes {
                for row in 0..<outcome.windows.count {
                    let name = life.table.withIndex { index in
                        let series = outcome.windows.series[row]
                        return index.name(index.sensor(of: series)) + index.name(index.metric(of: series))
                    }
                    let statistics = (0..<WindowStatistic.columns).map {
                        outcome.windows.statistics[row * WindowStatistic.columns + $0].bitPattern
                    }
                    windows.insert(
                        "\(name) \(outcome.windows.definition[row]) \(outcome.windows.start[row]) \(statistics) "
                            + "\(outcome.windows.scores[row])")
                }
                for anomaly in outcome.anomalies { anomalies.insert("\(anomaly)") }
            }
            for change in life.store.alarmChanges where !alarms.contains("\(change)") { alarms.append("\(change)") }
        }
    }

    private static let batches = 120

    private func whole(shards: Int = 2) async throws -> Results {
        let place = try RecoveryPlace()
        var results = Results()
        let life = try Life(place, shards: shards)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await life.engine.run() }
            try await life.feed(0..<Self.batches)
            _ = try await life.engine.endOfInput().wait()
            life.engine.finish()
            try await group.waitForAll()
        }
        results.add(life)
        await life.durability.spool.close()
        return results
    }

    /// Lives that end at the given batches, without notice, each with its own number of shards.
    private func interrupted(at ends: [(batch: Int, checkpoints: Bool, shards: Int)]) async throws -> Results {
        var place = try RecoveryPlace()
        var results = Results()
        var next = 0
        for end in ends + [(batch: Self.batches, checkpoints: true, shards: 2)] {
            let life = try Life(place, shards: end.shards)
            _ = try await life.engine.prepare()
            var successor: RecoveryPlace?
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await life.engine.run() }
                let middle = next + (end.batch - next) / 2
                try await life.feed(next..<middle)
                if end.checkpoints {
                    let before = life.engine.metrics.snapshot.checkpoints
                    life.engine.saveNow()
                    // More work while it is being written.
                    try await life.feed(middle..<min(middle + 2, end.batch))
                    while life.engine.metrics.snapshot.checkpoints == before {
                        try? await Task.sleep(for: .milliseconds(1))
                    }
                    try await life.feed(min(middle + 2, end.batch)..<end.batch)
                } else {
                    try await life.feed(middle..<end.batch)
                }
                if end.batch == Self.batches {
                    _ = try await life.engine.endOfInput().wait()
                } else {
                    successor = try place.copy()
                }
                life.engine.finish()
                try await group.waitForAll()
            }
            results.add(life)
            await life.durability.spool.close()
            next = end.batch
            if let successor { place = successor }
        }
        return results
    }

    @Test func aRunThatEndsWithoutNoticeAgainAndAgainGivesWhatAWholeRunGives() async throws {
        let whole = try await whole()
        #expect(whole.anomalies.count > 2)
        #expect(whole.windows.count > 500)
        let killed = try await interrupted(at: [
            (batch: 10, checkpoints: false, shards: 2), (batch: 45, checkpoints: true, shards: 2),
            (batch: 46, checkpoints: false, shards: 3), (batch: 80, checkpoints: true, shards: 1),
            (batch: 101, checkpoints: true, shards: 2),
        ])
        compare(whole, killed)
    }

    private func compare(_ whole: Results, _ killed: Results, sourceLocation: SourceLocation = #_sourceLocation) {
        for (name, left, right) in [
            ("windows", whole.windows, killed.windows), ("anomalies", whole.anomalies, killed.anomalies),
            ("alarms", Set(whole.alarms), Set(killed.alarms)),
        ] {
            let (missing, further) = (left.subtracting(right), right.subtracting(left))
            #expect(
                missing.count + further.count == 0,
                "\(name): \(missing.min() ?? "none") is missing, \(further.min() ?? "none") too many",
                sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [
        [(batch: 45, checkpoints: false, shards: 2)], [(batch: 45, checkpoints: true, shards: 2)],
        [(batch: 45, checkpoints: true, shards: 3)], [(batch: 100, checkpoints: true, shards: 2)],
    ])
    func oneEndWithoutNotice(ends: [(batch: Int, checkpoints: Bool, shards: Int)]) async throws {
        compare(try await whole(), try await interrupted(at: ends))
    }

    @Test func whatIsInTheSpoolIsWorkedThroughAndCounted() async throws {
        let place = try RecoveryPlace()
        let first = try Life(place)
        // Nobody works: what is acknowledged is in the spool alone.
        for number in 0..<5 {
            let receipt = try await first.engine.accept(first.batch(number))
            _ = receipt
        }
        try await first.durability.spool.flush()
        let left = try place.copy()
        await first.durability.spool.close()

        let second = try Life(left)
        _ = try await second.engine.prepare()
        // Before anything of it is read back: nobody must take what is missing in the store for all there was.
        let before = second.engine.metrics.snapshot
        #expect(before.spooled == 5 * 5 * 8 * 2)
        #expect(before.received == before.spooled && before.recovered == before.spooled)
        #expect(before.receivedBySource.values.reduce(0, +) == before.received)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await second.engine.run() }
            try await second.feed(5..<6)
            second.engine.finish()
            try await group.waitForAll()
        }
        let metrics = second.engine.metrics.snapshot
        #expect(metrics.recovered == 5 * 5 * 8 * 2)
        #expect(metrics.received == 6 * 5 * 8 * 2)
        #expect(metrics.receivedBySource.values.reduce(0, +) == metrics.received)
        #expect(metrics.events == 6 * 5 * 8)
        #expect(
            metrics.received == metrics.stored + metrics.late + metrics.duplicate + metrics.deadLettered
                + metrics.spooled)
        #expect(metrics.spooled == 0)
        await second.durability.spool.close()
    }

    /// Makes the newest checkpoint of a place useless: by a flipped bit, or whole but with nonsense in it.
    private func spoilNewest(_ place: RecoveryPlace, isNonsense: Bool, spool: UInt64) async throws {
        let folder = place.folder.appendingPathComponent("checkpoints")
        if isNonsense {
            let checkpoints = try CheckpointFolder.open(folder.path)
            let newest = try #require(await checkpoints.sequences().first)
            let writer = try await checkpoints.begin(sequence: newest + 1, spool: spool, createdAt: Self.start)
            for kind in 1...7 { try await writer.append(.init(SectionKind(UInt8(kind))), [1, 2, 3]) }
            _ = try await writer.finish()
            return
        }
        let newest = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".tck") }.max())
        let file = folder.appendingPathComponent(newest)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: file)
    }

    @Test(arguments: [false, true])
    func aDamagedCheckpointIsNamedAndTheOneBeforeTakenUp(isNonsense: Bool) async throws {
        let place = try RecoveryPlace()
        let first = try Life(place)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await first.engine.run() }
            for end in [20, 40] {
                try await first.feed(end - 20..<end)
                let before = first.engine.metrics.snapshot.checkpoints
                first.engine.saveNow()
                while first.engine.metrics.snapshot.checkpoints == before {
                    try? await Task.sleep(for: .milliseconds(1))
                }
            }
            try await first.feed(40..<41)
            let left = try place.copy()
            try await spoilNewest(left, isNonsense: isNonsense, spool: first.durability.spool.id)

            let second = try Life(left)
            _ = try await second.engine.prepare()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await second.engine.run() }
                try await second.feed(41..<42)
                second.engine.finish()
                try await group.waitForAll()
            }
            // From the older checkpoint on: 20 batches of the spool and a half-known one, or that one alone.
            #expect(second.engine.metrics.snapshot.recovered == (isNonsense ? 1 : 21) * 5 * 8 * 2)
            await second.durability.spool.close()
            first.engine.finish()
            try await group.waitForAll()
        }
        await first.durability.spool.close()
    }
}

/// SplitMix64: the same numbers on every run.
private struct SystemIndependentGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next(below bound: UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ (mixed >> 31)) % bound
    }
}
