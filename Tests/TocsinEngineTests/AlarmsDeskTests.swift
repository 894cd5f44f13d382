import Testing
import TocsinCore
import TocsinEngine

/// What must hold for every input.
@Suite struct AlarmsDeskTests {
    private enum Step {
        case finding(Finding, ResolvedRule)
        case reading(UInt32, Double)
        case speaks(UInt32)
        case word(FeedbackWord, nth: Int)
    }

    private static let settings = AlarmSettings(
        clearAfter: .minutes(3), cooldown: .minutes(4), newNormalAfter: .minutes(20),
        flood: FloodSettings(incidents: 3, within: .minutes(5), calmAfter: .minutes(3)), budgetPerDay: 4)
    private static let calendar = AlarmCalendar(entries: [
        CalendarEntry(
            sensors: "pump_1", when: .weekly((0..<7).map { WeeklySpan(start: .hours($0 * 24), length: .hours(6)) }),
            reason: "cleaning")
    ])
    private static let rules = [
        ResolvedRule.standard, ResolvedRule(RuleFields(onDelay: .seconds(90), deadBand: 1)),
        ResolvedRule(RuleFields(minimumScore: 0.4, offDelay: .seconds(30), severity: .warning, budgetPerDay: 2)),
    ]

    /// A bad two days on six sensors.
    private func story(seed: UInt64, count: Int) -> [(at: Double, step: Step)] {
        var random = SeededRow(seed: seed)
        var second = 0.0
        return (0..<count).map { _ in
            second += Double(random.next() % 100) < 4 ? Double(random.next() % 20_000) : Double(random.next() % 60)
            let sensor = UInt32(random.next() % 6)
            switch random.next() % 20 {
            case 0: return (second, .speaks(sensor))
            case 1, 2, 3, 4: return (second, .reading(sensor, Double(random.next() % 14)))
            case 5: return (second, .word(FeedbackWord.allCases[random.next() % 3], nth: random.next() % 5))
            default:
                let kind = AnomalyKind.allCases[random.next() % AnomalyKind.allCases.count]
                let finding = AlarmScene.finding(
                    kind, sensor: sensor, at: second, since: second - Double(random.next() % 120),
                    score: Double(random.next() % 100) / 100, value: Double(random.next() % 40),
                    isContinuation: random.next() % 2 == 0)
                return (second, .finding(finding, Self.rules[Int(sensor) % 3]))
            }
        }
    }

    /// Everything that a desk says to a story, each step's lines by itself.
    private func tell(
        _ story: [(at: Double, step: Step)], cuts: Set<Int> = [], extraAdvances: Bool = false
    ) throws -> (lines: [[String]], notices: [AlarmNotice], desk: AlarmDesk) {
        var desk = AlarmDesk(settings: Self.settings, calendar: Self.calendar)
        var lines: [[String]] = []
        var all: [AlarmNotice] = []
        var raised: [Alarm] = []
        var last = 0.0
        for (index, (at, step)) in story.enumerated() {
            if cuts.contains(index) {
                desk = try #require(desk.reborn(settings: Self.settings, calendar: Self.calendar))
            }
            let now = AlarmScene.at(at)
            var notices: [AlarmNotice] = []
            if extraAdvances {
                for part in 1..<8 { notices += desk.advance(to: AlarmScene.at(last + (at - last) * Double(part) / 8)) }
            }
            last = at
            notices += desk.advance(to: now)
            var line = ""
            switch step {
            case .finding(let finding, let rule):
                let booking = desk.book(finding, rule: rule, progress: now)
                notices += booking.notices
                line = "\(booking.outcome) \(booking.alarmID ?? "-") \(booking.isNews) \(booking.sentence)"
            case .reading(let sensor, let value):
                desk.observe(
                    sensor: SensorID(sensor), series: SeriesID(sensor), value: value, time: now, progress: now)
            case .speaks(let sensor): notices += desk.clearSilence(of: SensorID(sensor), at: now)
            case .word(let word, let nth):
                if let alarm = raised.dropLast(nth).last {
                    notices += desk.take(Feedback(word, on: alarm, given: now)).notices
                }
            }
            raised += notices.filter { $0.change.step == .raised }.map(\.change.alarm)
            all += notices
            lines.append([line] + notices.map(\.line).sorted())
        }
        all += desk.advance(to: AlarmScene.at(last + 10 * 86_400))
        return (lines, all, desk)
    }

    @Test(arguments: 1...6) func savingAndRestoringAnywhereChangesNothing(seed: Int) throws {
        let story = story(seed: UInt64(seed), count: 1500)
        let whole = try tell(story)
        var random = SeededRow(seed: UInt64(seed) + 100)
        let cut = try tell(story, cuts: Set((0..<60).map { _ in random.next() % story.count }))
        #expect(whole.lines == cut.lines)
        #expect(whole.notices.map(\.line) == cut.notices.map(\.line))
        #expect(whole.desk.counts == cut.desk.counts)
        #expect(whole.desk.counts.grouped > 0 && whole.desk.counts.suppressed > 0)
        #expect(whole.desk.counts.calledFalse > 0 && whole.desk.counts.ruledOut > 0)
    }

