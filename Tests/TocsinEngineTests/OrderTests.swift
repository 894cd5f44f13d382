import Testing
import TocsinCore
import TocsinEngine
import TocsinTestKit

/// What the cut into batches, the number of shards and the order of arrival do not change.
@Suite struct OrderTests {
    private static let start = Timestamp(seconds: 1_760_000_000)

    private struct Event {
        var sensor: Int
        var time: Timestamp
        var values: (Double, Double)
    }

    private static func events() -> [Event] {
        var random = Noise(state: 99)
        var events: [Event] = []
        for second in 0..<900 {
            for sensor in 0..<6 {
                let time = start.advanced(by: .milliseconds(Int64(second * 1000 + sensor * 7)))
                let noise = random.next()
                let isSpike = sensor == 2 && second % 200 == 150
                events.append(Event(sensor: sensor, time: time, values: (isSpike ? 90 : 20 + noise, 50 - noise)))
            }
        }
        return events
    }

    private struct Found: Equatable {
        var windows: Set<String> = []
        var anomalies: Set<String> = []
        var alarms: [String] = []
    }

    private func run(
        _ events: [Event], batch size: (Int) -> Int, shards: Int = 2, order: EventOrdering = .arrival
    ) async throws -> Found {
        let table = SeriesTable(seed: 1)
        let store = MemoryStore()
        let clock = HandClock(Self.start.advanced(by: .days(1)))
        var settings = EngineSettings(shards: shards, order: order, isLive: false)
        settings.forests.learningRows = 300
        let engine = Engine(settings: settings, table: table, store: store, clock: clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            var builder = BatchBuilder(table: table, received: clock.now())
            var number = 0
            for event in events {
                builder.add(
                    "s\(event.sensor)", at: event.time,
                    ["humidity": event.values.1, "temperature": event.values.0])
                if builder.count >= size(number) {
                    _ = try await engine.enqueue(builder.take())
                    number += 1
                }
            }
            _ = try await engine.enqueue(builder.take())
            _ = try await engine.endOfInput()
            engine.finish()
            try await group.waitForAll()
        }
        var found = Found()
        for outcome in store.outcomes {
            for row in 0..<outcome.windows.count {
                let name = table.withIndex { index in
                    let series = outcome.windows.series[row]
                    return "\(index.name(index.sensor(of: series))) \(index.name(index.metric(of: series)))"
                }
                let columns = row * WindowStatistic.columns..<(row + 1) * WindowStatistic.columns
                let bits = outcome.windows.statistics[columns].map(\.bitPattern)
                found.windows.insert("\(name) \(outcome.windows.definition[row]) \(outcome.windows.start[row]) \(bits)")
            }
            for anomaly in outcome.anomalies { found.anomalies.insert("\(anomaly)") }
            for change in outcome.alarmChanges { found.alarms.append("\(change)") }
        }
        return found
    }

    @Test func theCutIntoBatchesChangesNothing() async throws {
        let events = Self.events()
        let whole = try await run(events, batch: { _ in 1000 })
        #expect(whole.anomalies.contains { $0.contains("windowForest") || $0.contains("eventForest") })
        for size in [1, 17, 5000] {
            let cut = try await run(events, batch: { _ in size }, shards: size % 3 + 1)
            #expect(whole.windows == cut.windows)
            #expect(whole.anomalies.symmetricDifference(cut.anomalies).isEmpty)
            #expect(whole.alarms == cut.alarms)
        }
    }

    @Test(arguments: [1, 2, 3])
    func theOrderOfArrivalWithinTheLatenessChangesNoWindow(seed: UInt64) async throws {
        let events = Self.events()
        var random = Noise(state: seed)
        // Up to ten seconds late, of thirty that are allowed.
        let shuffled = events.map { ($0, $0.time.seconds + 5 * (random.next() + 1)) }
            .sorted { $0.1 < $1.1 }.map(\.0)
        let straight = try await run(events, batch: { _ in 100 })
        let mixed = try await run(shuffled, batch: { 50 + $0 % 100 })
        #expect(straight.windows.count > 500)
        #expect(straight.windows.symmetricDifference(mixed.windows).isEmpty)
    }

    @Test(arguments: [1, 2, 3])
    func byEventTimeTheOrderOfArrivalChangesNothing(seed: UInt64) async throws {
        var events = Self.events()
        // One sensor falls silent, one sticks, two report at the very same time.
        events.removeAll { $0.sensor == 4 && $0.time.seconds - Self.start.seconds > 400 }
        for index in events.indices {
            if events[index].sensor == 5, events[index].time.seconds - Self.start.seconds > 500 {
                events[index].values = (21, 50)
            }
            if events[index].sensor == 1 { events[index].time = events[index].time.advanced(by: .milliseconds(-7)) }
        }
        var random = Noise(state: seed)
        let shuffled = events.map { ($0, $0.time.seconds + 14 * (random.next() + 1)) }
            .sorted { $0.1 < $1.1 }.map(\.0)
        #expect(shuffled.first?.sensor != events.first?.sensor || shuffled[1].sensor != events[1].sensor)
        let straight = try await run(events, batch: { _ in 100 }, order: .event)
        let mixed = try await run(
            shuffled, batch: { 50 + ($0 * Int(seed)) % 100 }, shards: Int(seed), order: .event)
        #expect(straight.windows.count > 500)
        #expect(straight.windows.symmetricDifference(mixed.windows).isEmpty)
        #expect(straight.anomalies.contains { $0.contains("silence") })
        #expect(straight.anomalies.contains { $0.contains("stuck") })
        #expect(straight.anomalies.symmetricDifference(mixed.anomalies).isEmpty)
        #expect(straight.alarms == mixed.alarms)
    }

    @Test func eventsInOrderAreJudgedAsTheyArrive() async throws {
        let events = Self.events()
        let arriving = try await run(events, batch: { _ in 100 })
        let ordered = try await run(events, batch: { _ in 100 }, order: .event)
        #expect(arriving.anomalies.contains { $0.contains("windowForest") || $0.contains("eventForest") })
        #expect(arriving.windows == ordered.windows)
        #expect(arriving.anomalies.symmetricDifference(ordered.anomalies).isEmpty)
        #expect(arriving.alarms == ordered.alarms)
    }

    /// -1 … 1, the same on every run.
    private struct Noise {
        var state: UInt64
        mutating func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 52) - 1
        }
    }
}
