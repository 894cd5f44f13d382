import Testing
import TocsinCore
import TocsinPostgres
import TocsinTestKit

@Suite(.enabled(if: PostgresServer.isInstalled, Comment(rawValue: PostgresServer.isMissing)))
struct PostgresWritingTests {
    /// Several processes with tables of their own see the same sensors, and write the same events once.
    @Test func manyWritersAtOnce() async throws {
        let settings = try PostgresServer.shared.get().settings()
        let writers = 3
        let rounds = 20
        let held = try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    // Each process has numbered its sensors in an order of its own.
                    let table = SeriesTable(seed: UInt64(writer))
                    let store = PostgresStore(settings: settings, table: table)
                    var held = 0
                    for round in 0..<rounds {
                        var input = StoreInput(table: table)
                        for number in 0..<50 {
                            let sensor = (number * (writer * 2 + 1) + writer) % 50
                            input.event("s\(sensor)", at: Int64(round), [("t", Double(sensor)), ("u", 1)], unit: "C")
                            input.window("s\(sensor)", "t", start: Int64(round) * 10, base: 1)
                            input.outcome.anomalies.append(
                                StoreInput.anomaly("\(sensor)-\(round)", sensor: "s\(sensor)", at: Int64(round)))
                        }
                        while true {
                            do {
                                held += try await store.write([input.outcome]).reduce(0) { $0 + $1.stored }
                                break
                            } catch let error as TocsinError where error.isRetriable {}
                        }
                    }
                    try await store.close()
                    return held
                }
            }
            return try await group.reduce(0, +)
        }
        let store = PostgresStore(settings: settings, table: SeriesTable(seed: 1))
        let rows = try await store.statistics().rows
        #expect(rows["sensors"] == 50)
        #expect(rows["series"] == 100)
        #expect(rows["sensor_events"] == 50 * rounds)
        #expect(rows["windows"] == 50 * rounds)
        #expect(rows["anomalies"] == 50 * rounds)
        // Stored once, and known all other times.
        #expect(held == (writers - 1) * 50 * rounds * 2)
        let events = try await store.events(RecordQuery(sensor: "s7", limit: 100))
        #expect(events.count == rounds)
        #expect(events.allSatisfy { $0.readings.map(\.value) == [7, 1] && $0.readings.map(\.unit) == ["C", "C"] })
        try await store.close()
    }

    /// Times far off the clock share a partition, and move when their day gets one.
    @Test func daysHavePartitions() async throws {
        let table = SeriesTable(seed: 1)
        let store = try PostgresStore(settings: PostgresServer.shared.get().settings(), table: table)
        let day: Int64 = 86_400
        var input = StoreInput(table: table)
        input.event("a", at: 10, [("t", 1)])
        input.event("a", at: -2 * day, [("t", 2)])
        input.event("a", at: -400 * day, [("t", 3)])
        input.event("a", at: 400 * day, [("t", 4)])
        input.window("a", "t", start: -400 * day, base: 1)
        try await store.write([input.outcome])
        func partitions(_ table: String) async throws -> [String] {
            try await store.text(
                "SELECT relid::regclass FROM pg_partition_tree('\(table)') WHERE isleaf ORDER BY relid::regclass::text")
        }
        #expect(
            try await partitions("sensor_events")
                == ["sensor_events_20250929", "sensor_events_20251001", "sensor_events_other"])
        #expect(try await partitions("windows") == ["windows_other"])
        #expect(try await store.events(RecordQuery(sensor: "a")).flatMap(\.readings).map(\.value) == [4, 1, 2, 3])
        #expect(try await store.events(RecordQuery(limit: 2, offset: 1)).flatMap(\.readings).map(\.value) == [1, 2])
        // History that is read in: its days are worth a partition.
        var history = StoreInput(table: table)
        for second in 0..<600 as Range<Int64> { history.event("b", at: -400 * day + second + 1, [("t", 5)]) }
        try await store.write([history.outcome])
        #expect(try await partitions("sensor_events").first == "sensor_events_20240827")
        #expect(try await store.text("SELECT count(*) FROM sensor_events_20240827") == ["601"])
        #expect(try await store.events(RecordQuery(sensor: "a")).flatMap(\.readings).map(\.value) == [4, 1, 2, 3])
        #expect(try await store.write([input.outcome]) == [HeldReadings(stored: 4)])
        try await store.close()
    }

    /// From two days on whole days are dropped, and what is a little too old stays with its day.
    @Test func oldDaysAreDropped() async throws {
        let table = SeriesTable(seed: 1)
        let store = try PostgresStore(settings: PostgresServer.shared.get().settings(), table: table)
        let hour: Int64 = 3600
        var input = StoreInput(table: table, received: 10 * 24 * hour)
        for number in 0..<(10 * 24) as Range<Int64> {
            input.event("a", at: number * hour, [("t", 1)])
            input.window("a", "t", start: number * hour, base: 1)
        }
        try await store.write([input.outcome])
        let now = StoreInput.second(10 * 24 * hour)
        let policy = RetentionPolicy(eventAge: .hours(60), windowAge: .days(5))
        #expect(try await store.applyRetention(policy, now: now) == ["sensor_events": 7 * 24, "windows": 5 * 24])
        #expect(try await store.events(RecordQuery(limit: 1000)).count == 3 * 24)
        #expect(try await store.text("SELECT to_regclass('sensor_events_20251007') IS NULL") == ["true"])
        #expect(try await store.applyRetention(policy, now: now).isEmpty)
        // A process that does not know yet that the day is gone writes into it again, and nothing is lost.
        try await store.write([input.outcome])
        #expect(try await store.events(RecordQuery(limit: 1000)).count == 10 * 24)
        try await store.close()
    }

    /// The oldest days go first when there is too much.
    @Test func oldestDaysMakeRoom() async throws {
        let table = SeriesTable(seed: 1)
        let store = try PostgresStore(settings: PostgresServer.shared.get().settings(), table: table)
        let payload = Array(repeating: UInt8(ascii: "x"), count: 500)
        for day in 0..<12 as Range<Int64> {
            var input = StoreInput(table: table)
            for second in 0..<1000 as Range<Int64> {
                input.event("a", at: day * 86_400 + second, [("t", 1)], payload: payload)
            }
            try await store.write([input.outcome])
        }
        let bound: Int64 = 5_000_000
        #expect(try await store.statistics().bytes > bound)
        let deleted = try await store.applyRetention(RetentionPolicy(maxBytes: bound), now: StoreInput.second(0))
        #expect(try await store.statistics().bytes <= bound)
        let events = try await store.events(RecordQuery(limit: 100_000))
        #expect(events.count == 12_000 - (deleted["sensor_events"] ?? 0))
        #expect(events.count > 3000)
        #expect(events.last?.time == StoreInput.second((12 - Int64(events.count) / 1000) * 86_400))
        try await store.close()
    }

    /// Text that PostgreSQL has no place for must not stop the line.
    @Test func namesWithNullCharacters() async throws {
        let table = SeriesTable(seed: 1)
        let store = try PostgresStore(settings: PostgresServer.shared.get().settings(), table: table)
        var input = StoreInput(table: table, source: "line\0 3")
        input.event("a\0b", at: 1, [("t\0", 1)], unit: "C\0", payload: [0, 1, 0])
        input.event("a\u{fffd}b", at: 2, [("t\0", 2)])
        input.window("a\0b", "t\0", start: 1, base: 1)
        input.deadLetter(.malformed, position: 1, detail: "\0", payload: "\0", source: "\0")
        var anomaly = StoreInput.anomaly("f\0", sensor: "a\0b", metric: "t\0", at: 1)
        anomaly.contributions = [Contribution(name: "\0", share: 1)]
        input.outcome.anomalies = [anomaly]
        try await store.write([input.outcome])
        let events = try await store.events(RecordQuery(sensor: "a\0b", metric: "t\0"))
        #expect(events.map(\.sensor) == ["a\u{fffd}b", "a\u{fffd}b"])
        #expect(events.last?.payload == [0, 1, 0])
        #expect(try await store.windows(RecordQuery(sensor: "a\0b")).count == 1)
        #expect(try await store.anomalies(RecordQuery(sensor: "a\0b", metric: "t\0")).count == 1)
        #expect(try await store.deadLetters(reason: nil, limit: 10, offset: 0).count == 1)
        #expect(try await store.text("SELECT metric FROM readings") == ["t\u{fffd}", "t\u{fffd}"])
        try await store.close()
    }
}
