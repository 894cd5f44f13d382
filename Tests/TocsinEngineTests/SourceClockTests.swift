import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinEngine
import TocsinSpool
import TocsinTestKit

/// Every source has a clock of its own: what one does is nothing to the sensors of another.
@Suite struct SourceClockTests {
    private static let start = Timestamp(seconds: 1_760_000_000)

    /// One process.
    private struct Life {
        let table = SeriesTable(seed: .random(in: 0 ... .max))
        let store = MemoryStore()
        let clock: HandClock
        let durability: EngineDurability?
        let engine: Engine
        let work: Task<Void, any Error>
        private let notes: NoteList

        final class NoteList: Sendable {
            let texts = Mutex<[String]>([])
        }

        init(_ place: RecoveryPlace? = nil, at now: Timestamp, isLive: Bool = false, shards: Int = 2) async throws {
            clock = HandClock(now)
            durability = try place?.durability()
            var settings = EngineSettings(shards: shards, isLive: isLive)
            settings.forests.onEvents = false
            settings.forests.onWindows = false
            settings.alarms.flood = nil
            let notes = NoteList()
            self.notes = notes
            let engine = Engine(
                settings: settings, table: table, store: store, clock: clock, durability: durability,
                onNote: { note in notes.texts.withLock { $0.append(note.text) } })
            self.engine = engine
            try await engine.prepare()
            work = Task { try await engine.run() }
        }

        var said: [String] { notes.texts.withLock { $0 } }

        /// A reading of each sensor; the value depends on sensor and time alone.
        func send(_ source: UInt16, _ sensors: [String], at time: Timestamp) async throws {
            var builder = BatchBuilder(table: table, source: "source \(source)", received: max(clock.now(), time))
            for sensor in sensors {
                let second = Int64(time.seconds)
                builder.add(
                    sensor, at: time, ["temperature": 20 + Double((second * 7 + Int64(sensor.utf8.count)) % 13)])
            }
            var batch = builder.take()
            batch.origin.source = SourceID(source)
            _ = try await engine.enqueue(batch)
        }

        func end() async throws {
            engine.finish()
            try await work.value
            await durability?.spool.close()
        }

        func save() async {
            let before = engine.metrics.snapshot.checkpoints
            engine.saveNow()
            while engine.metrics.snapshot.checkpoints == before { try? await Task.sleep(for: .milliseconds(1)) }
        }

        /// Where a sensor's silence begins and when it was noticed.
        func silences(of sensor: String) -> [String] {
            store.anomalies.filter { $0.sensor == sensor && $0.kind == .silence }.map { "\($0.start) \($0.time)" }
        }
    }

    private func time(_ second: Int64, hours: Int64 = 0) -> Timestamp {
        Self.start.advanced(by: .seconds(second + 3600 * hours))
    }

