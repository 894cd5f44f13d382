import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmBookTests {
    private let start = Timestamp(seconds: 1_760_000_000)
    private let sensor = SensorID(3)

    private func verdict(
        _ kind: AnomalyKind = .spike, after seconds: Int64 = 0, score: Double = 0.6, value: Double = 12
    ) -> Verdict {
        let time = start.advanced(by: .seconds(seconds))
        return Verdict(
            sensor: sensor, series: SeriesID(0), kind: kind, detector: .bank, start: time, time: time, value: value,
            expectedLow: 0, expectedHigh: 10, score: score, pValue: 1e-8)
    }

    private func book(_ book: inout AlarmBook, _ verdict: Verdict) -> (alarmID: String, change: AlarmChange?) {
        let booked = book.book(
            verdict, sensorName: "pump", metric: "temperature", sentence: "s\(verdict.score)",
            progress: verdict.time)
        return (booked.alarmID, booked.change)
    }

    @Test func aConditionThatOutlivesItsIncidentRaisesAnother() {
        var alarms = AlarmBook(settings: AlarmSettings(clearAfter: .minutes(1), cooldown: .minutes(1)))
        let first = book(&alarms, verdict()).alarmID
        _ = alarms.advance(to: start.advanced(by: .minutes(5)))
        var continuation = verdict()
        continuation.isContinuation = true
        continuation.time = start.advanced(by: .minutes(6))
        let second = alarms.book(
            continuation, sensorName: "pump", metric: nil, sentence: "", progress: continuation.time)
        #expect(second.alarmID != first)
        #expect(second.change?.step == .raised)
        #expect(second.change?.alarm.raised == continuation.time)
    }

    @Test func aContinuationThatOpensAnIncidentIsNews() {
        var alarms = AlarmBook(settings: AlarmSettings())
        var continuation = verdict()
        continuation.isContinuation = true
        func isNews(_ verdict: Verdict) -> Bool {
            alarms.book(
                verdict, sensorName: "pump", metric: nil, sentence: "", progress: verdict.time
            ).isNews
        }
        #expect(isNews(continuation))
        #expect(!isNews(continuation))
    }

    @Test func fourHundredVerdictsBecomeOneIncidentToldNineTimes() {
        var alarms = AlarmBook(settings: AlarmSettings(clearAfter: .minutes(5)))
        var ids: Set<String> = []
        var steps: [AlarmChange.Step] = []
        for second in 0..<400 {
            let (id, change) = book(&alarms, verdict(after: Int64(second)))
            ids.insert(id)
            if let change { steps.append(change.step) }
        }
        #expect(ids.count == 1)
        // 1, 2, 4, … 256.
        #expect(steps == [.raised] + Array(repeating: .updated, count: 8))
        #expect(alarms.openCount == 1)
    }

    @Test func clearsAfterTheQuietTimeAndReopensWithinTheCooldown() throws {
        var alarms = AlarmBook(settings: AlarmSettings(clearAfter: .minutes(5), cooldown: .minutes(10)))
        let first = book(&alarms, verdict()).alarmID
        #expect(alarms.advance(to: start.advanced(by: .seconds(299))).isEmpty)
        let cleared = alarms.advance(to: start.advanced(by: .seconds(300)))
        #expect(cleared.map(\.step) == [.cleared])
        #expect(cleared.first?.alarm.cleared == start.advanced(by: .minutes(5)))
        #expect(alarms.openCount == 0)

        let (again, change) = book(&alarms, verdict(after: 600))
        #expect(again == first)
        // Told: whoever heard that it was over must hear that it is not.
        #expect(change?.step == .reopened)
        #expect(change?.alarm.state == .open)
        #expect(change?.alarm.verdicts == 2)
    }

    @Test func afterTheCooldownItIsANewIncident() {
        var alarms = AlarmBook(settings: AlarmSettings(clearAfter: .minutes(5), cooldown: .minutes(10)))
        let first = book(&alarms, verdict()).alarmID
        _ = alarms.advance(to: start.advanced(by: .minutes(16)))
        let (second, change) = book(&alarms, verdict(after: 16 * 60 + 1))
        #expect(second != first)
        #expect(change?.step == .raised)
    }

    @Test func kindsAreIncidentsOfTheirOwn() {
        var alarms = AlarmBook(settings: AlarmSettings())
        _ = book(&alarms, verdict(.spike))
        _ = book(&alarms, verdict(.stuck))
        #expect(alarms.openCount == 2)
    }

    @Test func aReturningSensorEndsItsSilenceAtOnce() {
        var alarms = AlarmBook(settings: AlarmSettings())
        _ = book(&alarms, verdict(.silence))
        let change = alarms.clearSilence(of: sensor, at: start.advanced(by: .seconds(7)))
        #expect(change?.step == .cleared)
        #expect(change?.alarm.cleared == start.advanced(by: .seconds(7)))
        #expect(alarms.clearSilence(of: sensor, at: start) == nil)
    }

    @Test func theStrongestVerdictGivesTheSentenceAndTheSeverity() {
        var alarms = AlarmBook(settings: AlarmSettings())
        _ = book(&alarms, verdict(score: 0.6))
        let (_, change) = book(&alarms, verdict(after: 1, score: 0.9, value: 100))
        #expect(change?.step == .escalated)
        #expect(change?.alarm.sentence == "s0.9")
        #expect(change?.alarm.severity == .critical)
    }

    @Test func silenceIsNotOverBecauseTimeGoesBy() {
        var alarms = AlarmBook(settings: AlarmSettings(clearAfter: .minutes(5)))
        _ = book(&alarms, verdict(.silence))
        #expect(alarms.advance(to: start.advanced(by: .days(3))).isEmpty)
        #expect(alarms.openCount == 1)
        #expect(alarms.clearSilence(of: sensor, at: start.advanced(by: .days(4)))?.step == .cleared)
    }

    @Test func restoredAlarmsGoOnUnderTheirIdAndCountNothingTwice() {
        var alarms = AlarmBook(settings: AlarmSettings())
        let (id, _) = book(&alarms, verdict())
        let (_, last) = book(&alarms, verdict(after: 60))
        guard let open = last?.alarm else { return }

        var later = AlarmBook(settings: AlarmSettings())
        later.restore(open, sensor: sensor)
        // The source is read again from its start: what came before the incident is an incident of its own …
        let earlier = book(&later, verdict(after: -1000))
        #expect(earlier.alarmID != id)
        _ = later.advance(to: start.advanced(by: .seconds(-600)))
        // … what belongs to it was counted …
        #expect(book(&later, verdict()).alarmID == id)
        #expect(book(&later, verdict(after: 60)).change == nil)
        // … and it goes on with what is new.
        #expect(book(&later, verdict(after: 61)).alarmID == id)
        let (_, fourth) = book(&later, verdict(after: 62))
        #expect(fourth?.alarm.verdicts == 4)
    }

    @Test func aRestoredAlarmThatNothingFollowsIsClearedByTheStreamsProgress() {
        var alarms = AlarmBook(settings: AlarmSettings())
        guard let open = book(&alarms, verdict()).change?.alarm else { return }
        var later = AlarmBook(settings: AlarmSettings())
        later.restore(open, sensor: sensor)
        #expect(later.advance(to: start.advanced(by: .minutes(6))).map(\.step) == [.cleared])
    }

    @Test func aRestoredSilenceEndsWithTheNextReading() {
        var alarms = AlarmBook(settings: AlarmSettings())
        guard let open = book(&alarms, verdict(.silence)).change?.alarm else { return }
        var later = AlarmBook(settings: AlarmSettings())
        later.restore(open, sensor: sensor)
        #expect(later.wasSilent(sensor))
        #expect(later.clearSilence(of: sensor, at: start.advanced(by: .seconds(-5))) == nil)
        #expect(later.clearSilence(of: sensor, at: start.advanced(by: .seconds(5)))?.alarm.id == open.id)
        #expect(!later.wasSilent(sensor))
    }

    @Test func theSameIncidentHasTheSameIdInEveryProcess() {
        var one = AlarmBook(settings: AlarmSettings())
        var other = AlarmBook(settings: AlarmSettings())
        let id = book(&one, verdict()).alarmID
        #expect(id == book(&other, verdict()).alarmID)
        #expect(id.count == 16)
    }
}
