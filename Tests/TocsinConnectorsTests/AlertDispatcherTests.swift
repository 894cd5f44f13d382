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
        dispatcher.tell(changes, sequence: 1)
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
}
