import Logging
import Synchronization
import Testing
import TocsinConnectors
import TocsinCore
import TocsinTestKit

/// A channel that notes what it is told and fails on command.
private final class NotingChannel: AlertChannel {
    let name = "noting"
    private let state: Mutex<(told: [AlarmChange], failures: [TocsinError])>

    init(failures: [TocsinError] = []) { state = Mutex(([], failures)) }

    var told: [AlarmChange] { state.withLock { $0.told } }

    func deliver(_ change: AlarmChange) async throws {
        try state.withLock { state in
            if !state.failures.isEmpty { throw state.failures.removeFirst() }
            state.told.append(change)
        }
    }
}

@Suite struct AlertDispatcherTests {
    private func change(_ step: AlarmChange.Step, id: String = "1", sensor: String = "s") -> AlarmChange {
        let time = Timestamp(seconds: 1_760_000_000)
        return AlarmChange(
            step: step,
            alarm: Alarm(
                id: id, sensor: sensor, metric: "temperature", kind: .spike, state: step == .cleared ? .cleared : .open,
                severity: .warning, raised: time, lastSeen: time, verdicts: 1, score: 0.9, pValue: 1e-9,
                sentence: "it is hot"))
    }

    private func dispatch(
        _ changes: [AlarmChange], to channel: NotingChannel, policy: AlertDispatcher.Policy = .init(),
        clock: HandClock = HandClock()
    ) async -> AlertDispatcher {
        let dispatcher = AlertDispatcher(
            channels: [(channel, policy)], clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            sleep: { _ in })
        let work = Task { await dispatcher.run() }
        dispatcher.tell(changes, from: AlarmMark(sequence: 1, change: 0))
        // A dispatcher that is told to finish does not retry any more: wait for the queue first.
        while dispatcher.counts[0].delivered + dispatcher.counts[0].failed + dispatcher.counts[0].suppressed
            < changes.filter({ $0.step != .updated }).count
        { await Task.yield() }
        dispatcher.finish()
        await work.value
        return dispatcher
    }

    @Test func raisedAndClearedAreToldInOrderAndUpdatesAreNot() async {
        let channel = NotingChannel()
        _ = await dispatch([change(.raised), change(.updated), change(.cleared)], to: channel)
        #expect(channel.told.map(\.step) == [.raised, .cleared])
    }

    @Test func aRetriableFailureIsTriedAgain() async {
        let busy = TocsinError(.network, "503", isRetriable: true)
        let channel = NotingChannel(failures: [busy, busy])
        let dispatcher = await dispatch([change(.raised)], to: channel)
        #expect(channel.told.count == 1)
        #expect(dispatcher.counts[0].delivered == 1)
    }

    @Test func afterAllRetriesItIsGivenUpAndCounted() async {
        let busy = TocsinError(.network, "503", isRetriable: true)
        let channel = NotingChannel(failures: Array(repeating: busy, count: 3))
        let dispatcher = await dispatch([change(.raised)], to: channel, policy: .init(retries: 2))
        #expect(channel.told.isEmpty)
        #expect(dispatcher.counts[0].failed == 1)
    }

    @Test func aFinalRefusalIsNotTriedAgainAndHoldsUpNobody() async {
        let channel = NotingChannel(failures: [TocsinError(.network, "400")])
        let dispatcher = await dispatch([change(.raised), change(.raised, id: "2", sensor: "t")], to: channel)
        #expect(channel.told.map(\.alarm.id) == ["2"])
        #expect(dispatcher.counts[0].failed == 1)
    }

    @Test func theCooldownHoldsBackTheNextRaisingAndItsClearing() async {
        let channel = NotingChannel()
        let changes = [
            change(.raised, id: "1"), change(.cleared, id: "1"), change(.raised, id: "2"), change(.cleared, id: "2"),
            change(.raised, id: "3", sensor: "other"),
        ]
        let dispatcher = await dispatch(changes, to: channel, policy: .init(cooldown: .minutes(10)))
        #expect(channel.told.map(\.alarm.id) == ["1", "1", "3"])
        #expect(dispatcher.counts[0].suppressed == 2)
    }

    @Test func afterACrashOnlyWhatTheChannelHadNotDoneIsTold() async {
        let changes = (0..<4).map { change(.raised, id: "\($0)", sensor: "s\($0)") }
        let channel = NotingChannel()
        // The first two of an input's four had been delivered.
        let journal = MemoryJournal(
            left: [(changes, AlarmMark(sequence: 7, change: 0))],
            through: ["noting": AlarmMark(sequence: 7, change: 1)])
        let dispatcher = AlertDispatcher(
            channels: [(channel, .init())], clock: HandClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, journal: journal, sleep: { _ in })
        #expect(dispatcher.toldThrough == AlarmMark(sequence: 7, change: 3))
        dispatcher.finish()
        await dispatcher.run()
        #expect(channel.told.map(\.alarm.id) == ["2", "3"])
        #expect(journal.through("noting") == AlarmMark(sequence: 7, change: 3))
    }

    @Test func marksOfOneInputAreInOrderAndBeforeThoseOfTheNext() {
        let first = AlarmMark(sequence: 3, change: 0)
        #expect(first < first.advanced(by: 1))
        #expect(first.advanced(by: 100) < AlarmMark(sequence: 4, change: 0).predecessor)
        #expect(first.predecessor > AlarmMark(sequence: 2, change: 1_000_000))
        #expect(first.advanced(by: 1).predecessor == first)
        #expect(AlarmMark.none.predecessor == .none)
    }
}

/// What a file would keep, in memory.
private final class MemoryJournal: AlertJournal {
    let left: [(changes: [AlarmChange], first: AlarmMark)]
    private let channels: Mutex<[String: AlarmMark]>

    init(left: [(changes: [AlarmChange], first: AlarmMark)], through: [String: AlarmMark]) {
        self.left = left
        channels = Mutex(through)
    }

    var lastWritten: AlarmMark { left.last.map { $0.first.advanced(by: $0.changes.count - 1) } ?? .none }
    func through(_ channel: String) -> AlarmMark { channels.withLock { $0[channel] ?? .none } }
    func write(_ changes: [AlarmChange], from first: AlarmMark) {}
    func note(_ channel: String, through: AlarmMark) { channels.withLock { $0[channel] = through } }
}
