import Testing
import TocsinCore
import TocsinEngine

@Suite struct CareBookTests {
    private func second(_ number: Int64) -> Timestamp { Timestamp(nanoseconds: number * 1_000_000_000) }

    private func alarm(
        _ id: String, sensor: String = "pump", kind: AnomalyKind = .spike, raised: Int64 = 10, cleared: Int64? = nil
    ) -> Alarm {
        Alarm(
            id: id, sensor: sensor, metric: "t", kind: kind, state: cleared == nil ? .open : .cleared,
            severity: .warning, raised: second(raised), lastSeen: second(raised), cleared: cleared.map(second),
            verdicts: 1, score: 0.9, pValue: 1e-9, sentence: "s")
    }

    private func book() -> CareBook { CareBook(latched: [.fire], memory: .minutes(10)) }

    private func told(_ book: inout CareBook, _ step: AlarmChange.Step, _ alarm: Alarm) -> AlarmChange {
        var change = AlarmChange(step: step, alarm: alarm)
        book.annotate(&change)
        return change
    }

    private func act(
        _ book: inout CareBook, _ verb: AlarmAction.Verb, _ alarm: Alarm, text: String? = nil, until: Int64? = nil,
        at given: Int64 = 20, members: [Alarm] = []
    ) -> [AlarmChange] {
        let action = AlarmAction(
            verb, on: alarm, person: "Ida", text: text, until: until.map(second), given: second(given),
            wallTime: second(given))
        return book.take(action, known: alarm, stored: alarm, members: members)
    }

    @Test func anAcknowledgementStaysUntilTheAlarmIsNewsAgain() throws {
        var book = book()
        let open = alarm("a")
        #expect(told(&book, .raised, open).alarm.lifeState == .unacknowledged)
        let change = try #require(act(&book, .acknowledge, open).first)
        #expect(change.step == .acknowledged && change.isTold)
        #expect(change.alarm.lifeState == .acknowledged)
        #expect(change.alarm.care.acknowledgedBy == "Ida" && change.alarm.care.acknowledged == second(20))
        #expect(told(&book, .updated, open).alarm.lifeState == .acknowledged)
        #expect(told(&book, .cleared, alarm("a", cleared: 30)).alarm.lifeState == .normal)
        #expect(told(&book, .reopened, open).alarm.lifeState == .unacknowledged)
        _ = act(&book, .acknowledge, open)
        #expect(told(&book, .escalated, open).alarm.lifeState == .unacknowledged)
        #expect(told(&book, .cleared, alarm("a", cleared: 40)).alarm.lifeState == .returnedUnacknowledged)
    }

    @Test func aLatchedAlarmIsOverOnlyWhenItIsAcknowledged() throws {
        var book = book()
        let open = alarm("f", kind: .fire)
        _ = told(&book, .raised, open)
        let cleared = alarm("f", kind: .fire, cleared: 60)
        let end = told(&book, .cleared, cleared)
        #expect(!end.isTold && end.alarm.lifeState == .latched && end.step == .updated && end.alarm.state == .open)
        #expect(book.latchedAlarms.map(\.id) == ["f"])
        // However long it takes.
        #expect(book.advance(to: second(100_000)).isEmpty)
        #expect(book.latchedAlarms.count == 1)
        let changes = act(&book, .acknowledge, cleared, at: 100_001)
        #expect(changes.map(\.step) == [.acknowledged, .cleared])
        #expect(changes.allSatisfy(\.isTold) && changes.last?.alarm.lifeState == .normal)
        #expect(book.latchedAlarms.isEmpty)
        // Acknowledged before it clears, it ends by itself.
        _ = told(&book, .raised, alarm("g", kind: .fire, raised: 200_000))
        _ = act(&book, .acknowledge, alarm("g", kind: .fire, raised: 200_000))
        #expect(told(&book, .cleared, alarm("g", kind: .fire, raised: 200_000, cleared: 200_050)).isTold)
    }

    @Test func aShelfKeepsItsSensorAndKindQuietUntilItsEnd() throws {
        var book = book()
        let open = alarm("a")
        _ = told(&book, .raised, open)
        let shelved = act(&book, .shelve, open, until: 100)
        #expect(shelved.map(\.step) == [.shelved] && !shelved[0].isTold)
        #expect(shelved[0].alarm.lifeState == .shelved)
        // Another incident of the same sensor and kind, and one of another kind.
        #expect(!told(&book, .raised, alarm("b", raised: 50)).isTold)
        #expect(told(&book, .raised, alarm("c", kind: .drift, raised: 50)).isTold)
        #expect(told(&book, .raised, alarm("d", sensor: "other", raised: 50)).isTold)
        #expect(book.advance(to: second(99)).isEmpty)
        let ended = book.advance(to: second(100))
        #expect(ended.map(\.step) == [.unshelved, .unshelved])
        #expect(ended.map(\.alarm.id) == ["a", "b"])
        #expect(ended.allSatisfy { $0.isTold && $0.alarm.lifeState == .unacknowledged })
        #expect(told(&book, .updated, open).isTold)
        // Ended by a person, and nothing is told twice.
        _ = act(&book, .shelve, open, until: 500)
        #expect(act(&book, .unshelve, open).map(\.step) == [.unshelved])
        #expect(book.advance(to: second(600)).isEmpty)
    }

