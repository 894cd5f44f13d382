import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// The whole engine between a hand-made stream and a store in memory.
@Suite struct EngineTests {
    private static let start = Timestamp(seconds: 1_760_000_000)

    private struct Rig {
        let table = SeriesTable(seed: 1)
        let store: MemoryStore
        let clock = HandClock(EngineTests.start.advanced(by: .days(1)))
        let engine: Engine

        init(
            shards: Int = 2, store: MemoryStore = MemoryStore(),
            settings change: (inout EngineSettings) -> Void = { _ in }
        ) {
            self.store = store
            var settings = EngineSettings(shards: shards, isLive: false)
            change(&settings)
            engine = Engine(settings: settings, table: table, store: store, clock: clock)
        }

        /// Runs the batches through and waits for the end.
        func run(_ batches: [Batch]) async throws -> [DeliverySummary] {
            let engine = engine
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await engine.run() }
                var receipts: [any DeliveryReceipt] = []
                for batch in batches { receipts.append(try await engine.enqueue(batch)) }
                receipts.append(try await engine.endOfInput())
                engine.finish()
                var summaries: [DeliverySummary] = []
                for receipt in receipts { summaries.append(try await receipt.wait()) }
                try await group.waitForAll()
                return summaries
            }
        }

        /// `seconds` readings of `sensors` thermometers with a little reproducible noise; `values` may replace one.
        func stream(
            sensors: Int, seconds: Int, batchEvents: Int = 100,
            value: (_ sensor: Int, _ second: Int, _ normal: Double) -> Double? = { $2 }
        ) -> [Batch] {
            var builder = BatchBuilder(table: table, received: clock.now())
            var batches: [Batch] = []
            var state: UInt64 = 42
            for second in 0..<seconds {
                for sensor in 0..<sensors {
                    var sum = 0.0
                    for _ in 0..<12 {
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        sum += Double(state >> 11) / Double(1 << 53)
                    }
                    let time = EngineTests.start.advanced(by: .seconds(Int64(second)))
                    guard let value = value(sensor, second, 20 + (sum - 6)) else { continue }
                    builder.add("sensor_\(sensor)", at: time, ["temperature": value])
                    if builder.count >= batchEvents { batches.append(builder.take()) }
                }
            }
            batches.append(builder.take())
            return batches
        }
    }

    private func checkIdentity(_ metrics: EngineMetrics.Snapshot, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            metrics.received == metrics.stored + metrics.late + metrics.duplicate + metrics.deadLettered
                + metrics.spooled,
            sourceLocation: sourceLocation)
    }

    @Test func everyReadingIsAccountedFor() async throws {
        let rig = Rig()
        var builder = BatchBuilder(table: rig.table, received: rig.clock.now())
        builder.add("a", at: Self.start, ["temperature": 20, "humidity": 50])
        builder.add("a", at: Self.start, ["temperature": 20, "humidity": 50])
        builder.add("b", at: Self.start, ["temperature": 500, "humidity": 50])
        builder.add("c", at: Self.start.advanced(by: .days(30)), ["temperature": 20])
        builder.addReject(.malformed, "{broken")
        let summaries = try await rig.run([builder.take()])

        #expect(
            [summaries[0].stored, summaries[0].late, summaries[0].duplicate, summaries[0].deadLettered] == [3, 0, 2, 3])
        #expect(summaries[0].refusals.count == 3)
        let outcome = try #require(rig.store.outcomes.first)
        #expect(outcome.fates == [.stored, .duplicate, .stored, .deadLettered])
        #expect(
            outcome.deadLetters.map(\.reason).sorted { $0.rawValue < $1.rawValue } == [
                .future, .malformed, .outOfRange,
            ])
        let range = try #require(outcome.deadLetters.first { $0.reason == .outOfRange })
        #expect(range.detail == "temperature of b is 500, outside its valid range -50 to 120")
        #expect(String(decoding: range.payload, as: UTF8.self).contains(#""sensor_id":"b""#))
        checkIdentity(rig.engine.metrics.snapshot)
        #expect(rig.engine.metrics.snapshot.spooled == 0)
    }

    @Test func lateReadingsAreStoredMarkedAndCounted() async throws {
        let rig = Rig()
        var builder = BatchBuilder(table: rig.table, received: rig.clock.now())
        for second in stride(from: 0, to: 600, by: 10) {
            builder.add("a", at: Self.start.advanced(by: .seconds(Int64(second))), ["temperature": 20])
        }
        builder.add("a", at: Self.start.advanced(by: .seconds(5)), ["temperature": 20])
        let summaries = try await rig.run([builder.take()])
        #expect(summaries[0].late == 1)
        #expect(summaries[0].stored == 60)
        checkIdentity(rig.engine.metrics.snapshot)
    }

    @Test func aSpikeBecomesOneAnomalyAndOneAlarmWithASentence() async throws {
        let rig = Rig()
        _ = try await rig.run(
            rig.stream(sensors: 3, seconds: 400) { sensor, second, normal in
                sensor == 1 && second == 350 ? 95 : normal
            })
        let spikes = rig.store.anomalies.filter { $0.kind == .spike }
        #expect(spikes.count == 1)
        let spike = try #require(spikes.first)
        #expect(spike.sensor == "sensor_1")
        #expect(spike.value == 95)
        #expect(spike.time == Self.start.advanced(by: .seconds(350)))
        #expect(spike.expectedHigh < 40 && spike.expectedLow > 0)
        #expect(spike.sentence.hasPrefix("temperature of sensor_1 jumped to 95"))
        let raised = rig.store.alarmChanges.filter { $0.step == .raised }
        #expect(raised.map(\.alarm.id) == [spike.alarmID])
    }

    @Test(arguments: [1, 2, 3, 5])
    func theOutcomeDoesNotDependOnTheNumberOfShards(shards: Int) async throws {
        func outcome(_ shards: Int) async throws -> (anomalies: [String], windows: Int, changes: [String]) {
            let rig = Rig(shards: shards)
            _ = try await rig.run(
                rig.stream(sensors: 7, seconds: 300) { sensor, second, normal in
                    if sensor == 2, second > 200 { return 20 }
                    if sensor == 4, second > 150 { return nil }
                    return sensor == 5 && second % 60 == 59 ? normal + 40 : normal
                })
            return (
                rig.store.anomalies.map { "\($0.id) \($0.kind) \($0.score)" },
                rig.store.outcomes.reduce(0) { $0 + $1.windows.count },
                rig.store.alarmChanges.map { "\($0.step) \($0.alarm.id)" }
            )
        }
        let one = try await outcome(1)
        let many = try await outcome(shards)
        #expect(one.anomalies == many.anomalies)
        #expect(one.windows == many.windows)
        #expect(one.changes == many.changes)
        #expect(one.anomalies.contains { $0.contains("stuck") })
        #expect(one.anomalies.contains { $0.contains("silence") })
        #expect(one.anomalies.contains { $0.contains("spike") })
    }

    @Test func aSilentSensorIsNoticedWhileOthersGoOnAndClearedWhenItReturns() async throws {
        let rig = Rig()
        _ = try await rig.run(
            rig.stream(sensors: 2, seconds: 600) { sensor, second, normal in
                sensor == 0 && (200..<500).contains(second) ? nil : normal
            })
        let silence = rig.store.alarmChanges.filter { $0.alarm.kind == .silence }
        #expect(silence.first?.step == .raised)
        #expect(silence.first?.alarm.sensor == "sensor_0")
        #expect(silence.last?.step == .cleared)
        #expect(silence.last?.alarm.cleared == Self.start.advanced(by: .seconds(500)))
        #expect(rig.store.anomalies.count { $0.kind == .silence } == 1)
    }

    /// Nobody else's readings move the time: its own, after the gap, is the first to show that it was silent.
    @Test func aSilenceThatTheReturnItselfShowsIsOver() async throws {
        let rig = Rig()
        _ = try await rig.run(
            rig.stream(sensors: 1, seconds: 900) { _, second, normal in
                (200..<500).contains(second) || (700..<800).contains(second) ? nil : normal
            })
        let silence = rig.store.alarmChanges.filter { $0.alarm.kind == .silence }
        let begun = silence.count { $0.step == .raised || $0.step == .reopened }
        #expect(begun == 2)
        let cleared = silence.filter { $0.step == .cleared }.map(\.alarm.cleared)
        let expected: [Timestamp?] = [500, 800].map { Self.start.advanced(by: .seconds($0)) }
        #expect(cleared == expected)
        #expect(silence.last?.step == .cleared)
    }

    @Test func aRetriableStoreErrorDelaysButLosesNothing() async throws {
        let store = MemoryStore()
        store.fail(next: (0..<3).map { _ in TocsinError(.store, "the database is locked", isRetriable: true) })
        let rig = Rig(store: store)
        let summaries = try await rig.run(rig.stream(sensors: 2, seconds: 50))
        #expect(summaries.reduce(0) { $0 + $1.stored } == 100)
        #expect(rig.engine.metrics.snapshot.storeErrors == 3)
        checkIdentity(rig.engine.metrics.snapshot)
    }

    @Test func aStoreThatIsGoneForGoodFailsTheReceiptsAndTheRun() async throws {
        let store = MemoryStore()
        store.fail(always: TocsinError(.store, "the database is damaged"))
        let rig = Rig(store: store)
        let engine = rig.engine
        let batch = rig.stream(sensors: 1, seconds: 10)[0]
        let work = Task { try await engine.run() }
        let receipt = try await engine.enqueue(batch)
        await #expect(throws: TocsinError.self) { _ = try await receipt.wait() }
        await #expect(throws: TocsinError.self) { try await work.value }
        guard case .stalled = engine.condition else {
            Issue.record("the condition is \(engine.condition)")
            return
        }
        await #expect(throws: TocsinError.self) { _ = try await engine.enqueue(batch) }
        checkIdentity(engine.metrics.snapshot)
    }

    @Test func alarmsLeftOpenByAnEarlierProcessAreTakenUpAndCleared() async throws {
        let first = Rig()
        _ = try await first.run(
            first.stream(sensors: 1, seconds: 300) { _, second, normal in second == 299 ? 95 : normal })
        let open = try #require(first.store.alarmChanges.last { $0.step == .raised }?.alarm)

        let second = Rig(store: MemoryStore(openAlarms: [open])) { $0.isLive = true }
        var builder = BatchBuilder(table: second.table, received: second.clock.now())
        for minute in 5..<30 {
            builder.add("sensor_0", at: Self.start.advanced(by: .minutes(Int64(minute))), ["temperature": 20])
        }
        _ = try await second.run([builder.take()])
        let cleared = second.store.alarmChanges.filter { $0.step == .cleared }
        #expect(cleared.map(\.alarm.id) == [open.id])
    }

    @Test func aReplayFindsTheSameAnomaliesUnderTheSameIds() async throws {
        func ids() async throws -> [String] {
            let rig = Rig()
            _ = try await rig.run(
                rig.stream(sensors: 3, seconds: 300) { _, second, normal in
                    second % 97 == 96 ? normal + 50 : normal
                })
            return rig.store.anomalies.map(\.id)
        }
        let first = try await ids()
        #expect(!first.isEmpty)
        #expect(Set(first).count == first.count)
        #expect(try await ids() == first)
    }

    @Test func whoWaitsForRoomCanLeaveAndNothingIsCounted() async throws {
        let store = MemoryStore()
        store.fail(always: TocsinError(.store, "the disk is full", isRetriable: true))
        let rig = Rig(store: store) { $0.inboxBatches = 1 }
        let engine = rig.engine
        let batches = rig.stream(sensors: 1, seconds: 400, batchEvents: 1)
        let work = Task { try await engine.run() }
        let feeding = Task {
            for batch in batches { _ = try await engine.enqueue(batch) }
        }
        // Everything between source and store is full now.
        while engine.inboxCount == 0 || engine.condition == .running { try? await Task.sleep(for: .milliseconds(1)) }
        feeding.cancel()
        await #expect(throws: CancellationError.self) { try await feeding.value }
        checkIdentity(engine.metrics.snapshot)
        store.fail(always: nil)
        engine.finish()
        try await work.value
        let metrics = engine.metrics.snapshot
        #expect(metrics.spooled == 0)
        #expect(metrics.received == metrics.stored)
        checkIdentity(metrics)
    }

    @Test func impossibleWindowsAreAnErrorAndNotSilence() async throws {
        let rig = Rig { $0.windows = [WindowDefinition(size: .days(7), slide: .seconds(1))] }
        await #expect(throws: TocsinError.self) { try await rig.engine.run() }
        await #expect(throws: TocsinError.self) { _ = try await rig.engine.endOfInput() }
    }

    @Test func valuesOutsideTheirNormalRangeAreReportedAndStored() async throws {
        let rig = Rig { $0.limits = ["Temperature": 10...30] }
        _ = try await rig.run(
            rig.stream(sensors: 2, seconds: 30) { sensor, second, normal in
                sensor == 1 && second == 20 ? 45 : normal
            })
        #expect(rig.store.anomalies.map(\.kind) == [.range])
        #expect(rig.store.anomalies.first?.sensor == "sensor_1")
        #expect(rig.engine.metrics.snapshot.stored == 60)
    }

    @Test func theEndOfOneSourceLeavesTheOthersAlone() async throws {
        let rig = Rig()
        let engine = rig.engine
        let work = Task { try await engine.run() }
        let batches = rig.stream(sensors: 2, seconds: 600)
        for (number, batch) in batches.enumerated() {
            _ = try await engine.enqueue(batch)
            if number == 3 { _ = try await engine.endOfInput(of: SourceID(7)) }
        }
        _ = try await engine.endOfInput()
        engine.finish()
        try await work.value
        #expect(engine.metrics.snapshot.late == 0)
        #expect(engine.metrics.snapshot.stored == 1200)
    }
}
