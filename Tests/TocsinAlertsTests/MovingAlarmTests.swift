import Testing
import TocsinAlerts
import TocsinCore

/// Alarms whose sensors move between processes: one process tells that they began, the other that they are over.
@Suite struct MovingAlarmTests {
    private let time = VirtualTime()

    private func moved(_ step: AlarmChange.Step, _ id: String) -> AlarmChange { Sample.change(step, id, isTold: false) }

    @Test func whoTakesASensorOverTellsTheEndAndNotTheBeginning() async {
        let channel = NotingChannel(clock: time)
        let strict = NotingChannel("strict", clock: time)
        let bench = DeliveryBench([(channel, LanePolicy()), (strict, LanePolicy(severity: .critical))], time: time)
        bench.tell([moved(.takenOver, "a"), moved(.takenOver, "b")])
        bench.pass(.seconds(1))
        bench.tell([Sample.change(.cleared, "a"), Sample.change(.cleared, "never raised")])
        bench.pass(.seconds(1))
        #expect(channel.words == ["cleared a"])
        #expect(strict.words.isEmpty)
        await bench.end()
    }

    @Test func whatWentElsewhereIsNoLongerSaidToBeOpen() async {
        let channel = NotingChannel(people: false, refresh: .seconds(60), clock: time)
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a")])
        bench.pass(.seconds(90))
        bench.tell([moved(.handedOver, "a")])
        bench.pass(.minutes(10))
        #expect(channel.words == ["raised a", "open"])
        await bench.end()
        #expect(bench.outbox.openAlarms(in: "noting").isEmpty)
    }

    @Test func whatWasTakenOverIsKnownAfterARestart() async {
        let outbox = MemoryOutbox()
        let first = DeliveryBench([(NotingChannel(clock: time), LanePolicy())], time: time, outbox: outbox)
        first.tell([moved(.takenOver, "a")])
        first.pass(.seconds(1))
        await first.end()
        let channel = NotingChannel(clock: time)
        let second = DeliveryBench([(channel, LanePolicy())], time: time, outbox: outbox)
        second.tell([Sample.change(.cleared, "a")])
        second.pass(.seconds(1))
        #expect(channel.words == ["cleared a"])
        await second.end()
    }

    @Test func whatWaitsToBeSentIsSentThoughItsSensorLeaves() async {
        let channel = NotingChannel(clock: time) { _, attempt in attempt == 1 ? .busy : nil }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a")])
        bench.tell([moved(.handedOver, "a")])
        bench.pass(.minutes(5))
        #expect(channel.words == ["raised a"])
        #expect(bench.outbox.openAlarms(in: "noting").isEmpty)
        #expect(bench.dispatcher.dead.isEmpty)
        await bench.end()
    }

    @Test func aDeadLetterDoesNotKeepWhatWentElsewhere() async {
        let channel = NotingChannel(clock: time) { _, _ in .final }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a"), moved(.handedOver, "a")])
        bench.pass(.minutes(5))
        #expect(bench.dispatcher.dead.map(\.item.change.step) == [.raised])
        #expect(bench.outbox.openAlarms(in: "noting").isEmpty)
        await bench.end()
    }