    @Test func aSensorOutOfServiceIsQuietUntilItIsBack() {
        var book = book()
        let open = alarm("a")
        _ = told(&book, .raised, open)
        #expect(act(&book, .outOfService, open).allSatisfy { !$0.isTold && $0.alarm.lifeState == .outOfService })
        #expect(!told(&book, .raised, alarm("b", kind: .stuck, raised: 50)).isTold)
        #expect(!told(&book, .cleared, alarm("b", kind: .stuck, raised: 50, cleared: 60)).isTold)
        let back = act(&book, .inService, open)
        #expect(Set(back.filter(\.isTold).map(\.alarm.id)) == ["a"])
        #expect(told(&book, .raised, alarm("c", kind: .stuck, raised: 70)).isTold)
    }

    @Test func membersOfASummaryAreAcknowledgedWithIt() {
        var book = book()
        var members = [alarm("a", raised: 11), alarm("b", sensor: "p2", raised: 12)]
        for index in members.indices { members[index].summary = "s1" }
        #expect(members.allSatisfy { $0.lifeState == .suppressed })
        #expect(told(&book, .updated, members[0]).alarm.lifeState == .suppressed)
        let summary = alarm("s1")
        let changes = act(&book, .acknowledge, summary, members: members)
        #expect(changes.map(\.alarm.id) == ["s1", "a", "b"])
        #expect(changes.map(\.isTold) == [true, false, false])
        #expect(changes.allSatisfy { $0.alarm.lifeState == .acknowledged })
    }

    @Test func whatWasSavedGoesOn() throws {
        var book = book()
        _ = told(&book, .raised, alarm("a"))
        _ = act(&book, .assign, alarm("a"), text: "maintenance")
        _ = act(&book, .shelve, alarm("a"), until: 100)
        _ = told(&book, .raised, alarm("f", sensor: "oven", kind: .fire))
        _ = told(&book, .cleared, alarm("f", sensor: "oven", kind: .fire, cleared: 40))
        _ = act(&book, .outOfService, alarm("x", sensor: "valve"))
        var writer = StateWriter()
        book.save(to: &writer)
        var other = self.book()
        var reader = StateReader(writer.bytes[...])
        let isRestored = other.restore(from: &reader)
        #expect(isRestored && reader.isAtEnd)
        #expect(other.latchedAlarms.map(\.id) == ["f"])
        #expect(other.annotated(alarm("a")).care.assignee == "maintenance")
        #expect(!told(&other, .raised, alarm("y", sensor: "valve")).isTold)
        #expect(other.advance(to: second(100)).map(\.step) == [.unshelved])
        // Damaged bytes never trap, and change nothing.
        for count in 0..<writer.bytes.count {
            var fresh = self.book()
            var reader = StateReader(writer.bytes[..<count])
            let isSound = fresh.restore(from: &reader)
            #expect(!isSound && fresh.isEmpty)
        }
        for place in writer.bytes.indices {
            var bytes = writer.bytes
            bytes[place] ^= 0xff
            var fresh = self.book()
            var reader = StateReader(bytes[...])
            _ = fresh.restore(from: &reader)
        }
        // One sensor's part goes to another process.
        writer.removeAll()
        book.save(to: &writer) { $0 == "pump" }
        book.forget { $0 == "pump" }
        #expect(book.annotated(alarm("a")).care == .none)
        #expect(book.latchedAlarms.count == 1)
        var part = self.book()
        reader = StateReader(writer.bytes[...])
        let isAdopted = part.restore(from: &reader)
        #expect(isAdopted && part.annotated(alarm("a")).care.assignee == "maintenance" && part.latchedAlarms.isEmpty)
    }

    @Test func whatIsLongPastIsForgotten() {
        var book = book()
        for number in 0..<100 as Range<Int64> {
            _ = told(&book, .raised, alarm("\(number)", raised: number))
            _ = told(&book, .cleared, alarm("\(number)", raised: number, cleared: number + 5))
        }
        _ = book.advance(to: second(10_000))
        #expect(book.isEmpty)
    }
}

@Suite struct AlarmPerformanceTests {
    private func minute(_ number: Double) -> Timestamp { Timestamp(nanoseconds: Int64(number * 60e9)) }

