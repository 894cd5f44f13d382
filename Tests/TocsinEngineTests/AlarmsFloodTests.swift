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
        // Ten singly and the summary.
        #expect(raised.count == 11)
        let summary = try #require(raised.last?.change.alarm)
        #expect(summary.id.hasPrefix("s") && summary.id.count == 16)
        #expect(desk.isFlood && desk.members(of: summary.id).count == 20)
        #expect(Set(notices.filter { !$0.isTold }.map(\.change.alarm.id)) == Set(desk.members(of: summary.id)))
        #expect(notices.filter { !$0.isTold }.allSatisfy { $0.summaryID == summary.id })
        let last = try #require(told.last?.change.alarm)
        #expect(
            last.sentence == "26 incidents on 26 sensors since 2025-10-09 00:00:01 UTC: drift of temperature of pump_1 "
                + "first, then drift of temperature of pump_2, drift of temperature of pump_3 and 23 more")
        // The summary is told again each time its members double: 2, 4, 8, 16.
        #expect(told.filter { $0.change.step == .updated }.count == 4)
        #expect(desk.counts.grouped == 20 && desk.counts.summaries == 1 && desk.counts.raised == 30)
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

    @Test func itEndsWhenTheRateHasBeenLowForAWhile() throws {
        let flood = FloodSettings(incidents: 2, within: .seconds(60), calmAfter: .seconds(120))
        var desk = AlarmDesk(settings: AlarmSettings(clearAfter: .seconds(1000), flood: flood))
        for sensor in 1...3 { _ = desk.take(AlarmScene.finding(sensor: UInt32(sensor), at: Double(sensor))) }
        #expect(desk.isFlood)
        // Over the limit until second 61, and over for good 120 s later.
        #expect(desk.take(AlarmScene.finding(sensor: 4, at: 180)).first?.isTold == false)
        #expect(desk.advance(to: AlarmScene.at(180.9)).isEmpty)
        let end = desk.advance(to: AlarmScene.at(181))
        #expect(end.map(\.change.step) == [.updated] && !desk.isFlood)
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
