import Testing
import TocsinCore
import TocsinEngine
import TocsinSpool
import TocsinTestKit

/// Live engines that end without notice before they have saved anything: spool and store are all that is left.
@Suite struct RecoveryFromStoreTests {
    private static let start = Timestamp(seconds: 1_760_000_000)
    private static let sensors = 20

    private struct Life {
        let place: RecoveryPlace
        let table = SeriesTable()
        let store: MemoryStore
        let clock = HandClock(RecoveryFromStoreTests.start.advanced(by: .hours(1)))
        let engine: Engine
        let durability: EngineDurability

        init(_ place: RecoveryPlace, _ store: MemoryStore) throws {
            self.place = place
            self.store = store
            durability = try place.durability()
            var settings = EngineSettings(shards: 2)
            settings.idleTimeout = .hours(24)
            // The store hands the table the names that it knows.
            var builder = BatchBuilder(table: table, received: RecoveryFromStoreTests.start)
            for sensor in 0..<RecoveryFromStoreTests.sensors {
                builder.add("sensor_\(sensor)", at: RecoveryFromStoreTests.start, ["temperature": 20])
            }
            engine = Engine(settings: settings, table: table, store: store, clock: clock, durability: durability)
        }

        /// One second of all sensors; at second 250 + n of the stream the nth jumps, for `seconds` seconds.
        func feed(_ seconds: Range<Int>, jumpsLast length: Int = 3) async throws {
            for second in seconds {
                var builder = BatchBuilder(table: table, received: clock.now())
                for sensor in 0..<RecoveryFromStoreTests.sensors {
                    let noise = Double((second * 7919 + sensor * 104_729) % 997) / 997
                    let isHigh = (250 + sensor..<250 + sensor + length).contains(second)
                    builder.add(
                        "sensor_\(sensor)", at: RecoveryFromStoreTests.start.advanced(by: .seconds(Int64(second))),
                        ["temperature": (isHigh ? 90 : 20) + noise])
                }
                _ = try await engine.enqueue(builder.take()).wait()
            }
        }

        /// Works while `body` feeds it, and ends in good order: what is compared was copied in `body`.
        func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
            _ = try await engine.prepare()
            async let work: Void = engine.run()
            let value: Value
            do {
                defer { engine.finish() }
                value = try await body()
            }
            try await work
            await durability.spool.close()
            return value
        }
    }

    /// Everything that was told of the alarms, once each.
    private func told(_ store: MemoryStore) -> Set<String> { Set(store.alarmChanges.map { "\($0)" }) }

    private func openAlarms(_ store: MemoryStore) -> [Alarm] {
        let last = store.alarmChanges.reduce(into: [:]) { $0[$1.alarm.id] = $1.alarm }
        return last.values.filter { $0.state == .open }
    }

    /// As it was when the process ended: nothing that came in good order after that.
    private func left(_ store: MemoryStore, _ place: RecoveryPlace) throws -> (MemoryStore, RecoveryPlace) {
        (MemoryStore(openAlarms: openAlarms(store)), try place.copy())
    }

    @Test(arguments: [256, 262, 270, 300])
    func anEndBeforeTheFirstCheckpointLeavesTheFloodWhatItWas(end: Int) async throws {
        let whole = try Life(RecoveryPlace(), MemoryStore())
        try await whole.run { try await whole.feed(0..<400) }
        #expect(Set(whole.store.alarmChanges.map(\.alarm.id)).count { $0.hasPrefix("s") } == 1)

        let place = try RecoveryPlace()
        let first = try Life(place, MemoryStore())
        let (store, copy) = try await first.run {
            try await first.feed(0..<end)
            return try left(first.store, place)
        }
        let second = try Life(copy, store)
        try await second.run { try await second.feed(end..<400) }
        // The spool was worked through from its start: every change is made again.
        #expect(told(store) == told(whole.store))
    }

    @Test func whatWasOpenBeforeTheSpoolBeganIsKnownAfterAnEndBeforeTheFirstCheckpoint() async throws {
        let before = try Life(RecoveryPlace(), MemoryStore())
        try await before.run { try await before.feed(0..<260, jumpsLast: 300) }
        let open = openAlarms(before.store)
        #expect(open.count > 5)

        // A new spool beside the old store; it ends at once, and once more.
        var place = try RecoveryPlace()
        for seconds in [260..<261, 261..<262] {
            let life = try Life(place, MemoryStore(openAlarms: open))
            place = try await life.run { [place] in
                try await life.feed(seconds, jumpsLast: 300)
                return try place.copy()
            }
        }
        let last = try Life(place, MemoryStore(openAlarms: open))
        _ = try await last.engine.prepare()
        // The summary of a flood has no sensor of its own to be counted with.
        let shown = Set(open.map { "\($0.sensor) \($0.kind)" })
        #expect(last.engine.directory.openAlarms == shown.count)
        await last.durability.spool.close()
    }
}
