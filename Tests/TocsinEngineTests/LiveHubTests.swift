import Testing
import TocsinCore
import TocsinEngine

@Suite struct LiveHubTests {
    private let table = SeriesTable(seed: 1)

    private func change(_ number: Int) -> AlarmChange {
        let time = Timestamp(seconds: 1_760_000_000)
        return AlarmChange(
            step: .raised,
            alarm: Alarm(
                id: "\(number)", sensor: "s", metric: nil, kind: .spike, state: .open, severity: .warning, raised: time,
                lastSeen: time, verdicts: 1, score: 1, pValue: 0, sentence: ""))
    }

    @Test func aReturningBrowserGetsWhatItMissed() async {
        let hub = LiveHub(generation: 0xabc)
        for number in 1...5 { hub.publish(anomalies: [], alarms: [change(number)]) }
        let subscription = hub.subscribe(sensors: [], table: table, lastEventID: "abc-3")
        let events = await subscription.next() ?? []
        #expect(events.compactMap(\.id) == [4, 5])
    }

    @Test(arguments: ["abc-18446744073709551615", "abc-99", "abc--1", "abc-x", "other-1", "", "-", "abc-1-2"])
    func strangeIdsAreHarmless(id: String) async {
        let hub = LiveHub(generation: 0xabc, historyLimit: 1)
        for number in 1...5 { hub.publish(anomalies: [], alarms: [change(number)]) }
        let subscription = hub.subscribe(sensors: ["unknown"], table: table, lastEventID: id)
        subscription.wake()
        hub.unsubscribe(subscription)
        #expect(hub.subscriberCount == 0)
    }

    @Test func whatFellOutOfTheHistoryIsAGap() async {
        let hub = LiveHub(generation: 1, historyLimit: 2)
        for number in 1...20 { hub.publish(anomalies: [], alarms: [change(number)]) }
        let events = await hub.subscribe(sensors: [], table: table, lastEventID: "1-3").next() ?? []
        #expect(events.first?.name == "gap")
        #expect(events.last?.id == 20)
    }

    @Test func aReaderThatNeverReadsLosesReadingsAndIsTold() async {
        let hub = LiveHub(generation: 1)
        let subscription = hub.subscribe(sensors: [], table: table, lastEventID: nil)
        let large = Array(repeating: UInt8(ascii: " "), count: 300_000)
        for _ in 0..<10 { hub.publish(name: "stats", data: large) }
        let events = await subscription.next() ?? []
        #expect(events.first?.name == "gap")
        #expect(events.first.map { String(decoding: $0.data, as: UTF8.self) } == #"{"missed":7}"#)
        #expect(events.count == 4)
    }

    @Test func afterTheEndNobodyWaits() async {
        let hub = LiveHub(generation: 1)
        let before = hub.subscribe(sensors: [], table: table, lastEventID: nil)
        hub.finish()
        #expect(await before.next() == nil)
        let after = hub.subscribe(sensors: [], table: table, lastEventID: nil)
        #expect(await after.next() == nil)
        #expect(hub.subscriberCount == 0)
    }
}
