import Foundation
import Synchronization
import Testing
import TocsinAlerts
import TocsinCore

/// Alarms that still stand, or are over, when their message goes out at last.
@Suite struct StandingAlarmTests {
    private let time = VirtualTime()

    @Test func whatStandsWhenTheCooldownIsOverIsTold() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(cooldown: .minutes(10)))], time: time)
        bench.tell(["1", "2"].flatMap { [Sample.change(.raised, $0), Sample.change(.cleared, $0)] })
        bench.tell([Sample.change(.raised, "3")])
        bench.pass(.minutes(9))
        #expect(channel.words == ["raised 1", "cleared 1"])
        #expect(bench.dispatcher.status[0].heldBack == 1)
        bench.pass(.minutes(2))
        #expect(channel.words == ["raised 1", "cleared 1", "raised 3"])
        #expect(channel.told.last?.note == "held back by the cooldown of 10 min, as 1 more before it")
        // The next cooldown has begun with it, and its end is told.
        bench.tell([Sample.change(.cleared, "3"), Sample.change(.raised, "4")])
        bench.pass(.minutes(5))
        #expect(channel.words.suffix(2) == ["raised 3", "cleared 3"])
        bench.tell([Sample.change(.acknowledged, "4")])
        bench.pass(.minutes(20))
        #expect(channel.words.last == "cleared 3")
        await bench.end()
    }

    @Test(arguments: [true, false]) func whatIsOverAndIsSentAgainDoesNotStayOpen(people: Bool) async {
        let refuses = Mutex(true)
        let channel = NotingChannel(people: people, clock: time) { message, _ in
            message.change?.step == .raised && refuses.withLock { $0 } ? .final : nil
        }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b")])
        bench.pass(.seconds(1))
        bench.tell([Sample.change(.cleared, "a")])
        bench.pass(.seconds(1))
        #expect(channel.words == ["cleared a"] && bench.dispatcher.dead.count == 2)
        refuses.withLock { $0 = false }
        #expect(bench.dispatcher.resend() == 2)
        bench.pass(.seconds(1))
        let told = channel.told.dropFirst()
        #expect(told.filter { $0.incident == "b" }.map(\.note) == ["sent again by hand"])
        let over = told.filter { $0.incident == "a" }
        #expect(over.first?.note == "sent again by hand; it is over since")
        #expect(over.compactMap { $0.change?.step } == (people ? [.raised] : [.raised, .cleared]))
        #expect(over.last?.change.map { $0.step == .cleared ? $0.alarm.state == .cleared : true } == true)
        #expect(bench.dispatcher.dead.isEmpty && bench.dispatcher.status[0].waiting == 0)
        await bench.end()
    }

    @Test func aReceiverThatRefusesEverythingIsNoGoodOne() async {
        let refuses = Mutex(true)
        let channel = NotingChannel(clock: time) { _, _ in refuses.withLock { $0 } ? .final : nil }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell((0..<3).map { Sample.change(.raised, "a\($0)") })
        bench.pass(.seconds(1))
        #expect(bench.dispatcher.dead.count == 3)
        #expect(bench.dispatcher.status[0].failures == 3 && bench.dispatcher.status[0].lastError == "400")
        // It is there: nothing waits for it.
        #expect(bench.dispatcher.status[0].restsUntil == nil)
        refuses.withLock { $0 = false }
        bench.tell([Sample.change(.raised, "b")])
        bench.pass(.seconds(1))
        #expect(bench.dispatcher.status[0].failures == 0 && bench.dispatcher.status[0].lastError == nil)
        await bench.end()
    }

    @Test func anEscalationCountsTowardsTheRateOfItsReceiver() async {
        let channel = NotingChannel("shift", clock: time)
        let rate = LanePolicy.RateLimit(messages: 10, period: .minutes(10))
        let bench = DeliveryBench(
            [(channel, LanePolicy(rate: rate))], time: time,
            escalations: [AlertEscalation(after: .seconds(5), filter: AlertFilter(), channels: ["shift"])])
        bench.tell((0..<50).map { Sample.change(.raised, "a\($0)") })
        bench.pass(.minutes(9))
        #expect(channel.told.count == 10)
        bench.pass(.minutes(30))
        for start in channel.times {
            #expect(channel.times.count { $0 >= start && $0.since(start) < rate.period } <= rate.messages)
        }
        #expect(Set(channel.told.flatMap(\.changes).map(\.alarm.id)).count == 50)
        await bench.end()
    }

    @Test func whatWaitedForAChannelThatIsGoneIsKept() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-gone-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("alerts.told").path
        let away = NotingChannel("pager", clock: time) { _, _ in .busy }
        do {
            let first = DeliveryBench([(away, LanePolicy())], time: time, outbox: try OutboxFile(path: path, spool: 7))
            first.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b"), Sample.change(.updated, "b")])
            first.pass(.seconds(1))
            await first.kill()
        }
        do {
            let renamed = NotingChannel("pagers", clock: time)
            let second = DeliveryBench(
                [(renamed, LanePolicy())], time: time, outbox: try OutboxFile(path: path, spool: 7))
            second.pass(.seconds(1))
            #expect(renamed.words.isEmpty)
            #expect(second.dispatcher.dead.map(\.item.change.alarm.id) == ["a", "b"])
            #expect(second.dispatcher.dead.allSatisfy { $0.lane == "pager" && $0.reason.contains("configured") })
            await second.end()
        }
        let back = NotingChannel("pager", clock: time)
        let third = DeliveryBench([(back, LanePolicy())], time: time, outbox: try OutboxFile(path: path, spool: 7))
        #expect(third.dispatcher.resend(in: "pager") == 2)
        third.pass(.seconds(1))
        #expect(Set(back.words) == ["raised a", "raised b"])
        await third.end()
    }
}
