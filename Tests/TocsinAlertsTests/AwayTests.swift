import Synchronization
import Testing
import TocsinAlerts
import TocsinCore

/// A receiver that is away for a minute, and for an hour, while alarms go on.
@Suite struct AwayTests {
    private let time = VirtualTime()

    /// How one that is away shows it.
    enum Way: CaseIterable {
        case answers503, asksForPatience, breaksOff, takesTurns
    }

    @Test(arguments: [60, 3600], Way.allCases) func nothingIsLostAndNobodyElseWaits(_ seconds: Int, _ way: Way) async {
        let isAway = Mutex(true)
        let tries = Mutex<[Timestamp]>([])
        let channel = NotingChannel(people: false, clock: time) { [time] _, attempt in
            guard isAway.withLock({ $0 }) else { return nil }
            tries.withLock { $0.append(time.now()) }
            switch way {
            case .answers503: return .busy
            case .asksForPatience: return .after(.seconds(30))
            case .breaksOff: return AlertFailure(TocsinError(.network, "the connection broke", isRetriable: true))
            case .takesTurns: return attempt % 2 == 0 ? .busy : .after(.seconds(5))
            }
        }
        let other = NotingChannel("other", people: false, clock: time)
        let bench = DeliveryBench([(channel, LanePolicy()), (other, LanePolicy())], time: time)
        var given: [String: [String]] = [:]
        var count = 0
        for second in stride(from: 0, to: seconds, by: 10) {
            let id = "i\(second / 10 % 12)"
            var change = Sample.change(given[id] == nil ? .raised : .escalated, id)
            change.alarm.verdicts = count + 1
            given[id, default: []].append("\(change.step.rawValue) \(count + 1)")
            count += 1
            bench.tell([change])
            bench.pass(.seconds(10))
            // Whoever is there hears at once.
            #expect(other.told.count == count)
        }
        #expect(channel.told.isEmpty && bench.dispatcher.status[0].waiting == count)
        // At most one knock every 30 s or so, once the wait is at its ceiling; a few more in the beginning.
        let knocks = tries.withLock { $0 }.count
        #expect(
            knocks >= 2 && knocks <= 15 + seconds / (way == .takesTurns ? 5 : 30), "\(knocks) tries in \(seconds) s")
        isAway.withLock { $0 = false }
        let back = time.now()
        bench.pass(.seconds(61))
        let first = channel.times.first.map { $0.since(back).seconds }
        #expect(first.map { $0 <= 60 } == true, "first delivery after \(first ?? -1) s")
        bench.pass(.minutes(3))
        for (id, steps) in given {
            let told = channel.told.compactMap(\.change).filter { $0.alarm.id == id }
            #expect(told.map { "\($0.step.rawValue) \($0.alarm.verdicts)" } == steps)
        }
        #expect(channel.told.count == count && Set(channel.told.map(\.key)).count == count)
        #expect(
            bench.dispatcher.dead.isEmpty && bench.dispatcher.status.allSatisfy { $0.waiting == 0 && $0.failures == 0 })
        await bench.end()
    }
}