    @Test(arguments: 1...6) func howOftenTheStreamIsAdvancedChangesNothing(seed: Int) throws {
        let story = story(seed: UInt64(seed), count: 1500)
        #expect(try tell(story).lines == tell(story, extraAdvances: true).lines)
    }

    @Test(arguments: 1...6) func neverMoreWarningsThanTheBudgetAreRaisedADay(seed: Int) throws {
        let notices = try tell(story(seed: UInt64(seed), count: 3000)).notices
        var told: [String: Int] = [:]
        for notice in notices where notice.isTold && notice.change.step == .raised {
            let alarm = notice.change.alarm
            guard alarm.severity == .warning, !alarm.id.hasPrefix("s") else { continue }
            // Stream progress is the last verdict's time here.
            let day = alarm.lastSeen.since(AlarmScene.start).nanoseconds / Span64.days(1).nanoseconds
            told["\(alarm.sensor) \(day)", default: 0] += 1
        }
        #expect(!told.isEmpty)
        #expect(told.values.allSatisfy { $0 <= 4 })
    }

    @Test(arguments: 1...6) func everyIncidentIsToldOrAMemberOfASummaryThatIs(seed: Int) throws {
        let (_, notices, desk) = try tell(story(seed: UInt64(seed), count: 3000))
        let toldIDs = Set(notices.filter { $0.isTold && $0.change.step == .raised }.map(\.change.alarm.id))
        let toldAsCritical = Set(
            notices.filter { $0.isTold && $0.change.step.isTelling && $0.change.alarm.severity == .critical }
                .map(\.change.alarm.id))
        for notice in notices where notice.change.step == .raised || notice.change.step == .escalated {
            if let summary = notice.summaryID { #expect(toldIDs.contains(summary)) } else { #expect(notice.isTold) }
            guard notice.change.alarm.severity == .critical, !notice.isTold else { continue }
            #expect(notice.summaryID.map(toldAsCritical.contains) == true)
        }
        // What ends ends once, and all that is left open is silent.
        let cleared = notices.filter { $0.change.step == .cleared && $0.change.alarm.id.hasPrefix("s") }
        #expect(Set(cleared.map(\.change.alarm.id)).count == cleared.count)
        #expect(desk.openAlarms.allSatisfy { $0.kind == .silence || $0.id.hasPrefix("s") })
        #expect(!desk.isFlood)
    }

    @Test func bytesThatAreNoDeskAreRefusedAndNeverTrap() throws {
        let desk = try tell(story(seed: 9, count: 300)).desk
        var writer = StateWriter()
        desk.save(to: &writer)
        for length in stride(from: 0, to: writer.bytes.count, by: 7) {
            var reader = StateReader(writer.bytes[..<length])
            var other = AlarmDesk(settings: Self.settings)
            let isRestored = other.restore(from: &reader)
            #expect(!isRestored)
        }
        var random = SeededRow(seed: 1)
        for _ in 0..<2000 {
            var bytes = writer.bytes
            for _ in 0..<4 { bytes[random.next() % bytes.count] = UInt8(truncatingIfNeeded: random.next()) }
            var reader = StateReader(bytes)
            var other = AlarmDesk(settings: Self.settings)
            guard other.restore(from: &reader) else { continue }
            _ = other.take(AlarmScene.finding(at: 1e6))
            _ = other.advance(to: AlarmScene.at(2e6))
            _ = other.clearSilence(of: SensorID(1), at: AlarmScene.at(2e6))
            _ = other.advance(to: Timestamp(nanoseconds: .max))
        }
    }

    @Test func whatWasCountedBeforeARestartIsNotCountedAgainAfterAnEarlierIncidentIsForgotten() throws {
        var desk = AlarmDesk()
        _ = desk.take(AlarmScene.finding(at: 10_000))
        let open = try #require(desk.take(AlarmScene.finding(at: 10_060)).last?.change.alarm)
        // No checkpoint: the source is read again from its start.
        var later = AlarmDesk()
        later.restore(open, sensor: SensorID(1))
        #expect(later.take(AlarmScene.finding(at: 0)).last?.change.alarm.id != open.id)
        _ = later.advance(to: AlarmScene.at(5000))
        #expect(later.take(AlarmScene.finding(at: 10_000)).isEmpty)
        #expect(later.take(AlarmScene.finding(at: 10_060)).isEmpty)
        #expect(later.advance(to: AlarmScene.at(20_000)).last?.change.alarm.verdicts == 2)
    }
}

extension AlarmChange.Step {
    /// People hear of an alarm by it.
    fileprivate var isTelling: Bool { self == .raised || self == .escalated }
}
