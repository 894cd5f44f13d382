import Testing
import TocsinCore
import TocsinEngine

/// On delay, off delay, dead band, and what chatters.
@Suite struct AlarmsWaitingTests {
    private let slow = ResolvedRule(RuleFields(onDelay: .seconds(30)))

    @Test func aConditionIsRaisedWhenItHasHeld() {
        var desk = AlarmDesk()
        #expect(desk.take(AlarmScene.finding(.spike, at: 0), rule: slow).isEmpty)
        #expect(desk.pendingCount == 1 && desk.openCount == 0)
        #expect(desk.take(AlarmScene.finding(.spike, at: 20), rule: slow).isEmpty)
        let raised = desk.take(AlarmScene.finding(.spike, at: 30), rule: slow)
        #expect(raised.map(\.change.step) == [.raised])
        #expect(raised.first?.change.alarm.raised == AlarmScene.at(0))
        #expect(raised.first?.change.alarm.verdicts == 3)
        #expect(desk.pendingCount == 0 && desk.openCount == 1)
    }

    @Test func theWaitingFindingAlreadyHasTheIncidentsId() {
        var desk = AlarmDesk()
        let first = desk.book(AlarmScene.finding(at: 0), rule: slow, progress: AlarmScene.at(0))
        #expect(first.outcome == .pending && first.isNews)
        let second = desk.book(
            AlarmScene.finding(at: 60, since: 0, isContinuation: true), rule: slow, progress: AlarmScene.at(60))
        #expect(second.outcome == .booked)
        #expect(second.alarmID == first.alarmID)
    }

    @Test func whatHasHeldBeforeItWasFoundIsRaisedAtOnce() {
        var desk = AlarmDesk()
        #expect(desk.take(AlarmScene.finding(at: 100, since: 60), rule: slow).map(\.change.step) == [.raised])
    }

    @Test func flappingRaisesNothing() {
        var desk = AlarmDesk()
        for round in 0..<50 {
            let second = Double(round) * 20
            #expect(desk.take(AlarmScene.finding(.spike, at: second), rule: slow).isEmpty)
            #expect(desk.hasWatches && desk.watches(SeriesID(1)))
            let back = AlarmScene.at(second + 5)
            desk.observe(sensor: SensorID(1), series: SeriesID(1), value: 5, time: back, progress: back)
            #expect(!desk.hasWatches)
        }
        #expect(desk.openCount == 0 && desk.pendingCount == 0)
    }

    @Test func aValueStillOutsideDoesNotEndTheWaiting() {
        var desk = AlarmDesk()
        _ = desk.take(AlarmScene.finding(.spike, at: 0), rule: slow)
        desk.observe(
            sensor: SensorID(1), series: SeriesID(1), value: 11, time: AlarmScene.at(15), progress: AlarmScene.at(15))
        #expect(desk.take(AlarmScene.finding(.spike, at: 31), rule: slow).count == 1)
    }

    @Test func aConditionNotHeardOfAgainIsDropped() {
        var desk = AlarmDesk()
        _ = desk.take(AlarmScene.finding(.noise, at: 0), rule: slow)
        #expect(desk.advance(to: AlarmScene.at(300)).isEmpty)
        #expect(desk.pendingCount == 0 && !desk.hasWatches)
        #expect(desk.take(AlarmScene.finding(.noise, at: 310), rule: slow).isEmpty)
    }

    @Test func aSilenceThatEndsInTimeIsNeverTold() {
        var desk = AlarmDesk()
        _ = desk.take(AlarmScene.finding(.silence, at: 0), rule: slow)
        #expect(desk.clearSilence(of: SensorID(1), at: AlarmScene.at(10)).isEmpty)
        #expect(desk.pendingCount == 0)
    }

    @Test func fireDoesNotWait() {
        var desk = AlarmDesk()
        #expect(desk.take(AlarmScene.finding(.fire, at: 0), rule: slow).map(\.change.step) == [.raised])
    }

    @Test func withinTheCooldownItMustHoldAgain() {
        var desk = AlarmDesk()
        _ = desk.take(AlarmScene.finding(at: 60, since: 0), rule: slow)
        #expect(desk.advance(to: AlarmScene.at(400)).map(\.change.step) == [.cleared])
        #expect(desk.take(AlarmScene.finding(at: 410), rule: slow).isEmpty)
        let again = desk.take(AlarmScene.finding(at: 450), rule: slow)
        #expect(again.map(\.change.step) == [.reopened])
        #expect(again.first?.change.alarm.verdicts == 3)
    }

    @Test func theOffDelayIsTheRules() {
        var desk = AlarmDesk()
        let rule = ResolvedRule(RuleFields(offDelay: .seconds(10)))
        _ = desk.take(AlarmScene.finding(at: 0), rule: rule)
        #expect(desk.advance(to: AlarmScene.at(9.9)).isEmpty)
        let cleared = desk.advance(to: AlarmScene.at(10))
        #expect(cleared.first?.change.alarm.cleared == AlarmScene.at(10))
    }

    @Test func insideTheDeadBandItIsNotOver() {
        var desk = AlarmDesk()
        let rule = ResolvedRule(RuleFields(offDelay: .seconds(10), deadBand: 2))
        _ = desk.take(AlarmScene.finding(.range, at: 0, value: 12), rule: rule)
        // 9 is inside 0 to 10, but not by 2.
        for second in 1...30 {
            let now = AlarmScene.at(Double(second))
            #expect(desk.advance(to: now).isEmpty)
            desk.observe(sensor: SensorID(1), series: SeriesID(1), value: 9, time: now, progress: now)
        }
        for second in 31...39 {
            let now = AlarmScene.at(Double(second))
            #expect(desk.advance(to: now).isEmpty)
            desk.observe(sensor: SensorID(1), series: SeriesID(1), value: 7.9, time: now, progress: now)
        }
        let cleared = desk.advance(to: AlarmScene.at(40))
        #expect(cleared.map(\.change.step) == [.cleared])
        #expect(cleared.first?.change.alarm.cleared == AlarmScene.at(40))
        #expect(!desk.hasWatches)
    }

    @Test func withoutRulesNobodyLooksAtReadings() {
        var desk = AlarmDesk()
        _ = desk.take(AlarmScene.finding(.spike, at: 0))
        #expect(!desk.hasWatches)
    }

    @Test func whatChattersIsToldLessAndLessOften() {
        var desk = AlarmDesk()
        var told = 0
        // A finding every six minutes for a day: quiet for more than five.
        for round in 0..<240 { told += desk.take(AlarmScene.finding(.noise, at: Double(round) * 360)).count }
        // Raised, cleared, reopened, then open all day: 2, 4, … 128 verdicts more.
        #expect(told < 12)
        #expect(desk.openCount == 1)
    }
}
