import Synchronization
import Testing
import TocsinAlerts
import TocsinCore

@Suite struct DispatcherTests {
    private let time = VirtualTime()

    @Test func stepsAreToldInOrderAndUpdatesAndMembersOfSummariesAreNot() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([
            Sample.change(.raised, "a"), Sample.change(.updated, "a"), Sample.change(.escalated, "a"),
            Sample.change(.raised, "b", isTold: false), Sample.change(.cleared, "b", isTold: false),
            Sample.change(.cleared, "a"),
        ])
        bench.pass(.seconds(1))
        #expect(channel.words == ["raised a", "escalated a", "cleared a"])
        await bench.end()
    }

    @Test func whatWasNeverRaisedHereIsNotClearedHere() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(severity: .critical))], time: time)
        bench.tell([
            Sample.change(.raised, "a"), Sample.change(.cleared, "a"), Sample.change(.raised, "b"),
            Sample.change(.escalated, "b", severity: .critical), Sample.change(.cleared, "b"),
        ])
        bench.pass(.seconds(1))
        // It was told when it became critical; its end is told although it ends as a warning.
        #expect(channel.words == ["escalated b", "cleared b"])
        await bench.end()
    }

    @Test func aBusyReceiverIsTriedAgainWithTheSameKeyLaterAndLater() async {
        let keys = Mutex<[(String, Timestamp)]>([])
        let channel = NotingChannel(clock: time) { [time] message, attempt in
            keys.withLock { $0.append((message.key, time.now())) }
            return attempt <= 5 ? .busy : nil
        }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a")])
        bench.pass(.minutes(5))
        #expect(channel.words == ["raised a"])
        let tried = keys.withLock { $0 }
        #expect(Set(tried.map(\.0)) == ["a-raised-1"])
        let pauses = zip(tried, tried.dropFirst()).map { $1.1.since($0.1).seconds }
        // Jitter of one half: three quarters of 1, 2, 4, 8, 16 s.
        #expect(pauses == [0.75, 1.5, 3, 6, 12])
        await bench.end()
    }

    @Test func aRefusalIsFinalIsKeptAndHoldsUpNobody() async {
        let refuse = Mutex(true)
        let channel = NotingChannel(clock: time) { message, _ in
            message.incident == "a" && refuse.withLock { $0 } ? .final : nil
        }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b"), Sample.change(.cleared, "b")])
        bench.pass(.seconds(1))
        #expect(channel.words == ["raised b", "cleared b"])
        let dead = bench.dispatcher.dead
        #expect(dead.count == 1 && dead.first?.item.change.alarm.id == "a" && dead.first?.reason == "400")
        #expect(dead.first?.attempts == 1)
        #expect(bench.dispatcher.counts[0].failed == 1)
        refuse.withLock { $0 = false }
        #expect(bench.dispatcher.resend(in: "noting") == 1)
        bench.pass(.seconds(1))
        #expect(channel.words.last == "raised a" && bench.dispatcher.dead.isEmpty)
        #expect(bench.dispatcher.discard(in: "noting") == 0)
        await bench.end()
    }

    @Test func afterTheStatedTimeItIsADeadLetter() async {
        let channel = NotingChannel(clock: time) { _, _ in .busy }
        let bench = DeliveryBench([(channel, LanePolicy(giveUpAfter: .hours(1)))], time: time)
        bench.tell((0..<20).map { Sample.change(.raised, "a\($0)") })
        bench.pass(.minutes(59))
        #expect(bench.dispatcher.dead.isEmpty)
        bench.pass(.minutes(5))
        #expect(bench.dispatcher.dead.count == 20)
        // The channel rested in between: not every waiting alarm knocked every minute.
        #expect(channel.attempts < 150)
        await bench.end()
    }

    @Test func aLaterStepNeverOvertakesAndOthersDoNotWait() async {
        let channel = NotingChannel(clock: time) { message, attempt in
            message.incident == "a" && message.change?.step == .raised && attempt < 6 ? .busy : nil
        }
        let bench = DeliveryBench([(channel, LanePolicy(retries: 10))], time: time)
        bench.tell([
            Sample.change(.raised, "a"), Sample.change(.escalated, "a"), Sample.change(.raised, "b"),
            Sample.change(.cleared, "b"),
        ])
        bench.pass(.milliseconds(100))
        #expect(channel.words == ["raised b", "cleared b"])
        bench.pass(.minutes(5))
        #expect(channel.words == ["raised b", "cleared b", "raised a", "escalated a"])
        await bench.end()
    }

    @Test func aDeadChannelDelaysNoOtherAndAtMostFourAreUnderWay() async {
        let gate = Mutex(true)
        let slow = NotingChannel("slow", clock: time) { [time] _, _ in
            while gate.withLock({ $0 }), !Task.isCancelled { try? await time.sleep(.seconds(1)) }
            return nil
        }
        let quick = NotingChannel("quick", clock: time)
        let bench = DeliveryBench([(slow, LanePolicy()), (quick, LanePolicy())], time: time)
        bench.tell((0..<50).map { Sample.change(.raised, "a\($0)") })
        bench.pass(.milliseconds(1))
        #expect(quick.told.count == 50 && slow.told.isEmpty && slow.attempts == 4)
        gate.withLock { $0 = false }
        bench.pass(.minutes(1))
        #expect(slow.told.count == 50 && slow.mostAtOnce == 4)
        await bench.end()
    }

    @Test func theReceiversWishForPatienceCountsForTheWholeChannel() async {
        let channel = NotingChannel(clock: time) { _, attempt in attempt == 1 ? .after(.seconds(300)) : nil }
        let bench = DeliveryBench([(channel, LanePolicy(concurrency: 1))], time: time)
        bench.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b")])
        bench.pass(.seconds(299))
        #expect(channel.attempts == 1)
        bench.pass(.seconds(2))
        #expect(Set(channel.words) == ["raised a", "raised b"])
        await bench.end()
    }

    @Test func theCooldownHoldsBackTheNextRaisingAndItsClearingAndSaysSoLater() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(cooldown: .minutes(10)))], time: time)
        bench.tell(["1", "2"].flatMap { [Sample.change(.raised, $0), Sample.change(.cleared, $0)] })
        bench.tell([Sample.change(.raised, "3", sensor: "other")])
        bench.pass(.minutes(11))
        bench.tell([Sample.change(.raised, "4")])
        bench.pass(.seconds(1))
        #expect(
            channel.words == ["raised 1", "raised 3", "cleared 1", "raised 4"]
                || channel.words == ["raised 1", "cleared 1", "raised 3", "raised 4"])
        #expect(channel.told.last?.note == "1 more held back by the cooldown")
        #expect(bench.dispatcher.counts[0].suppressed == 1)
        await bench.end()
    }

    @Test func routesChooseByKindZoneSensorAndSeverity() async throws {
        let (a, b, c) = (
            NotingChannel("a", clock: time), NotingChannel("b", clock: time), NotingChannel("c", clock: time)
        )
        let routes = [
            AlertRoute(filter: AlertFilter(kinds: [.fire]), channels: ["a"]),
            AlertRoute(filter: AlertFilter(zones: ["hall 3"]), channels: ["b"]),
            AlertRoute(filter: AlertFilter(severity: .critical, sensors: [NamePattern("pump-?")]), channels: ["c"]),
        ]
        for mode in AlertRouting.Mode.allCases {
            let bench = DeliveryBench(
                [(a, LanePolicy()), (b, LanePolicy()), (c, LanePolicy())], time: time,
                routing: AlertRouting(routes: routes, mode: mode),
                context: AlertContext(zone: { $0.sensor == "pump-1" ? "hall 3" : nil }))
            bench.tell([
                Sample.change(.raised, "\(mode)1", sensor: "pump-1", severity: .critical, kind: .fire),
                Sample.change(.raised, "\(mode)2", sensor: "pump-2", severity: .critical),
                Sample.change(.raised, "\(mode)3", sensor: "pump-22", severity: .critical),
                Sample.change(.cleared, "\(mode)3"),
            ])
            bench.pass(.seconds(1))
            await bench.end()
        }
        #expect(Set(a.words) == ["raised first1", "raised all1"])
        #expect(Set(b.words) == ["raised all1"])
        #expect(Set(c.words) == ["raised all1", "raised first2", "raised all2"])
    }

    @Test func aSummaryGoesToEverybodyWhoseSensorsAreInIt() async {
        let (fans, pumps, boss) = (
            NotingChannel("fans", clock: time), NotingChannel("pumps", clock: time), NotingChannel("boss", clock: time)
        )
        let routes = ["fan-*": "fans", "pump-*": "pumps", "boss-*": "boss"].map { pattern, channel in
            AlertRoute(filter: AlertFilter(sensors: [NamePattern(pattern)]), channels: [channel])
        }
        let bench = DeliveryBench(
            [(fans, LanePolicy()), (pumps, LanePolicy()), (boss, LanePolicy())], time: time,
            routing: AlertRouting(routes: routes))
        func member(_ id: String, _ sensor: String) -> AlarmChange {
            var change = Sample.change(.raised, id, sensor: sensor, isTold: false)
            change.alarm.summary = "s1"
            return change
        }
        bench.tell([member("a", "fan-1"), Sample.change(.raised, "s1", sensor: "fan-1")])
        bench.tell([Sample.change(.updated, "s1", sensor: "fan-1")])
        bench.pass(.seconds(1))
        #expect(fans.words == ["raised s1"] && pumps.words.isEmpty)
        bench.tell([member("b", "pump-1")])
        bench.tell([Sample.change(.updated, "s1", sensor: "fan-1", sentence: "2 incidents")])
        bench.pass(.seconds(1))
        #expect(pumps.words == ["raised s1"] && pumps.told.first?.change?.alarm.sentence == "2 incidents")
        bench.tell([Sample.change(.updated, "s1", sensor: "fan-1"), Sample.change(.cleared, "s1", sensor: "fan-1")])
        bench.pass(.seconds(1))
        #expect(fans.words == ["raised s1", "cleared s1"] && pumps.words == fans.words && boss.words.isEmpty)
        await bench.end()
    }

    @Test func whatIsSentInOneGoComesAsAListWhereItIsMuch() async {
        let channel = NotingChannel(clock: time)
        let policy = LanePolicy(rate: .init(messages: 5, period: .minutes(10), gathering: .seconds(0)))
        let bench = DeliveryBench([(channel, policy)], time: time)
        bench.tell((0..<100).map { Sample.change(.raised, "a\($0)") })
        await bench.end()
        #expect(channel.told.count == 5 && channel.told.flatMap(\.changes).count == 100)
        #expect(bench.dispatcher.status[0].waiting == 0)
    }

    @Test func whoIsEscalatedToHearsOnlyWhatNobodyHasTakenCareOf() async {
        let (first, boss) = (NotingChannel("first", clock: time), NotingChannel("boss", clock: time))
        let routing = AlertRouting(routes: [AlertRoute(filter: AlertFilter(), channels: ["first"])])
        let bench = DeliveryBench(
            [(first, LanePolicy()), (boss, LanePolicy())], time: time, routing: routing,
            escalations: [
                AlertEscalation(after: .minutes(15), filter: AlertFilter(severity: .critical), channels: ["boss"])
            ])
        bench.tell([
            Sample.change(.raised, "a", severity: .critical), Sample.change(.raised, "b", severity: .critical),
            Sample.change(.raised, "c"),
        ])
        bench.pass(.minutes(10))
        bench.tell([
            Sample.change(.cleared, "b", severity: .critical), Sample.change(.escalated, "c", severity: .critical),
        ])
        bench.pass(.minutes(10))
        #expect(boss.words == ["raised a"])
        #expect(boss.told.first?.note == "nobody has acknowledged it for 15 min")
        #expect(boss.told.first?.key != first.told.first?.key)
        bench.pass(.minutes(10))
        bench.tell([Sample.change(.cleared, "a", severity: .critical)])
        bench.pass(.seconds(1))
        #expect(boss.words == ["raised a", "escalated c", "cleared a"])
        await bench.end()
    }

    @Test func whoTakesCareInTimeSparesTheOthers() async {
        let boss = NotingChannel("boss", clock: time)
        let bench = DeliveryBench([(boss, LanePolicy(delay: .minutes(15)))], time: time)
        let steps: [AlarmChange.Step] = [.acknowledged, .shelved, .outOfService, .commented]
        bench.tell((0..<4).map { Sample.change(.raised, "a\($0)") })
        bench.pass(.minutes(5))
        // As the engine does: nobody is told of a shelf, nor of what is out of service.
        bench.tell(
            steps.enumerated().map { Sample.change($0.element, "a\($0.offset)", isTold: $0.element == .acknowledged) })
        bench.pass(.minutes(30))
        // A remark is no care.
        #expect(boss.words == ["raised a3"])
        // The shelf's time is over and it still holds: the wait begins anew, unless somebody has acknowledged it by then.
        var known = Sample.change(.inService, "a2")
        known.alarm.care.acknowledged = time.now()
        bench.tell([Sample.change(.unshelved, "a1"), known])
        bench.pass(.minutes(14))
        #expect(boss.words == ["raised a3"])
        bench.pass(.minutes(2))
        #expect(boss.words == ["raised a3", "unshelved a1"])
        await bench.end()
    }

    @Test func onlyReceiversWithAStateOfTheirOwnHearOfAcknowledgements() async {
        let people = NotingChannel("people", clock: time)
        let pager = NotingChannel("pager", people: false, steps: AlertChannelTraits.lifeCycleSteps, clock: time)
        let bench = DeliveryBench([(people, LanePolicy()), (pager, LanePolicy())], time: time)
        bench.tell([.raised, .commented, .acknowledged, .assigned, .shelved, .cleared].map { Sample.change($0, "a") })
        bench.pass(.seconds(1))
        #expect(people.words == ["raised a", "cleared a"])
        #expect(pager.words == ["raised a", "acknowledged a", "cleared a"])
        await bench.end()
    }

    @Test func openAlarmsAreSaidAgainWhereTheReceiverForgets() async {
        let channel = NotingChannel(people: false, refresh: .seconds(60), clock: time)
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b")])
        bench.pass(.seconds(150))
        #expect(
            Set(channel.words.prefix(2)) == ["raised a", "raised b"] && channel.words.dropFirst(2) == ["open", "open"])
        bench.tell([Sample.change(.cleared, "a"), Sample.change(.cleared, "b")])
        bench.pass(.minutes(10))
        #expect(channel.words.filter { $0 == "open" }.count == 2)
        await bench.end()
    }

    @Test func whoWasToldOfTheBeginningIsToldOfTheEndAlsoWhenASummaryHasTakenItUp() async {
        let channel = NotingChannel(people: false, refresh: .seconds(60), clock: time)
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a")])
        bench.pass(.seconds(1))
        bench.tell([Sample.change(.cleared, "a", isTold: false)])
        bench.pass(.minutes(10))
        #expect(channel.words == ["raised a", "cleared a"])
        await bench.end()
    }

    @Test func whatIsTooMuchForTheQueueIsGivenUpOldestFirstAndKept() async {
        let channel = NotingChannel(clock: time) { _, _ in .busy }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        for part in 0..<11 { bench.tell((0..<1000).map { Sample.change(.raised, "a\(part * 1000 + $0)") }) }
        bench.pass(.seconds(1))
        let (dead, waiting) = (bench.dispatcher.dead, bench.dispatcher.status[0].waiting)
        #expect(dead.count + waiting == 11_000 && waiting <= 10_000 && waiting >= 9500)
        #expect(dead.allSatisfy { $0.item.number <= 2000 && $0.reason.contains("full") })
        await bench.end()
    }

    @Test(arguments: 1...6) func whateverTheReceiverDoesEveryStepHasOneFateAndKeepsItsOrder(_ seed: UInt64) async {
        let random = Mutex(SplitMix(seed))
        let channel = NotingChannel(people: false, clock: time) { _, _ in
            switch random.withLock({ $0.next() % 10 }) {
            case 0: .final
            case 1...3: .busy
            case 4: .after(.seconds(30))
            default: nil
            }
        }
        let bench = DeliveryBench([(channel, LanePolicy(giveUpAfter: .hours(2)))], time: time)
        var given: [String: [String]] = [:]
        for _ in 0..<60 {
            let id = "i\(random.withLock { $0.next() % 12 })"
            let step: AlarmChange.Step = given[id, default: []].isEmpty ? .raised : .escalated
            var change = Sample.change(step, id)
            change.alarm.verdicts = given[id, default: []].count
            given[id, default: []].append("\(step.rawValue)\(change.alarm.verdicts)")
            bench.tell([change])
            if random.withLock({ $0.next() % 4 }) == 0 { bench.pass(.seconds(20)) }
        }
        bench.pass(.hours(3))
        let dead = bench.dispatcher.dead.map {
            ($0.item.change.alarm.id, "\($0.item.change.step.rawValue)\($0.item.change.alarm.verdicts)")
        }
        for (id, steps) in given {
            let told = channel.told.filter { $0.incident == id }.compactMap(\.change).map {
                "\($0.step.rawValue)\($0.alarm.verdicts)"
            }
            let lost = Set(dead.filter { $0.0 == id }.map(\.1))
            #expect(told == steps.filter { !lost.contains($0) })
        }
        #expect(bench.dispatcher.status[0].waiting == 0)
        await bench.end()
    }
}

/// Numbers that are the same in every run.
struct SplitMix: Sendable {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
