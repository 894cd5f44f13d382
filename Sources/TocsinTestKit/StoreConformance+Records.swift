internal import Testing
internal import TocsinCore

extension StoreConformance {
    func windows(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        for second in 0..<100 as Range<Int64> {
            input.window("a", "t", start: second * 10, base: Double(second))
            input.window("a", "h", start: second * 10, base: Double(second), definition: 1, score: 0.5)
            input.window("b", "t", start: second * 10, base: Double(second))
        }
        input.outcome.windows.statistics[WindowStatistic.variance.rawValue] = .nan
        try await store.write([input.outcome])
        let all = try await store.windows(RecordQuery(sensor: "a", limit: 1000))
        #expect(all.count == 200)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.start >= $1.start })
        let oldest = try await store.windows(RecordQuery(sensor: "a", metric: "t", end: StoreInput.second(1)))
        let window = try #require(oldest.first)
        #expect(oldest.count == 1)
        #expect(window.end == StoreInput.second(60))
        #expect(window.score.isNaN)
        #expect(window.statistics.count == WindowStatistic.columns)
        #expect(window.statistics[WindowStatistic.variance.rawValue].isNaN)
        #expect(window.statistics[WindowStatistic.mean.rawValue] == Double(WindowStatistic.mean.rawValue))
        let long = try await store.windows(RecordQuery(sensor: "a", metric: "h", limit: 3, offset: 1))
        #expect(long.map(\.start) == [980, 970, 960].map(StoreInput.second))
        #expect(long.allSatisfy { $0.score == 0.5 && $0.end == $0.start.advanced(by: .minutes(5)) })
        #expect(try await store.windows(RecordQuery(metric: "t", limit: 1000)).count == 200)
        let recent = RecordQuery(start: StoreInput.second(900), end: StoreInput.second(920), limit: 1000)
        #expect(try await store.windows(recent).count == 6)

        var again = StoreInput(table: table)
        again.window("a", "t", start: 0, base: 1000, score: 0.75)
        try await store.write([again.outcome])
        let rewritten = try await store.windows(RecordQuery(sensor: "a", metric: "t", end: StoreInput.second(1)))
        #expect(rewritten.map(\.score) == [0.75])
        #expect(rewritten.first?.statistics.first == 1000)
        #expect(try await store.windows(RecordQuery(limit: 1000)).count == 300)
    }

    func anomalies(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        input.outcome.anomalies = [
            StoreInput.anomaly("00000000000000f1", sensor: "a", at: 10),
            StoreInput.anomaly("00000000000000f2", sensor: "b", at: 30, kind: .fire),
            StoreInput.anomaly("00000000000000f3", sensor: "a", metric: nil, at: 20, kind: .silence, value: .nan),
        ]
        try await store.write([input.outcome])
        let all = try await store.anomalies(RecordQuery())
        #expect(all.map(\.id) == ["00000000000000f2", "00000000000000f3", "00000000000000f1"])
        let first = try #require(all.last)
        #expect("\(first)" == "\(input.outcome.anomalies[0])")
        #expect(all[1].metric == nil)
        #expect(all[1].value.isNaN)
        #expect(try await store.anomalies(RecordQuery(sensor: "a", limit: 1)).map(\.kind) == [.silence])
        #expect(try await store.anomalies(RecordQuery(metric: "temperature", offset: 1)).map(\.sensor) == ["a"])
        let range = RecordQuery(start: StoreInput.second(20), end: StoreInput.second(30))
        #expect(try await store.anomalies(range).map(\.id) == ["00000000000000f3"])
    }

