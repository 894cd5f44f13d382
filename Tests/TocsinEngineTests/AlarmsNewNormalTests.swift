import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmsNewNormalTests {
    private let settings = AlarmSettings(newNormalAfter: .hours(6))

    /// A drift that goes on each minute, at levels by minute.
    private func run(_ desk: inout AlarmDesk, minutes: Range<Int>, level: (Int) -> Double) -> [AlarmNotice] {
        var notices: [AlarmNotice] = []
        for minute in minutes {
            notices += desk.take(
                AlarmScene.finding(
                    at: Double(minute) * 60, since: 0, value: level(minute), isContinuation: minute > 0))
        }
        return notices
    }

    @Test func aLevelThatStaysIsTheNewNormal() {
        var desk = AlarmDesk(settings: settings)
        let notices = run(&desk, minutes: 0..<500) { _ in 14 }
        let cleared = notices.filter { $0.change.step == .cleared }
        #expect(cleared.count == 1)
        #expect(cleared.first?.change.alarm.cleared == AlarmScene.at(6 * 3600))
        #expect(cleared.first?.change.alarm.sentence == "finding 0.6; unchanged for 6 h, taken as the new normal")
        // The detector goes on to say so for a while: nobody is told again.
        #expect(desk.openCount == 0)
        let last = desk.book(
            AlarmScene.finding(at: 30_001, value: 13), rule: .standard, progress: AlarmScene.at(30_001))
        #expect(last.outcome == .accepted && last.isNews && last.alarmID == nil)
        #expect(desk.counts.accepted == 1)
    }

    @Test func furtherChangeStartsTheTimeAnew() {
        var desk = AlarmDesk(settings: settings)
        // The band is 10 wide: 6 more is a change, noise of 2 is none.
        let notices = run(&desk, minutes: 0..<600) { $0 < 200 ? 14 + Double($0 % 3) : 20 + Double($0 % 3) }
        let cleared = notices.filter { $0.change.step == .cleared }.compactMap(\.change.alarm.cleared)
        #expect(cleared == [AlarmScene.at(200 * 60 + 6 * 3600)])
    }

    @Test func aMoveAwayFromTheAcceptedLevelIsAnotherIncident() {
        var desk = AlarmDesk(settings: settings)
        let first = run(&desk, minutes: 0..<400) { _ in 14 }
        let raised = desk.take(AlarmScene.finding(at: 24_100, since: 24_000, value: 25))
        #expect(raised.map(\.change.step) == [.raised])
        #expect(raised.first?.change.alarm.id != first.first?.change.alarm.id)
    }

    @Test func whatTheDetectorForgetsIsForgotten() {
        var desk = AlarmDesk(settings: settings)
        _ = run(&desk, minutes: 0..<400) { _ in 14 }
        _ = desk.advance(to: AlarmScene.at(24_000 + 6 * 3600 + 60))
        // Back at the old level and then here again: a drift like any other.
        #expect(desk.take(AlarmScene.finding(at: 60_000, value: 14)).map(\.change.step) == [.raised])
    }

    @Test func onlyDriftsBecomeNormalAndOnlyWhereWanted() {
        var stuck = AlarmDesk(settings: settings)
        var never = AlarmDesk(settings: AlarmSettings(newNormalAfter: nil))
        for minute in 0..<500 {
            let at = Double(minute) * 60
            _ = stuck.take(AlarmScene.finding(.stuck, at: at, since: 0, isContinuation: minute > 0))
            _ = never.take(AlarmScene.finding(at: at, since: 0, isContinuation: minute > 0))
        }
        #expect(stuck.openCount == 1 && never.openCount == 1)
    }

    @Test func aQuietEndComesBeforeTheAcceptance() {
        var desk = AlarmDesk(settings: settings)
        _ = desk.take(AlarmScene.finding(at: 0))
        let notices = desk.advance(to: AlarmScene.at(10 * 3600))
        #expect(notices.first?.change.alarm.cleared == AlarmScene.at(300))
        #expect(notices.first?.change.alarm.sentence == "finding 0.6")
    }
}