    @Test(arguments: [1, 5, -5] as [Int64])
    func silenceIsNoticedByTheSourcesOwnClock(hours: Int64) async throws {
        let alone = try await Life(at: time(0, hours: 24))
        let both = try await Life(at: time(0, hours: 24))
        for second in 0..<300 as Range<Int64> {
            let sensors = second < 120 ? ["goes", "stays"] : ["stays"]
            for life in [alone, both] { try await life.send(1, sensors, at: time(second)) }
            try await both.send(2, ["other"], at: time(second * 10, hours: hours))
            // At an end of its own.
            if second == 200 { try await both.send(1002, ["third"], at: time(second, hours: -20)) }
        }
        try await alone.end()
        try await both.end()
        #expect(alone.silences(of: "goes").count == 1)
        #expect(both.silences(of: "goes") == alone.silences(of: "goes"))
        #expect(both.store.anomalies.filter { $0.kind == .silence }.count == 1)
        #expect(both.engine.metrics.snapshot.late == 0)
        let own = { (change: AlarmChange) in change.alarm.sensor == "goes" }
        #expect(
            both.store.alarmChanges.filter(own).map { "\($0)" } == alone.store.alarmChanges.filter(own).map { "\($0)" })
    }

    /// The clock of an alarm is that of its sensor's source: one that hurries ahead clears nothing of another.
    @Test func alarmsGoByTheirSourcesClock() async throws {
        let life = try await Life(at: time(0, hours: 24))
        for second in 0..<200 as Range<Int64> {
            try await life.send(1, ["goes", "stays"], at: time(second))
        }
        var builder = BatchBuilder(table: life.table, received: life.clock.now())
        builder.add("stays", at: time(200), ["temperature": 95])
        var spike = builder.take()
        spike.origin.source = SourceID(1)
        _ = try await life.engine.enqueue(spike)
        for second in 0..<100 as Range<Int64> { try await life.send(2, ["other"], at: time(second * 100, hours: 2)) }
        try await life.send(1, ["goes", "stays"], at: time(201))
        _ = try await life.engine.transfer(of: SourceID(2), isGivenUp: false)
        #expect(life.engine.directory.openAlarms == 1)
        for second in 202..<800 as Range<Int64> { try await life.send(1, ["goes", "stays"], at: time(second)) }
        try await life.end()
        #expect(life.store.alarmChanges.map(\.step) == [.raised, .cleared])
        #expect(life.store.alarmChanges.last?.alarm.cleared.map { $0 < time(800) } == true)
    }

    /// A source of which nothing comes goes on by the wall clock, though others are busy; also after a restart in which
    /// nothing has come of it.
    @Test(arguments: [false, true], [false, true])
    func anIdleSourceGoesOnAlone(restarts: Bool, hasCheckpoint: Bool) async throws {
        let place = try RecoveryPlace()
        var copy: RecoveryPlace?
        var life = try await Life(place, at: time(0), isLive: true)
        for second in 0..<100 as Range<Int64> {
            life.clock.set(time(second))
            try await life.send(1, ["quiet"], at: time(second))
            try await life.send(2, ["busy"], at: time(second))
        }
        if restarts {
            if hasCheckpoint { await life.save() }
            try await life.durability?.spool.flush()
            // The spool lets go of files meanwhile.
            while copy == nil { copy = try? place.copy() }
            try await life.end()
            #expect(life.store.anomalies.isEmpty)
            life = try await Life(copy, at: time(100), isLive: true)
        }
        for second in 100..<160 as Range<Int64> {
            life.clock.set(time(second))
            try await life.send(2, ["busy"], at: time(second))
        }
        // A tick comes once a second.
        let limit = ContinuousClock.now + .seconds(120)
        while life.store.anomalies.isEmpty, ContinuousClock.now < limit {
            try await life.send(2, ["busy"], at: time(159))
            try await Task.sleep(for: .milliseconds(20))
        }
        try await life.end()
        #expect(Set(life.store.anomalies.map { "\($0.sensor) \($0.kind)" }) == ["quiet silence"])
        #expect(life.store.anomalies.first?.start == time(99))
        #expect(life.engine.metrics.snapshot.late == 0)
        withExtendedLifetime((place, copy)) {}
    }

    /// What is an hour behind waits for its turn somewhere: it is not silent because another has the turn.
    @Test func aSourceThatIsCatchingUpDoesNotGoOnAlone() async throws {
        let life = try await Life(at: time(0), isLive: true)
        for second in 0..<160 as Range<Int64> {
            life.clock.set(time(second))
            if second < 100 {
                try await life.send(1, ["behind"], at: time(second, hours: -1))
                try await life.send(2, ["quiet"], at: time(second))
            }
            try await life.send(3, ["busy"], at: time(second))
        }
        let limit = ContinuousClock.now + .seconds(120)
        while life.store.anomalies.isEmpty, ContinuousClock.now < limit {
            try await life.send(3, ["busy"], at: time(159))
            try await Task.sleep(for: .milliseconds(20))
        }
        for second in 100..<200 as Range<Int64> { try await life.send(1, ["behind"], at: time(second, hours: -1)) }
        try await life.end()
        #expect(Set(life.store.anomalies.map { "\($0.sensor) \($0.kind)" }) == ["quiet silence"])
        #expect(life.engine.metrics.snapshot.late == 0)
    }

    /// The same sensor through two sources that are hours apart by their clocks: nothing is late, and nothing silent, because
    /// of that; when it stops, its silence is noticed.
    @Test(arguments: [1, 3, 50] as [Int64])
    func aSensorMayChangeItsSource(turns: Int64) async throws {
        let life = try await Life(at: time(0, hours: 24))
        for second in 0..<400 as Range<Int64> {
            try await life.send(1, ["first"], at: time(second))
            try await life.send(2, ["second"], at: time(second, hours: 6))
            if second < 200 { try await life.send(second / turns % 2 == 0 ? 1 : 2, ["moves"], at: time(second)) }
        }
        try await life.end()
        #expect(life.engine.metrics.snapshot.late == 0)
        #expect(Set(life.store.anomalies.map { "\($0.sensor) \($0.kind)" }) == ["moves silence"])
        let noticed = try #require(life.store.anomalies.first)
        #expect(noticed.start == time(199) && noticed.value > 29 && noticed.value < 120)
    }

    @Test func aCheckpointOfAnEarlierVersionIsNamed() async throws {
        let place = try RecoveryPlace()
        let life = try await Life(place, at: time(0, hours: 24))
        for second in 0..<50 as Range<Int64> { try await life.send(1, ["one"], at: time(second)) }
        _ = try await life.engine.transfer(of: SourceID(9), isGivenUp: false)
        try await life.durability?.spool.flush()
        var settings = CheckpointSettings()
        settings.version = 2
        let former = try CheckpointFolder.open(
            place.folder.appendingPathComponent("checkpoints").path, settings: settings)
        let writer = try await former.begin(
            sequence: 40, spool: try #require(life.durability).spool.id, createdAt: time(0))
        try await writer.append(.init(SectionKind(1)), [0, 0, 0, 0, 0, 0, 0, 0])
        _ = try await writer.finish()
        let copy = try place.copy()
        try await life.end()

        let next = try await Life(copy, at: time(0, hours: 24))
        #expect(next.said.contains { $0.contains("content version 2") })
        try await next.end()
        // Nothing is lost: the spool has it all.
        #expect(next.engine.metrics.snapshot.recovered == 50)
        withExtendedLifetime((place, copy)) {}
    }

    /// Many sources, of which each has few sensors: no step of one looks at the others.
    @Test func thousandsOfSourcesCostWhatFewCost() async throws {
        func run(sources: Int) async throws -> Duration {
            let life = try await Life(at: time(0, hours: 24), shards: 1)
            var took = Duration.seconds(1000)
            for second in 0..<24 as Range<Int64> {
                let began = ContinuousClock.now
                for batch in 0..<2000 {
                    let source = batch % sources
                    let names = (0..<4).map { "\(batch) \($0)" }
                    try await life.send(UInt16(1001 + source), names, at: time(second * 10, hours: Int64(source % 7)))
                }
                // The best of many: what else the machine does is not asked. The first ones make room.
                if second >= 4 { took = min(took, ContinuousClock.now - began) }
            }
            try await life.end()
            #expect(life.engine.metrics.snapshot.stored == 24 * 8000)
            return took
        }
        let few = try await run(sources: 8)
        let many = try await run(sources: 2000)
        print("8,000 sensors of 8 sources: \(few), of 2,000 sources: \(many)")
        #expect(many < few * 4)
    }
}