    /// What waits anew must not stand in front of what is due before it.
    @Test func whatWaitsAnewHoldsUpNoOther() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(delay: .minutes(15)))], time: time)
        bench.tell([Sample.change(.raised, "a")])
        bench.pass(.minutes(5))
        bench.tell([Sample.change(.raised, "b")])
        bench.pass(.minutes(5))
        bench.tell([moved(.handedOver, "a"), moved(.takenOver, "a")])
        bench.pass(.minutes(11))
        #expect(channel.words == ["raised b"])
        bench.pass(.minutes(5))
        #expect(channel.words == ["raised b", "raised a"])
        await bench.end()
    }

    @Test func whoeverHasTheSensorTellsWhatNobodyAcknowledges() async {
        let (here, there) = (NotingChannel(clock: time), NotingChannel(clock: time))
        let policy = LanePolicy(delay: .minutes(15))
        let bench = DeliveryBench([(here, policy)], time: time)
        let other = DeliveryBench([(there, policy)], time: time)
        bench.tell([Sample.change(.raised, "a"), Sample.change(.raised, "b")])
        bench.pass(.minutes(5))
        bench.tell([moved(.handedOver, "a"), moved(.handedOver, "b")])
        var seen = moved(.takenOver, "b")
        seen.alarm.care.acknowledged = Sample.start
        other.tell([moved(.takenOver, "a"), moved(.takenOver, "c"), seen])
        other.pass(.minutes(10))
        other.tell([Sample.change(.acknowledged, "c")])
        other.pass(.minutes(4))
        #expect(there.words.isEmpty)
        other.pass(.minutes(30))
        other.tell([Sample.change(.cleared, "a"), Sample.change(.cleared, "b"), Sample.change(.cleared, "c")])
        other.pass(.seconds(1))
        #expect(there.words == ["raised a", "cleared a"])
        bench.pass(.minutes(30))
        #expect(here.words.isEmpty)
        await bench.end()
        await other.end()
    }

    @Test(arguments: [false, true]) func whatLeavesWhileItIsBeingToldIsSettledInTurn(comesBack: Bool) async {
        let channel = NotingChannel(clock: time) { [time] _, _ in
            try? await time.sleep(.seconds(30))
            return nil
        }
        let outbox = MemoryOutbox()
        let bench = DeliveryBench([(channel, LanePolicy())], time: time, outbox: outbox)
        bench.tell([Sample.change(.raised, "a")])
        bench.pass(.seconds(10))
        bench.tell([moved(.handedOver, "a")] + (comesBack ? [moved(.takenOver, "a")] : []))
        bench.pass(.minutes(1))
        #expect(channel.words == ["raised a"])
        #expect(outbox.waiting(in: "noting").isEmpty)
        #expect(outbox.openAlarms(in: "noting").map(\.id) == (comesBack ? ["a"] : []))
        await bench.end()
    }

    @Test func whatLeavesWhileItIsToldInAListIsSettledInTurn() async {
        let channel = NotingChannel(clock: time) { [time] message, _ in
            if message.change == nil { try? await time.sleep(.seconds(30)) }
            return nil
        }
        let rate = LanePolicy.RateLimit(messages: 2, period: .minutes(10), gathering: .seconds(30))
        let bench = DeliveryBench([(channel, LanePolicy(rate: rate))], time: time)
        bench.tell(["a", "b", "c"].map { Sample.change(.raised, $0) })
        bench.pass(.seconds(40))
        bench.tell([moved(.handedOver, "b")])
        bench.pass(.minutes(1))
        #expect(channel.words == ["raised a", "digest b c"])
        #expect(bench.outbox.openAlarms(in: "noting").map(\.id) == ["a", "c"])
        await bench.end()
    }

    @Test func whatIsGivenUpAfterItCameBackIsOneDeadLetter() async {
        let channel = NotingChannel(clock: time) { _, attempt in attempt == 1 ? .busy : .final }
        let bench = DeliveryBench([(channel, LanePolicy())], time: time)
        bench.tell([Sample.change(.raised, "a"), moved(.handedOver, "a"), moved(.takenOver, "a")])
        bench.pass(.minutes(1))
        #expect(bench.dispatcher.dead.map(\.item.change.step) == [.raised])
        #expect(bench.outbox.openAlarms(in: "noting").map(\.id) == ["a"])
        await bench.end()
    }

    @Test func whatIsTakenOverTwiceIsSettledTwice() async {
        let channel = NotingChannel(clock: time)
        let bench = DeliveryBench([(channel, LanePolicy(delay: .minutes(15)))], time: time)
        bench.tell([moved(.takenOver, "a"), moved(.takenOver, "b")])
        bench.pass(.minutes(5))
        bench.tell([moved(.takenOver, "a"), moved(.takenOver, "b"), Sample.change(.acknowledged, "b")])
        bench.pass(.minutes(20))
        #expect(channel.words == ["raised a"])
        #expect(bench.outbox.waiting(in: "noting").isEmpty)
        await bench.end()
    }
}