    /// Why there is no alarm, what belongs to a summary, what people said.
    func decisions(_ store: any Store, _ table: SeriesTable) async throws {
        var input = StoreInput(table: table)
        var quiet = StoreInput.anomaly("00000000000000f1", sensor: "a", at: 10)
        quiet.note = "no alarm: oil change"
        var member = StoreInput.alarm("00000000000000a1", sensor: "a", raised: 10)
        member.summary = "s0000000000000a9"
        member.cause = "flow of a moved first, pressure followed 20 s later"
        input.outcome.anomalies = [quiet]
        input.outcome.alarmChanges = [AlarmChange(step: .raised, alarm: member, isTold: false)]
        let early = Feedback(.falseAlarm, on: member, given: StoreInput.second(20))
        input.outcome.feedback = [early]
        try await store.write([input.outcome])
        #expect(try await store.anomalies(RecordQuery()).map(\.note) == ["no alarm: oil change"])
        #expect(try await store.alarm(id: member.id).map { "\($0)" } == "\(member)")
        #expect(try await store.alarm(id: "00000000000000a2") == nil)
        #expect(try await store.feedback(since: StoreInput.second(0)) == [early])
        #expect(try await store.feedback(since: StoreInput.second(21)).isEmpty)
        // The last word on an alarm counts.
        var late = Feedback(.expected, on: member, recurrence: .daily, given: StoreInput.second(30))
        late.note = "shift change"
        var again = StoreInput(table: table)
        again.outcome.feedback = [late]
        try await store.write([again.outcome])
        #expect(try await store.feedback(since: StoreInput.second(0)) == [late])
    }

    /// What people did with alarms.
    func actions(_ store: any Store, _ table: SeriesTable) async throws {
        var alarm = StoreInput.alarm("00000000000000a1", sensor: "a", raised: 10)
        alarm.severity = .info
        alarm.care.acknowledged = StoreInput.second(20)
        alarm.care.acknowledgedBy = "Ida"
        alarm.care.assignee = "maintenance"
        alarm.care.shelvedUntil = StoreInput.second(90)
        alarm.care.isOutOfService = true
        alarm.care.isLatched = true
        var input = StoreInput(table: table)
        input.outcome.alarmChanges = [AlarmChange(step: .acknowledged, alarm: alarm)]
        input.outcome.actions = [
            AlarmAction(
                .acknowledge, on: alarm, person: "Ida", given: StoreInput.second(20), wallTime: StoreInput.second(21)),
            AlarmAction(
                .shelve, on: alarm, person: "Jo", text: "filter ordered", until: StoreInput.second(90),
                given: StoreInput.second(30), wallTime: StoreInput.second(31)),
        ]
        try await store.write([input.outcome])
        try await store.write([input.outcome])
        #expect(try await store.alarm(id: alarm.id).map { "\($0)" } == "\(alarm)")
        let both = Array(input.outcome.actions.reversed())
        #expect(try await store.alarmActions(alarmID: nil, since: nil, limit: 10, offset: 0) == both)
        #expect(try await store.alarmActions(alarmID: alarm.id, since: nil, limit: 1, offset: 1) == [both[1]])
        let recent = try await store.alarmActions(alarmID: nil, since: StoreInput.second(31), limit: 10, offset: 0)
        #expect(recent == [both[0]])
        #expect(try await store.alarmActions(alarmID: "none", since: nil, limit: 10, offset: 0).isEmpty)
    }

    func alarms(_ store: any Store, _ table: SeriesTable) async throws {
        func change(_ step: AlarmChange.Step, _ alarm: Alarm) async throws {
            var input = StoreInput(table: table)
            input.outcome.alarmChanges = [AlarmChange(step: step, alarm: alarm)]
            try await store.write([input.outcome])
        }
        try await change(.raised, StoreInput.alarm("00000000000000a1", sensor: "a", raised: 10))
        try await change(.raised, StoreInput.alarm("00000000000000a2", sensor: "b", raised: 20))
        try await change(
            .updated, StoreInput.alarm("00000000000000a1", sensor: "a", raised: 10, lastSeen: 25, verdicts: 7))
        let open = try await store.openAlarms()
        #expect(open.map(\.id) == ["00000000000000a1", "00000000000000a2"])
        let updated = StoreInput.alarm("00000000000000a1", sensor: "a", raised: 10, lastSeen: 25, verdicts: 7)
        #expect(open.first.map { "\($0)" } == "\(updated)")
        let cleared = StoreInput.alarm(
            "00000000000000a1", sensor: "a", raised: 10, lastSeen: 25, cleared: 40, verdicts: 7)
        try await change(.cleared, cleared)
        #expect(try await store.openAlarms().map(\.id) == ["00000000000000a2"])
        #expect(try await store.alarms(RecordQuery(), state: nil).map(\.sensor) == ["b", "a"])
        #expect(try await store.alarms(RecordQuery(), state: .open).map(\.sensor) == ["b"])
        let found = try await store.alarms(RecordQuery(sensor: "a", metric: "temperature"), state: .cleared)
        #expect(found.map { "\($0)" } == ["\(cleared)"])
        let range = RecordQuery(start: StoreInput.second(10), end: StoreInput.second(20))
        #expect(try await store.alarms(range, state: nil).map(\.sensor) == ["a"])
    }

