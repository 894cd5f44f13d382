import Testing
import TocsinAlerts
import TocsinCore

@Suite struct FloodAndQuietTests {
    private let time = VirtualTime()
    private static let limit = LanePolicy.RateLimit(messages: 10, period: .minutes(10))

    @Test func anUpsetOfFiveHundredSensorsIsAtMostTenMessagesAndNothingIsHidden() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(rate: Self.limit))], time: time)
        for burst in 0..<50 {
            bench.tell((0..<10).map { Sample.change(.raised, "id\(burst * 10 + $0)", sensor: "s\(burst * 10 + $0)") })
            bench.pass(.seconds(1))
        }
        bench.pass(.minutes(30))
        for (index, start) in channel.times.enumerated() {
            let within = channel.times[index...].filter { $0.since(start) < .minutes(10) }.count
            #expect(within <= 10)
        }
        let told = channel.told.flatMap(\.changes).map(\.alarm.id)
        #expect(told.count == 500 && Set(told).count == 500)
        #expect(channel.times.count <= 12)
        #expect(channel.times.last.map { $0.since(channel.times[0]) < .minutes(12) } == true)
        await bench.end()
    }

    @Test func aSummaryThatWaitsTellsHowItStandsWhenItGoesOut() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(rate: Self.limit))], time: time)
        bench.tell((0..<9).map { Sample.change(.raised, "id\($0)", sensor: "s\($0)") })
        bench.tell([Sample.change(.raised, "sum", sensor: "s9", sentence: "10 alarms")])
        bench.pass(.seconds(5))
        for count in [20, 100, 500] {
            bench.tell([Sample.change(.updated, "sum", sensor: "s9", sentence: "\(count) alarms")])
        }
        bench.pass(.minutes(2))
        #expect(channel.told.count == 10)
        #expect(channel.told.last?.change?.step == .raised)
        #expect(channel.told.last?.change?.alarm.sentence == "500 alarms")
        await bench.end()
    }

    @Test func aListKeepsTheOrderOfEveryIncidentInIt() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench(
            [(channel, LanePolicy(rate: .init(messages: 2, period: .minutes(10), gathering: .seconds(30))))], time: time
        )
        bench.tell(["a", "b", "c"].map { Sample.change(.raised, $0) })
        bench.pass(.seconds(10))
        bench.tell([Sample.change(.cleared, "b"), Sample.change(.cleared, "a")])
        bench.pass(.minutes(25))
        let steps = channel.told.flatMap(\.changes).map { "\($0.step.rawValue) \($0.alarm.id)" }
        #expect(steps.count == 5)
        for id in ["a", "b"] { #expect(steps.filter { $0.hasSuffix(id) } == ["raised \(id)", "cleared \(id)"]) }
        await bench.end()
    }

    @Test func machinesGetEveryMessageByItselfAtThePaceTheyBear() async {
        let channel = NotingChannel(people: false, clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(rate: Self.limit))], time: time)
        bench.tell((0..<25).map { Sample.change(.raised, "id\($0)") })
        bench.pass(.minutes(1))
        #expect(channel.told.count == 10)
        bench.pass(.minutes(20))
        #expect(channel.told.count == 25 && channel.told.allSatisfy { $0.change != nil })
        await bench.end()
    }

    /// 2025-10-09 10:13 UTC was a Thursday.
    private func quiet() throws -> QuietHours { try QuietHours("mon-sun 10:00-12:00", zone: "UTC") }

    @Test func quietHoursEndWithAListAndCriticalAlarmsPass() async throws {
        let channel = NotingChannel(clock: VirtualTime())
        let time = VirtualTime(try #require(Timestamp(iso8601: "2025-10-09T10:13:20Z")))
        let bench = DeliveryBench([(channel, LanePolicy(quiet: try quiet()))], time: time)
        bench.tell([
            Sample.change(.raised, "a"), Sample.change(.raised, "b"), Sample.change(.cleared, "b"),
            Sample.change(.raised, "c"), Sample.change(.escalated, "c", severity: .critical),
        ])
        bench.pass(.minutes(100))
        #expect(channel.words == ["escalated c"])
        bench.pass(.minutes(7))
        #expect(channel.words == ["escalated c", "digest a b b"])
        await bench.end()
    }

    @Test func machinesGetAfterQuietHoursOnlyWhatStillStands() async throws {
        let time = VirtualTime(try #require(Timestamp(iso8601: "2025-10-09T10:13:20Z")))
        let channel = NotingChannel(people: false, clock: time)
        let bench = DeliveryBench(
            [(channel, LanePolicy(quiet: try quiet(), quietPassesCritical: false))], time: time)
        bench.tell([
            Sample.change(.raised, "a", severity: .critical), Sample.change(.raised, "b"), Sample.change(.cleared, "b"),
        ])
        bench.pass(.minutes(100))
        #expect(channel.words.isEmpty)
        bench.pass(.minutes(10))
        #expect(channel.words == ["raised a"])
        #expect(bench.dispatcher.counts[0].suppressed == 2)
        await bench.end()
    }

    @Test(arguments: [
        ("22:00-06:00", "UTC", "2025-10-09T21:59:59Z", nil),
        ("22:00-06:00", "UTC", "2025-10-09T22:00:00Z", "2025-10-10T06:00:00Z"),
        ("22:00-06:00", "+02:00", "2025-10-09T20:30:15Z", "2025-10-10T04:00:00Z"),
        ("22:00-06:00", "-05:30", "2025-10-10T11:29:00Z", "2025-10-10T11:30:00Z"),
        // Over the end of the week, and two spans in a row.
        (
            "fri 18:00-24:00; sat,sun 00:00-24:00; mon 00:00-06:00", "UTC", "2025-10-10T18:30:00Z",
            "2025-10-13T06:00:00Z"
        ),
        ("sun 22:00-06:00", "UTC", "2025-10-13T01:00:00Z", "2025-10-13T06:00:00Z"),
        ("mon-fri 22:00-06:00", "UTC", "2025-10-11T05:59:00Z", "2025-10-11T06:00:00Z"),
        ("mon-fri 22:00-06:00", "UTC", "2025-10-12T05:59:00Z", nil),
    ])
    func quietHoursFollowWeekdaysAndZone(_ text: String, _ zone: String, _ time: String, _ end: String?) throws {
        let hours = try QuietHours(text, zone: zone)
        let now = try #require(Timestamp(iso8601: time))
        #expect(hours.isQuiet(now) == (end != nil))
        #expect(hours.end(after: now) == (end.flatMap { Timestamp(iso8601: $0) } ?? now))
    }

    @Test(arguments: ["25:00-06:00", "xyz 22:00-06:00", "22:00", "mon-", "mon 22:00-22:00", "mon-sun 00:00-24:00"])
    func nonsenseInQuietHoursIsRefused(_ text: String) {
        #expect(throws: TocsinError.self) { try QuietHours(text, zone: "UTC") }
        #expect(throws: TocsinError.self) { try QuietHours("22:00-06:00", zone: text) }
    }
}