    private func alarm(_ number: Int, sensor: String, at time: Double, for length: Double? = 1) -> Alarm {
        Alarm(
            id: "\(number)", sensor: sensor, metric: nil, kind: .spike, state: length == nil ? .open : .cleared,
            severity: number % 20 == 0 ? .critical : .warning, raised: minute(time), lastSeen: minute(time),
            cleared: length.map { minute(time + $0) }, verdicts: 1, score: 1, pValue: 0, sentence: "")
    }

    @Test func aCalmDayIsAcceptable() {
        let alarms = (0..<100).map { alarm($0, sensor: "s\($0)", at: Double($0) * 14) }
        let result = AlarmPerformance(alarms, from: minute(0), to: minute(1440), now: minute(1440))
        #expect(result.alarms == 100 && result.rating == .acceptable && result.peak == 1 && result.floods == 0)
        #expect(abs(result.average - 100.0 / 144) < 1e-9)
        #expect(abs(result.badActorShare - 0.1) < 1e-9 && result.chattering.isEmpty && result.stale == 0)
        #expect(result.severities[.critical] == 0.05)
        #expect(
            ratings(result) == [
                "average_per_10_minutes acceptable", "peak_in_10_minutes acceptable", "overloaded_share acceptable",
                "flood_share acceptable", "bad_actor_share -", "chattering acceptable",
                "newly_stale_per_day acceptable", "critical_share acceptable", "warning_share exceeded",
                "info_share exceeded",
            ])
    }

    private func ratings(_ performance: AlarmPerformance) -> [String] {
        performance.targets.map { "\($0.figure.rawValue) \($0.rating?.rawValue ?? "-")" }
    }

    @Test func everyTargetIsMissedByABadDay() {
        // 400 in two floods of one actor, cleared and back within a minute; 1440 / 10 * 2 < 400.
        let alarms = (0..<400).map { number in
            alarm(number * 20, sensor: "c", at: Double(number / 200) * 600 + Double(number % 200) * 0.1, for: 0.05)
        }
        let old = (0..<6).map { alarm(9_000 + $0, sensor: "old\($0)", at: -1_000 - Double($0), for: nil) }
        let result = AlarmPerformance(alarms, open: old, from: minute(0), to: minute(1440), now: minute(1440))
        #expect(result.stale == 6 && result.stalePerDay == 6)
        #expect(result.targets.map(\.rating) == Array(repeating: .exceeded, count: 8) + [.acceptable, .exceeded])
        // What was stale before the span began has not become so in it.
        let older = old.map { alarm in
            var alarm = alarm
            alarm.raised = minute(-5_000)
            return alarm
        }
        let later = AlarmPerformance([], open: older, from: minute(0), to: minute(1440), now: minute(1440))
        #expect(later.stale == 6 && later.stalePerDay == 0 && later.unacknowledged == 6)
        #expect(later.targets.prefix(4).allSatisfy { $0.rating == .acceptable })
        #expect(later.targets.suffix(3).allSatisfy { $0.rating == nil })
    }

    @Test func theAverageIsManageableBetweenOneAndTwo() {
        let alarms = (0..<200).map { alarm($0, sensor: "s\($0)", at: Double($0) * 7) }
        let result = AlarmPerformance(alarms, from: minute(0), to: minute(1440), now: minute(1440))
        #expect(result.targets[0].rating == .manageable && result.targets[4].rating == .manageable)
    }

    @Test func aFloodIsCountedFromItsFirstAlarmToItsLast() {
        // 30 in three minutes in a day that is quiet otherwise.
        var alarms = (0..<30).map { alarm($0, sensor: "s\($0)", at: 600 + Double($0) / 10) }
        alarms += (0..<10).map { alarm(100 + $0, sensor: "q", at: 700 + Double($0) * 30) }
        let result = AlarmPerformance(alarms.shuffled(), from: minute(0), to: minute(1440), now: minute(1440))
        #expect(result.floods == 1 && result.peak == 30)
        #expect(result.overloadedShare == 1.0 / 144)
        #expect(abs(result.floodShare * 1440 - 12.9) < 0.01)
        #expect(result.badActors.first?.sensor == "q" && result.badActors.first?.alarms == 10)
    }

    @Test func chatteringStaleAndMembersAreTold() {
        var alarms = [
            alarm(1, sensor: "c", at: 1, for: 0.2), alarm(2, sensor: "c", at: 1.5, for: 0.2),
            alarm(3, sensor: "old", at: 2, for: nil), alarm(4, sensor: "m", at: 3),
        ]
        alarms[3].summary = "s1"
        alarms[0].care.acknowledged = minute(3)
        let result = AlarmPerformance(alarms, from: minute(0), to: minute(10), now: minute(3000))
        #expect(result.alarms == 3)
        #expect(result.chattering.map(\.sensor) == ["c"])
        #expect(result.stale == 1 && result.unacknowledged == 1)
        #expect(result.medianResponse == 120)
    }
}