    func deadLetters(_ store: any Store, _ table: SeriesTable) async throws {
        #expect(try await store.lastDeadLetterID() == 0)
        var input = StoreInput(table: table)
        input.deadLetter(.malformed, position: 1, received: 1)
        input.deadLetter(.malformed, position: 2, received: 2)
        input.deadLetter(.future, position: 2, received: 3)
        input.deadLetter(.outOfRange, position: 2, received: 4, detail: "t = 900")
        input.deadLetter(.outOfRange, position: 2, received: 4, detail: "h = 900")
        try await store.write([input.outcome])
        // The same input again after a restart, with another arrival time.
        for index in input.outcome.deadLetters.indices {
            input.outcome.deadLetters[index].received = StoreInput.second(50)
        }
        try await store.write([input.outcome])
        #expect(try await store.deadLetterCounts() == [.malformed: 2, .future: 1, .outOfRange: 2])
        let all = try await store.deadLetters(reason: nil, limit: 10, offset: 0)
        #expect(all.map(\.detail) == ["h = 900", "t = 900", "wrong", "wrong", "wrong"])
        let second = try await store.deadLetters(reason: .malformed, limit: 1, offset: 1)
        #expect(second.map(\.position) == [1])
        let letter = try #require(second.first)
        let shown = try #require(try await store.deadLetter(id: letter.id))
        #expect("\(shown)" == "\(letter)")
        #expect(shown.payload == Array("{".utf8))
        try await store.removeDeadLetters(ids: [letter.id, -7])
        #expect(try await store.deadLetter(id: letter.id) == nil)
        #expect(try await store.deadLetterCounts()[.malformed] == 1)
        try await store.removeDeadLetters(ids: [])

        // Those that came after a moment are told by their number.
        let last = try await store.lastDeadLetterID()
        let before = try await store.deadLetters(reason: nil, limit: 10, offset: 0).map(\.id)
        #expect(before.allSatisfy { $0 <= last })
        var more = StoreInput(table: table)
        more.deadLetter(.malformed, position: 3)
        try await store.write([more.outcome])
        #expect(try await store.lastDeadLetterID() > last)
        try await store.removeDeadLetters(after: last)
        #expect(try await store.deadLetters(reason: nil, limit: 10, offset: 0).map(\.id) == before)
    }

    func models(_ store: any Store) async throws {
        func save(_ name: String, _ version: Int, _ data: [UInt8], _ origin: ModelOrigin = .learned) async throws {
            try await store.saveModel(
                ModelRecord(
                    name: name, version: version, origin: origin, created: StoreInput.second(Int64(version)),
                    format: "forest/1",
                    summary: #"{"rows":\#(version)}"#, data: data))
        }
        try await save("event-forest", 1, [1])
        try await save("event-forest", 2, Array(repeating: 7, count: 3_000_000))
        try await save("window-forest", 1, [])
        try await save("event-forest", 1, [9])
        let forest = try await store.models(name: "event-forest")
        #expect(forest.map(\.version) == [2, 1])
        #expect(forest.map(\.data.count) == [3_000_000, 1])
        #expect(forest.last?.data == [9])
        #expect(forest.first?.created == StoreInput.second(2))
        #expect(forest.first?.summary == #"{"rows":2}"#)
        #expect(try await store.models(name: nil).count == 3)
        #expect(try await store.models(name: "none").isEmpty)

        try await save("pruned", 1, [1], .trained)
        for version in 2...9 { try await save("pruned", version, [2]) }
        let kept = try await store.models(name: "pruned")
        #expect(kept.map(\.version) == [9, 8, 7, 6, 5, 1])
        #expect(kept.map(\.origin) == [.learned, .learned, .learned, .learned, .learned, .trained])
    }
}
