internal import Testing
internal import TocsinCore

extension StoreConformance {
    func retentionByAge(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        for second in 0..<100 as Range<Int64> {
            input.event("a", at: second, [("t", 1)])
            input.window("a", "t", start: second, base: 0)
            input.deadLetter(.malformed, position: second, received: second)
            input.outcome.anomalies.append(
                StoreInput.anomaly(StableHash.hex(UInt64(second)), sensor: "a", at: second))
        }
        input.outcome.alarmChanges = [
            AlarmChange(step: .raised, alarm: StoreInput.alarm("00000000000000a1", sensor: "a", raised: 1)),
            AlarmChange(
                step: .cleared, alarm: StoreInput.alarm("00000000000000a2", sensor: "a", raised: 1, cleared: 2)),
            AlarmChange(
                step: .cleared, alarm: StoreInput.alarm("00000000000000a3", sensor: "a", raised: 1, cleared: 99)),
        ]
        try await store.write([input.outcome])
        let now = StoreInput.second(100)
        #expect(try await store.applyRetention(RetentionPolicy(), now: now).isEmpty)
        let policy = RetentionPolicy(
            eventAge: .seconds(10), windowAge: .seconds(20), anomalyAge: .seconds(30), deadLetterAge: .seconds(40))
        #expect(
            try await store.applyRetention(policy, now: now)
                == ["sensor_events": 90, "windows": 80, "anomalies": 70, "alarms": 1, "dead_letters": 60])
        #expect(
            try await store.events(RecordQuery(sensor: "a", limit: 1000)).map(\.time).min() == StoreInput.second(90))
        #expect(try await store.windows(RecordQuery(sensor: "a", limit: 1000)).count == 20)
        #expect(try await store.alarms(RecordQuery(), state: nil).count == 2)
        #expect(try await store.openAlarms().count == 1)
        #expect(try await store.applyRetention(policy, now: now).isEmpty)
        // What was deleted may come again, and is found again.
        try await store.write([input.outcome])
        #expect(try await store.events(RecordQuery(sensor: "a", limit: 1000)).count == 100)
        #expect(try await store.windows(RecordQuery(sensor: "a", limit: 1000)).count == 100)
    }

    func retentionBySize(_ store: any Store, _ table: SeriesTable) async throws {
        let payload = Array(repeating: UInt8(ascii: "x"), count: 400)
        for batch in 0..<20 as Range<Int64> {
            var input = StoreInput(table: table)
            for row in 0..<1000 as Range<Int64> {
                let second = batch * 1000 + row
                input.event("s\(row % 10)", at: second, [("t", Double(second))], payload: payload)
                if row % 10 == 0 { input.window("s\(row % 10)", "t", start: second, base: 0) }
            }
            try await store.write([input.outcome])
        }
        let bound: Int64 = 4_000_000
        #expect(try await store.statistics().bytes > bound)
        let deleted = try await store.applyRetention(RetentionPolicy(maxBytes: bound), now: StoreInput.second(20_000))
        let events = try await store.events(RecordQuery(limit: 100_000))
        #expect(deleted["sensor_events"] == 20_000 - events.count)
        #expect(deleted["windows"] == nil)
        #expect(events.count > 2000 && events.count < 12_000)
        #expect(events.first?.time == StoreInput.second(19_999))
        #expect(events.last?.time == StoreInput.second(20_000 - Int64(events.count)))
        #expect(try await store.statistics().bytes <= bound)
        // With no event left the windows go, and the store stays usable.
        _ = try await store.applyRetention(RetentionPolicy(maxBytes: 1), now: StoreInput.second(20_000))
        #expect(try await store.events(RecordQuery()).isEmpty)
        #expect(try await store.windows(RecordQuery()).isEmpty)
        var input = StoreInput(table: table)
        input.event("s1", at: 5, [("t", 1)])
        try await store.write([input.outcome])
        #expect(try await store.events(RecordQuery(sensor: "s1")).count == 1)
    }

    /// Old windows are thinned to those of the largest definition that follow one another; younger ones stay.
    func retentionByThinning(_ store: any Store, _ table: SeriesTable) async throws {
        // One-minute windows every 10 s, and five-minute windows every minute, for two hours.
        func input() -> StoreInput {
            var input = StoreInput(table: table)
            for sensor in ["a", "b"] {
                for start in stride(from: 0, to: 7200, by: 10) as StrideTo<Int64> {
                    input.window(sensor, "t", start: start, base: Double(start))
                    if start % 60 == 0 { input.window(sensor, "t", start: start, base: Double(start), definition: 1) }
                }
            }
            return input
        }
        try await store.write([input().outcome])
        let everything = RecordQuery(sensor: "a", limit: 10_000)
        let before = try await store.windows(everything)
        #expect(before.count == 720 + 120)
        let policy = RetentionPolicy(thinnedWindowAge: .seconds(3600))
        func thinned(before limit: Int64) -> [String] {
            before.filter { window in
                let isFive = window.end == window.start.advanced(by: .minutes(5))
                return window.start >= StoreInput.second(limit)
                    || isFive && (window.start.nanoseconds / 1_000_000_000 - StoreInput.epoch) % 300 == 0
            }.map { "\($0)" }
        }
        let first = thinned(before: 3600)
        #expect(first.count == 360 + 60 + 12)
        let now = StoreInput.second(7200)
        #expect(try await store.applyRetention(policy, now: now) == ["windows": 2 * (840 - first.count)])
        #expect(try await store.windows(everything).map { "\($0)" } == first)
        #expect(try await store.applyRetention(policy, now: now).isEmpty)
        // Time goes on by less than a chunk, and what was thinned away comes again.
        _ = try await store.applyRetention(policy, now: StoreInput.second(7270))
        #expect(try await store.windows(everything).map { "\($0)" } == thinned(before: 3670))
        try await store.write([input().outcome])
        #expect(try await store.windows(everything).count == before.count)
        _ = try await store.applyRetention(policy, now: StoreInput.second(7270))
        #expect(try await store.windows(everything).map { "\($0)" } == thinned(before: 3670))
        // The age that deletes comes after the one that thins.
        let both = RetentionPolicy(windowAge: .seconds(5400), thinnedWindowAge: .seconds(3600))
        _ = try await store.applyRetention(both, now: StoreInput.second(7270))
        let young = StoreInput.second(1870)
        let expected = before.filter { $0.start >= young }.map { "\($0)" }
        #expect(
            try await store.windows(everything).map { "\($0)" }
                == thinned(before: 3670).filter(Set(expected).contains))
    }

    func retentionOfJobs(_ store: any Store) async throws {
        for second in 0..<10 as Range<Int64> {
            try await store.saveJob(
                JobRecord(
                    id: "j\(second)", name: "etl", state: second == 0 ? .running : .succeeded,
                    started: StoreInput.second(second), finished: second == 0 ? nil : StoreInput.second(second)))
            try await store.saveQualityReport(
                QualityReport(
                    id: "q\(second)", subject: "silver", created: StoreInput.second(second),
                    start: StoreInput.second(0), end: StoreInput.second(1), rowsIn: 1, rowsOut: 1, exceedsLimit: false,
                    rules: "{}"))
        }
        let policy = RetentionPolicy(jobAge: .seconds(4))
        #expect(
            try await store.applyRetention(policy, now: StoreInput.second(10)) == ["jobs": 5, "quality_reports": 6])
        // One that runs stays whatever its age.
        #expect(try await store.jobs(name: nil, limit: 100).map(\.id) == ["j9", "j8", "j7", "j6", "j0"])
        #expect(try await store.qualityReports(subject: nil, limit: 100).map(\.id) == ["q9", "q8", "q7", "q6"])
    }
}
