import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// What a person says of an alarm, on its way through the engine.
@Suite struct FeedbackTests {
    private static let start = Timestamp(seconds: 1_760_000_000)

    private struct Run {
        let table = SeriesTable()
        let store = MemoryStore()
        // Later than all input: nothing comes from the future.
        let clock = HandClock(FeedbackTests.start.advanced(by: .days(1)))
        let engine: Engine

        init() {
            var settings = EngineSettings(shards: 2, isLive: false)
            settings.forests.onEvents = false
            settings.forests.onWindows = false
            settings.ensemble.isEnabled = false
            engine = Engine(settings: settings, table: table, store: store, clock: clock)
        }

        /// A minute of readings, with a jump at the given seconds.
        func feed(minute: Int, jumps: Set<Int> = []) async throws {
            var builder = BatchBuilder(table: table, received: clock.now())
            var random = Noise(seed: UInt64(minute))
            for second in 0..<60 {
                let noise = random.next()
                builder.add(
                    "pump", at: FeedbackTests.start.advanced(by: .seconds(Int64(minute * 60 + second))),
                    ["temperature": jumps.contains(second) ? 40 : 20 + noise])
            }
            _ = try await engine.enqueue(builder.take()).wait()
        }
    }

    @Test func aFalseAlarmIsClosedAndTheSameAgainRaisesNothing() async throws {
        let run = Run()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await run.engine.run() }
            // Also when a requirement fails: nobody waits for ever.
            defer { run.engine.finish() }
            for minute in 0..<10 { try await run.feed(minute: minute) }
            try await run.feed(minute: 10, jumps: [30])
            let alarm = try #require(run.store.alarmChanges.last { $0.step == .raised }?.alarm)
            #expect(alarm.kind == .spike)
            _ = try await run.engine.take(Feedback(.falseAlarm, on: alarm, given: alarm.lastSeen)).wait()
            #expect(run.store.alarmChanges.last?.step == .cleared)
            #expect(run.store.outcomes.last?.feedback.map(\.word) == [.falseAlarm])
            // When it was said is its place in the stream.
            #expect(run.store.outcomes.last?.feedback.first?.given == Self.start.advanced(by: .seconds(659)))

            let before = run.store.alarmChanges.count
            for minute in 11..<40 { try await run.feed(minute: minute) }
            try await run.feed(minute: 40, jumps: [10])
            #expect(run.store.alarmChanges.count == before, "\(run.store.alarmChanges.last.map { "\($0)" } ?? "")")
            let held = try #require(run.store.anomalies.last)
            #expect(held.kind == .spike && held.note?.hasPrefix("no alarm") == true)
            run.engine.finish()
            try await group.waitForAll()
        }
    }

    @Test func maintenanceKeepsFindingsAndRaisesNothing() async throws {
        let run = Run()
        var settings = EngineSettings(shards: 1, isLive: false)
        settings.forests.onEvents = false
        settings.forests.onWindows = false
        settings.calendar = AlarmCalendar(entries: [
            CalendarEntry(
                sensors: "pump*",
                when: .between(Self.start.advanced(by: .minutes(10)), Self.start.advanced(by: .minutes(12))),
                reason: "oil change")
        ])
        let store = MemoryStore()
        let engine = Engine(settings: settings, table: run.table, store: store, clock: run.clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            defer { engine.finish() }
            for minute in 0..<12 {
                var builder = BatchBuilder(table: run.table, received: run.clock.now())
                var random = Noise(seed: UInt64(minute))
                for second in 0..<60 {
                    let noise = random.next()
                    builder.add(
                        "pump", at: Self.start.advanced(by: .seconds(Int64(minute * 60 + second))),
                        ["temperature": minute == 10 && second == 30 ? 40 : 20 + noise])
                }
                _ = try await engine.enqueue(builder.take()).wait()
            }
            engine.finish()
            try await group.waitForAll()
        }
        #expect(store.alarmChanges.isEmpty)
        #expect(store.anomalies.map(\.kind) == [.spike])
        #expect(store.anomalies.first?.note == "no alarm: oil change")
    }
}

/// The same numbers on every machine, 0 to 2.
private struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 1 }

    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 33) / Double(1 << 30)
    }
}
