import Foundation
import Synchronization
import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// What listeners are asked, and when.
@Suite struct ListenerTests {
    /// Notes the calls in their order.
    private final class Noting: AlarmListener {
        private let calls = Mutex<[String]>([])
        private let keeps: Bool
        private let checkpoints: @Sendable () -> Int
        let toldThrough = AlarmMark.none

        init(keeps: Bool = true, checkpoints: @escaping @Sendable () -> Int) {
            self.keeps = keeps
            self.checkpoints = checkpoints
        }

        var all: [String] { calls.withLock { $0 } }
        var told: [String] { all.filter { $0.hasPrefix("told") } }

        func tell(_ changes: [AlarmChange], from first: AlarmMark) {
            calls.withLock { calls in calls += changes.map { "told \($0.step.rawValue) \($0.alarm.sensor)" } }
        }

        func keep() async -> Bool {
            calls.withLock { $0.append("kept at \(checkpoints()) checkpoints") }
            return keeps
        }
    }

    /// One process: the batches, then an orderly end with its last checkpoint.
    private func live(_ place: RecoveryPlace, _ listener: Noting, _ values: [Double]) async throws {
        let table = SeriesTable(seed: 1)
        let clock = HandClock(AlarmScene.start.advanced(by: .days(1)))
        let engine = Engine(
            settings: EngineSettings(shards: 1, isLive: false), table: table, store: MemoryStore(), clock: clock,
            durability: try place.durability(), listeners: [listener])
        async let work: Void = engine.run()
        var builder = BatchBuilder(table: table, received: clock.now())
        for (second, value) in values.enumerated() {
            builder.add("pump", at: AlarmScene.at(Double(second)), ["temperature": value])
        }
        if !values.isEmpty { _ = try await engine.enqueue(builder.take()).wait() }
        engine.finish()
        try await work
    }

    private func checkpoints(_ place: RecoveryPlace) -> Int {
        let path = place.folder.appendingPathComponent("checkpoints").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(".tck") }
            .count
    }

    private let values = (0..<300).map { 20 + Double($0 * 7 % 11) / 10 } + [95, 20.5]

    @Test func whatWasToldIsForcedToDiskBeforeACheckpointCoversIt() async throws {
        let place = try RecoveryPlace()
        let listener = Noting { checkpoints(place) }
        try await live(place, listener, values)
        #expect(listener.told.contains("told raised pump"))
        #expect(listener.all.last == "kept at 0 checkpoints" && checkpoints(place) == 1)
        // The checkpoint has gone past it: nobody tells it again.
        let next = Noting { checkpoints(place) }
        try await live(place, next, [])
        #expect(next.told.isEmpty)
    }

    @Test func whatCannotBeForcedToDiskIsBroughtForthAgain() async throws {
        let place = try RecoveryPlace()
        let listener = Noting(keeps: false) { checkpoints(place) }
        try await live(place, listener, values)
        #expect(checkpoints(place) == 0)
        let next = Noting { checkpoints(place) }
        try await live(place, next, [])
        #expect(!next.told.isEmpty && next.told == listener.told)
    }

    /// A writer that waits for an outlet without room gives that up when its task is cancelled.
    @Test(.timeLimit(.minutes(5))) func aWriterThatIsCutOffWaitsForNoOutlet() async throws {
        let place = try RecoveryPlace()
        let looks = Mutex(0)
        let outlet = OutcomeOutlet(spool: try place.durability().spool, observe: { _ in }) {
            looks.withLock { $0 += 1 }
            return "full"
        }
        let table = SeriesTable(seed: 1)
        let clock = HandClock(AlarmScene.start)
        let engine = Engine(
            settings: EngineSettings(shards: 1, isLive: false), table: table, store: MemoryStore(), clock: clock,
            outlet: outlet)
        let work = Task { try await engine.run() }
        var builder = BatchBuilder(table: table, received: clock.now())
        builder.add("pump", at: AlarmScene.start, ["temperature": 20])
        let receipt = try await engine.enqueue(builder.take())
        while looks.withLock({ $0 }) == 0 { try? await Task.sleep(for: .milliseconds(1)) }
        work.cancel()
        _ = try? await receipt.wait()
        engine.finish()
        try? await work.value
        #expect(looks.withLock { $0 } < 1000)
    }
}
