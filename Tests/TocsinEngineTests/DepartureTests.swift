import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// Sensors that say goodbye are stale; those that say nothing are silent.
@Suite struct DepartureTests {
    private static let start = Timestamp(seconds: 1_760_000_000)

    /// One process of an installation.
    private struct Life {
        let table = SeriesTable(seed: .random(in: 0 ... .max))
        let store = MemoryStore()
        let clock = HandClock(DepartureTests.start.advanced(by: .days(1)))
        let engine: Engine
        let work: Task<Void, any Error>
        /// Its folder goes with it.
        let place: RecoveryPlace

        init(_ place: RecoveryPlace, shards: Int = 2) async throws {
            self.place = place
            let engine = Engine(
                settings: EngineSettings(shards: shards, isLive: false), table: table, store: store, clock: clock,
                durability: try place.durability())
            self.engine = engine
            try await engine.prepare()
            work = Task { try await engine.run() }
        }

        /// A reading a second of each sensor and metric.
        func send(_ sensors: [String], _ seconds: Range<Int64>) async throws {
            var builder = BatchBuilder(table: table, received: clock.now())
            for second in seconds {
                for sensor in sensors {
                    let time = DepartureTests.start.advanced(by: .seconds(second))
                    builder.add(
                        sensor, at: time, ["flow": Double(second % 7), "temperature": 20 + Double(second % 5) / 10])
                }
            }
            _ = try await engine.enqueue(builder.take()).wait()
            try await until("everything is stored") { engine.metrics.snapshot.spooled == 0 }
        }

        /// Goodbye, at a time that must move nothing.
        func leave(_ sensor: String, isKnown: Bool = true) async throws {
            var builder = BatchBuilder(table: table, received: clock.now())
            builder.add(sensor, at: clock.now(), [:])
            let summary = try await engine.enqueue(builder.take()).wait()
            #expect(summary == DeliverySummary())
            guard isKnown else { return }
            try await until("\(sensor) is stale") { state(sensor) == .stale }
        }

        /// A receipt says that something is durable; it is worked through a little later.
        fileprivate func until(_ what: String, _ condition: () -> Bool) async throws {
            for _ in 0..<30_000 {
                if condition() { return }
                try await Task.sleep(for: .milliseconds(2))
            }
            Issue.record("not within a minute: \(what)")
        }

        func state(_ sensor: String) -> SensorState? {
            engine.directory.sensors(search: sensor, limit: 1, offset: 0).items.first?.state
        }

        var silent: [String] {
            store.alarmChanges.filter { $0.alarm.kind == .silence && $0.step == .raised }.map(\.alarm.sensor)
        }

        func end() async throws {
            engine.finish()
            try await work.value
        }
    }

    @Test(arguments: [1, 3])
    func `who goes and who comes back is told once`(shards: Int) async throws {
        let life = try await Life(try RecoveryPlace(), shards: shards)
        let sensors = (0..<6).map { "s\($0)" }
        try await life.send(sensors, 0..<3)
        let names = { (ids: [SensorID]) in life.table.withIndex { index in ids.map { index.name($0) } } }
        #expect(life.engine.directory.takeTurned(limit: .max).isEmpty)
        for sensor in ["s5", "s1", "s4"] { try await life.leave(sensor) }
        try await life.send(["s0"], 3..<4)
        #expect(names(life.engine.directory.takeTurned(limit: 2)) == ["s1", "s4"])
        #expect(names(life.engine.directory.takeTurned(limit: 2)) == ["s5"])
        try await life.send(["s4"], 3..<5)
        #expect(names(life.engine.directory.takeTurned(limit: 2)) == ["s4"])
        #expect(life.engine.directory.takeTurned(limit: .max).isEmpty)
        try await life.end()
    }

    @Test(arguments: [1, 3])
    func `who says goodbye is stale until it sends again, and never silent`(shards: Int) async throws {
        let place = try RecoveryPlace()
        let first = try await Life(place, shards: shards)
        try await first.send(["leaves", "mute", "goes"], 0..<120)
        try await first.leave("leaves")
        #expect(first.state("leaves") == .stale)
        #expect(first.state("mute") != .stale)
        try await first.send(["goes"], 120..<600)
        #expect(first.silent == ["mute"])
        #expect(first.state("leaves") == .stale)
        // A silence that was noticed before is explained by a goodbye.
        #expect(first.state("mute") == .silent)
        try await first.leave("mute")
        #expect(first.state("mute") == .stale)
        try await first.until("its silence is over") {
            first.store.alarmChanges.last { $0.alarm.kind == .silence }?.step == .cleared
        }
        let cleared = first.store.alarmChanges.last { $0.alarm.kind == .silence }
        #expect(cleared?.step == .cleared)
        #expect(cleared?.alarm.cleared == Self.start.advanced(by: .seconds(599)))
        try await first.send(["goes"], 600..<900)
        #expect(first.silent == ["mute"])
        #expect(first.state("leaves") == .stale)
        // It is there again, and its timer runs again.
        try await first.send(["leaves", "goes"], 900..<930)
        #expect(first.state("leaves") != .stale)
        try await first.send(["goes"], 930..<1500)
        #expect(first.silent == ["mute", "leaves"])
        let metrics = first.engine.metrics.snapshot
        #expect(metrics.received == metrics.stored + metrics.spooled)
        try await first.end()
    }

    @Test func `a goodbye in the spool is heard again after a crash`() async throws {
        let place = try RecoveryPlace()
        let first = try await Life(place)
        try await first.send(["leaves", "goes"], 0..<120)
        try await first.leave("leaves")
        let copy = try place.copy()
        try await first.end()
        let second = try await Life(copy)
        try await second.send(["goes"], 120..<600)
        #expect(second.state("leaves") == .stale)
        #expect(second.silent == [])
        try await second.end()
    }

    @Test func `a goodbye of a sensor that nobody knows changes nothing`() async throws {
        let life = try await Life(try RecoveryPlace())
        try await life.leave("nobody", isKnown: false)
        try await life.send(["somebody"], 0..<10)
        #expect(life.state("nobody") == .learning)
        try await life.end()
    }
}
