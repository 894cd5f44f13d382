import Testing
import TocsinCore
import TocsinEngine

@Suite struct AlarmsCalendarTests {
    private func time(_ text: String) -> Timestamp { Timestamp(iso8601: text) ?? Timestamp(nanoseconds: 0) }

    private func entry(_ when: String, _ sensors: NamePattern = .any) throws -> CalendarEntry {
        CalendarEntry(sensors: sensors, when: try .init(text: when), reason: "oil change")
    }

    // 2025-10-11 is a Saturday.
    @Test(arguments: [
        ("Sat 02:00-04:00 UTC", "2025-10-11T02:00:00Z", true), ("Sat 02:00-04:00 UTC", "2025-10-11T04:00:00Z", false),
        ("sat 02:00-04:00", "2025-10-10T03:00:00Z", false), ("saturday 02:00-04:00", "2025-10-18T03:59:59Z", true),
        ("Mon-Fri 22:00-06:00", "2025-10-11T05:00:00Z", true), ("Mon-Fri 22:00-06:00", "2025-10-12T05:00:00Z", false),
        ("Sun 22:00-06:00", "2025-10-13T05:59:00Z", true), ("Fri-Mon 00:00-24:00", "2025-10-12T12:00:00Z", true),
        ("Fri-Mon 00:00-24:00", "2025-10-14T00:00:00Z", false), ("daily 02:00-02:30", "2025-10-14T02:29:59Z", true),
        ("02:00-02:30", "2025-10-14T02:30:00Z", false), ("Sat,Sun 00:00-01:00 +02:00", "2025-10-10T22:30:00Z", true),
        ("Mon 00:00-01:00 -05:00", "2025-10-13T05:30:00Z", true),
        ("Mon 00:00-01:00 +02:00", "2025-10-12T22:30:00Z", true),
        ("2025-10-11T02:00:00Z/2025-10-11T04:00:00Z", "2025-10-11T03:00:00Z", true),
        ("2025-10-11T02:00:00Z / 2025-10-11T04:00:00Z", "2025-10-11T04:00:00Z", false),
    ])
    func readsTimesAsPeopleWriteThem(when: String, at: String, contains: Bool) throws {
        #expect(try entry(when).contains(time(at)) == contains)
    }

    @Test func timesBefore1970HaveTheirDayToo() throws {
        // Three days and a bit before the Thursday on which time began: Sunday 22:30.
        #expect(try entry("Sun 22:00-23:00").contains(Timestamp(seconds: -264_600)))
        #expect(try !entry("daily 00:00-22:00").contains(Timestamp(seconds: -264_600)))
    }

    @Test(arguments: [
        "", "Sat", "Sat 02:00", "Sat 25:00-26:00", "Sat 02:60-03:00", "Xyz 02:00-03:00", "Sat 02:00-03:00 CET",
        "2025-10-11T04:00:00Z/2025-10-11T02:00:00Z", "Sat- 02:00-03:00", "02:00-03:00-04:00", "24:00-02:00",
        "Sat 02:00-04:00 +99:00",
    ])
    func refusesOtherTexts(when: String) {
        #expect(throws: TocsinError.self) { try CalendarEntry.When(text: when) }
    }

    @Test func concernsTheSensorsItNames() throws {
        var training = try entry("daily 00:00-12:00", "fan_*")
        training.suppressesAlarms = false
        let calendar = AlarmCalendar(entries: [try entry("daily 00:00-12:00", "pump_*"), training])
        let morning = time("2025-10-11T06:00:00Z")
        let evening = time("2025-10-11T18:00:00Z")
        let pump = calendar.of("Pump_1")
        #expect(pump.isSuppressed(at: morning) && !pump.learns(at: morning))
        #expect(!pump.isSuppressed(at: evening) && pump.learns(at: evening))
        let fan = calendar.of("fan_1")
        #expect(!fan.isSuppressed(at: morning) && !fan.learns(at: morning))
        #expect(calendar.of("valve").isEmpty)
    }

    @Test func findingsInMaintenanceRaiseNothingAndAreMarked() throws {
        let calendar = AlarmCalendar(entries: [try entry("daily 00:00-01:00", "pump_*")])
        var desk = AlarmDesk(calendar: calendar)
        let inside = desk.book(AlarmScene.finding(at: 60), rule: .standard, progress: AlarmScene.at(60))
        #expect(inside.outcome == .suppressed("oil change"))
        #expect(inside.isNews && inside.alarmID == nil && inside.notices.isEmpty)
        #expect(inside.sentence == "finding 0.6 (no alarm: oil change)")
        #expect(desk.counts.suppressed == 1)
        // Fire is told whatever is being worked on.
        let fire = desk.book(AlarmScene.finding(.fire, at: 61), rule: .standard, progress: AlarmScene.at(61))
        #expect(fire.notices.map(\.change.step) == [.raised])
        // What goes on after the end is an incident then.
        let after = desk.book(
            AlarmScene.finding(at: 3600, since: 60, isContinuation: true), rule: .standard,
            progress: AlarmScene.at(3600))
        #expect(after.notices.map(\.change.step) == [.raised] && after.isNews)
    }

    @Test func fireIsSilencedOnlyWhereThatIsSaid() throws {
        var welding = try entry("daily 00:00-01:00")
        welding.suppressesFire = true
        var desk = AlarmDesk(calendar: AlarmCalendar(entries: [welding]))
        let fire = desk.book(AlarmScene.finding(.fire, at: 61), rule: .standard, progress: AlarmScene.at(61))
        #expect(fire.outcome == .suppressed("oil change"))
    }
}
