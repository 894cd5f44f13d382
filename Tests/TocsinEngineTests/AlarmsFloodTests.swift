import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmsFloodTests {
    @Test func beyondTheLimitIncidentsAreMembersOfOneSummary() throws {
        var desk = AlarmDesk()
        var notices: [AlarmNotice] = []
        for sensor in 1...30 { notices += desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: Double(sensor))) }
        let told = notices.filter(\.isTold)
        let raised = told.filter { $0.change.step == .raised }
        // Nine singly and the summary: ten messages.
        #expect(raised.count == 10)
        let summary = try #require(raised.last?.change.alarm)
        #expect(summary.id.hasPrefix("s") && summary.id.count == 16)
        #expect(desk.isFlood && desk.members(of: summary.id).count == 21)
        #expect(Set(notices.filter { !$0.isTold }.map(\.change.alarm.id)) == Set(desk.members(of: summary.id)))
        #expect(notices.filter { !$0.isTold }.allSatisfy { $0.summaryID == summary.id })
        // What people do with members is stored with what the desk says of them: they must not leave the summary by it.
        #expect(desk.members(of: summary.id).allSatisfy { desk.alarm(id: $0)?.summary == summary.id })
        #expect(raised.dropLast().allSatisfy { desk.alarm(id: $0.change.alarm.id)?.summary == nil })
        let last = try #require(told.last?.change.alarm)
        #expect(
            last.sentence == "29 incidents on 29 sensors since 2025-10-09 00:00:01 UTC: drift of temperature of pump_1 "
                + "first, then drift of temperature of pump_2, drift of temperature of pump_3 and 26 more")
        // The summary is told again each time its members double, and every 10 s if it has grown: 2, 4, 8, 10, 20.
        #expect(told.filter { $0.change.step == .updated }.count == 5)
        let settled = desk.advance(to: AlarmScene.at(40)).map(\.change)
        #expect(settled.map(\.step) == [.updated] && settled.first?.alarm.verdicts == 30)
        #expect(desk.advance(to: AlarmScene.at(100)).isEmpty)
        #expect(desk.counts.grouped == 21 && desk.counts.summaries == 1 && desk.counts.raised == 30)
    }

    @Test func theEarliestOnsetStandsFirst() throws {
        var desk = AlarmDesk(settings: AlarmSettings(flood: FloodSettings(incidents: 1)))
        _ = desk.take(AlarmScene.finding(sensor: 1, at: 100, since: 50))
        let notices = desk.take(AlarmScene.finding(.stuck, sensor: 2, at: 101, since: 10))
        let summary = try #require(notices.last?.change.alarm)
        #expect(
            summary.sentence == "2 incidents on 2 sensors since 2025-10-09 00:00:10 UTC: stuck value of temperature of "
                + "pump_2 first, then drift of temperature of pump_1")
        #expect(summary.raised == AlarmScene.at(10))
    }

    @Test func aFirstCauseStaysWithTheIncidentAndTheSummary() throws {
        var desk = AlarmDesk(settings: AlarmSettings(flood: FloodSettings(incidents: 1)))
        _ = desk.take(AlarmScene.finding(sensor: 1, at: 100))
        let notices = desk.take(AlarmScene.finding(sensor: 2, at: 101))
        for notice in notices { desk.explain(notice.change.alarm.id, cause: "pump_1 moved first") }
        desk = try #require(desk.reborn(settings: AlarmSettings(flood: FloodSettings(incidents: 1))))
        _ = desk.take(AlarmScene.finding(sensor: 3, at: 102))
        let more = desk.take(AlarmScene.finding(sensor: 2, at: 103)) + desk.advance(to: AlarmScene.at(5000))
        let explained = more.filter { $0.change.alarm.cause == "pump_1 moved first" }.map(\.change.alarm.id)
        #expect(Set(explained) == Set(notices.map(\.change.alarm.id)))
        #expect(notices.first?.change.alarm.summary == notices.last?.change.alarm.id)
        #expect(notices.first?.change.isTold == false && notices.last?.change.isTold == true)
    }

    @Test func criticalIncidentsAreToldSingly() {
        var desk = AlarmDesk(settings: AlarmSettings(flood: FloodSettings(incidents: 1)))
        for sensor in 1...5 { _ = desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: Double(sensor))) }
        for (index, kind) in [AnomalyKind.fire, .range].enumerated() {
            let notices = desk.take(AlarmScene.finding(kind, sensor: 9, at: 10 + Double(index)))
            #expect(notices.count == 1 && notices.allSatisfy(\.isTold))
        }
    }

    @Test func aMemberThatBecomesCriticalIsTold() throws {
        var desk = AlarmDesk(settings: AlarmSettings(flood: FloodSettings(incidents: 1)))
        _ = desk.take(AlarmScene.finding(.spike, sensor: 1, at: 1))
        let member = desk.take(AlarmScene.finding(.spike, sensor: 2, at: 2))
        #expect(member.first?.isTold == false)
        let escalated = desk.take(AlarmScene.finding(.spike, sensor: 2, at: 3, score: 0.9, value: 500))
        #expect(escalated.first?.change.step == .escalated && escalated.first?.isTold == true)
        let id = try #require(member.first?.change.alarm.id)
        #expect(desk.summary(of: id) == nil)
    }

    /// Whoever hears of critical ones only has heard nothing of it.
    @Test func aMemberThatComesBackCriticalIsTold() throws {
        let flood = FloodSettings(incidents: 1)
        let settings = AlarmSettings(clearAfter: .seconds(10), cooldown: .seconds(600), flood: flood)
        let budget = AlarmSettings(clearAfter: .seconds(10), cooldown: .seconds(600), flood: nil, budgetPerDay: 1)
        for settings in [settings, budget] {
            var desk = AlarmDesk(settings: settings)
            _ = desk.take(AlarmScene.finding(.spike, sensor: 1, name: "pump", at: 1))
            let member = desk.take(AlarmScene.finding(.spike, sensor: 2, name: "pump", at: 2)).map(\.change.alarm)
            #expect(desk.summary(of: member[0].id) == member[1].id)
            #expect(desk.advance(to: AlarmScene.at(20)).map(\.change.step) == [.cleared, .cleared])
            let again = desk.take(AlarmScene.finding(.spike, sensor: 2, name: "pump", at: 30, score: 0.9, value: 500))
            #expect(again.first?.change.step == .escalated && again.first?.isTold == true)
            #expect(again.first?.change.alarm.id == member[0].id && desk.summary(of: member[0].id) == nil)
            let end = desk.advance(to: AlarmScene.at(60)).first { $0.change.alarm.id == member[0].id }
            #expect(end?.change.step == .cleared && end?.isTold == true)
        }
    }

    @Test func aFloodWhoseMemberComesBackCriticalOutlastsIt() throws {
        let flood = FloodSettings(incidents: 1, within: .seconds(30), calmAfter: .seconds(10), criticals: 0)
        var desk = AlarmDesk(
            settings: AlarmSettings(clearAfter: .seconds(20), cooldown: .seconds(600), flood: flood))
        _ = desk.take(AlarmScene.finding(.spike, sensor: 1, at: 1))
        let summary = try #require(desk.take(AlarmScene.finding(.spike, sensor: 2, at: 2)).last?.change.alarm.id)
        _ = desk.advance(to: AlarmScene.at(25))
        let again = desk.take(AlarmScene.finding(.spike, sensor: 2, at: 30, score: 0.9, value: 500))
        #expect(again.map(\.change.step) == [.escalated, .escalated] && again.map(\.isTold) == [false, true])
        #expect(again.last?.change.alarm.id == summary && again.last?.change.alarm.severity == .critical)
        #expect(!desk.advance(to: AlarmScene.at(69)).contains { $0.change.alarm.id == summary })
        #expect(desk.advance(to: AlarmScene.at(80)).last?.change.alarm.id == summary)
    }

    @Test func fiveHundredCriticalIncidentsAreNineMessagesAndASummaryThatSaysSo() throws {
        var desk = AlarmDesk()
        var notices: [AlarmNotice] = []
        for sensor in 1...500 {
            notices += desk.take(AlarmScene.finding(.range, sensor: UInt32(sensor), at: Double(sensor) / 10))
            if sensor % 37 == 0 { desk = try #require(desk.reborn(settings: AlarmSettings())) }
        }
        let told = notices.filter { $0.isTold && $0.change.step != .updated }
        #expect(told.count == 10 && told.allSatisfy { $0.change.step == .raised })
        let summary = try #require(told.last?.change.alarm)
        #expect(summary.id.hasPrefix("s") && summary.severity == .critical)
        #expect(desk.members(of: summary.id).count == 491)
        let last = try #require(desk.advance(to: AlarmScene.at(70)).last?.change)
        #expect(last.alarm.sentence.hasPrefix("500 critical incidents on 500 sensors since "))
    }

    @Test(arguments: [21, 23, 26, 40]) func inAFloodTheFirstCriticalIncidentsAreToldAndTheRestMakeItsSummaryCritical(
        _ restart: Int
    ) throws {
        var desk = AlarmDesk()
        for sensor in 1...20 { _ = desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: Double(sensor))) }
        var notices: [AlarmNotice] = []
        for sensor in 21...40 {
            if sensor == restart { desk = try #require(desk.reborn(settings: AlarmSettings())) }
            notices += desk.take(AlarmScene.finding(.fire, sensor: UInt32(sensor), at: Double(sensor)))
        }
        let told = notices.filter(\.isTold).map(\.change)
        #expect(told.filter { $0.step == .raised }.map(\.alarm.sensor) == (21...25).map { "pump_\($0)" })
        let worse = told.filter { $0.step == .escalated }
        #expect(worse.count == 1 && worse.first?.alarm.id.hasPrefix("s") == true)
        #expect(worse.first?.alarm.severity == .critical)
        let last = try #require(desk.advance(to: AlarmScene.at(60)).last?.change)
        #expect(last.alarm.sentence.hasPrefix("20 critical of 40 incidents on 40 sensors since "))
        #expect(notices.filter { !$0.isTold }.allSatisfy { $0.summaryID == last.alarm.id })
    }

    @Test func ofMembersThatBecomeCriticalTheFirstAreToldAndTheRestMakeItsSummaryCritical() throws {
        var desk = AlarmDesk()
        for sensor in 1...30 { _ = desk.take(AlarmScene.finding(.spike, sensor: UInt32(sensor), at: Double(sensor))) }
        var notices: [AlarmNotice] = []
        for sensor in 10...30 {
            notices += desk.take(
                AlarmScene.finding(.spike, sensor: UInt32(sensor), at: Double(sensor) + 25, score: 0.9, value: 500))
        }
        let steps = notices.filter { $0.change.step == .escalated }
        let told = steps.filter { $0.isTold && !$0.change.alarm.id.hasPrefix("s") }
        #expect(told.map(\.change.alarm.sensor) == (10...14).map { "pump_\($0)" })
        #expect(steps.filter { $0.change.alarm.id.hasPrefix("s") }.count == 1)
        #expect(steps.filter { !$0.isTold }.count == 16)
        // All of them end, and the summary with the last.
        let rest = desk.advance(to: AlarmScene.at(90_000)).map(\.change)
        #expect(rest.filter { $0.step == .cleared }.count == 31 && desk.openAlarms.isEmpty)
        #expect(rest.contains { $0.alarm.sentence.hasPrefix("21 critical of 30 incidents on 30 sensors since ") })
    }

    @Test func itEndsWhenTheRateHasBeenLowForAWhile() throws {
        let flood = FloodSettings(incidents: 2, within: .seconds(60), calmAfter: .seconds(120))
        var desk = AlarmDesk(settings: AlarmSettings(clearAfter: .seconds(1000), flood: flood))
        for sensor in 1...3 { _ = desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: Double(sensor))) }
        #expect(desk.isFlood)
        // Over the limit until second 61, and over for good 120 s later.
        #expect(desk.take(AlarmScene.finding(sensor: 4, at: 180)).first?.isTold == false)
        #expect(desk.advance(to: AlarmScene.at(180.9)).isEmpty)
        let end = desk.advance(to: AlarmScene.at(181))
        // All of it has been told.
        #expect(end.isEmpty && !desk.isFlood)
        #expect(desk.take(AlarmScene.finding(sensor: 5, at: 182)).first?.isTold == true)
        // The summary is over when its members are.
        let rest = desk.advance(to: AlarmScene.at(3000))
        let summary = try #require(rest.first { $0.change.alarm.id.hasPrefix("s") })
        #expect(summary.change.step == .cleared && summary.change.alarm.cleared == AlarmScene.at(1180))
        #expect(rest.filter { $0.change.step == .cleared }.count == 6)
    }

    @Test func aSlowTrickleIsNoFlood() {
        var desk = AlarmDesk()
        for sensor in 1...200 {
            let notices = desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: Double(sensor) * 60))
            #expect(!notices.contains { !$0.isTold })
        }
    }

    @Test func withoutSettingsThereIsNone() {
        var desk = AlarmDesk(settings: AlarmSettings(flood: nil))
        for sensor in 1...50 { #expect(desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: 1)).count == 1) }
    }

    @Test func aSummaryOfWhichOnlyTheAlarmIsLeftEnds() throws {
        var desk = AlarmDesk(settings: AlarmSettings(flood: FloodSettings(incidents: 1)))
        _ = desk.take(AlarmScene.finding(sensor: 1, at: 1))
        let alarms = desk.take(AlarmScene.finding(sensor: 2, at: 2)).map(\.change.alarm)
        var later = AlarmDesk()
        for alarm in alarms { later.restore(alarm, sensor: SensorID(2)) }
        #expect(later.openAlarms.count == 2)
        let cleared = later.advance(to: AlarmScene.at(4000)).map(\.change)
        #expect(cleared.map(\.step) == [.cleared, .cleared])
        #expect(Set(cleared.map(\.alarm.id)) == Set(alarms.map(\.id)))
        #expect(later.openAlarms.isEmpty)
    }
}
