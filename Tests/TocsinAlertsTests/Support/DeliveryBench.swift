import Logging
import Synchronization
import TocsinAlerts
import TocsinCore

/// A channel that notes what it is told and does with it what the test says.
final class NotingChannel: AlertChannel {
    typealias Script = @Sendable (AlertMessage, _ attempt: Int) async -> AlertFailure?
    let name: String
    let traits: AlertChannelTraits
    private let script: Script
    private let state = Mutex<(told: [AlertMessage], times: [Timestamp], attempts: Int, now: Int, most: Int)>(
        ([], [], 0, 0, 0))
    private let clock: any WallClock

    init(
        _ name: String = "noting", people: Bool = true, refresh: Duration? = nil,
        steps: Set<String> = AlertChannelTraits.usualSteps, clock: any WallClock,
        _ script: @escaping Script = { _, _ in nil }
    ) {
        self.name = name
        self.script = script
        self.clock = clock
        traits = AlertChannelTraits(takesDigests: people, steps: steps, refresh: refresh)
    }

    /// What it took.
    var told: [AlertMessage] { state.withLock { $0.told } }
    var times: [Timestamp] { state.withLock { $0.times } }
    var attempts: Int { state.withLock { $0.attempts } }
    var mostAtOnce: Int { state.withLock { $0.most } }
    /// `raised a1`, `digest b2 b3`.
    var words: [String] {
        told.map { message in
            guard message.change == nil else { return message.changes.map { "\($0.step.rawValue) \($0.alarm.id)" }[0] }
            return message.changes.isEmpty ? "open" : "digest " + message.changes.map(\.alarm.id).joined(separator: " ")
        }
    }

    func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        let attempt = state.withLock { state in
            state.attempts += 1
            state.now += 1
            state.most = max(state.most, state.now)
            return state.attempts
        }
        let failure = await script(message, attempt)
        state.withLock { state in
            state.now -= 1
            guard failure == nil else { return }
            state.told.append(message)
            state.times.append(clock.now())
        }
        if let failure { throw failure }
        return AlertAnswer()
    }
}

extension AlertFailure {
    static let busy = AlertFailure(TocsinError(.network, "503", isRetriable: true), status: 503)
    static let final = AlertFailure(TocsinError(.network, "400"), status: 400)
    static func after(_ duration: Duration) -> AlertFailure {
        AlertFailure(TocsinError(.network, "429", isRetriable: true), status: 429, retryAfter: duration)
    }
}

/// A dispatcher in virtual time.
final class DeliveryBench: Sendable {
    let time: VirtualTime
    let outbox: any AlertOutbox
    let dispatcher: AlertDispatcher
    private let executor = ManualExecutor()
    private let work: Task<Void, Never>

    init(
        _ channels: [(NotingChannel, LanePolicy)], time: VirtualTime, outbox: any AlertOutbox = MemoryOutbox(),
        routing: AlertRouting = AlertRouting(), escalations: [AlertEscalation] = [],
        context: AlertContext = AlertContext()
    ) {
        self.time = time
        self.outbox = outbox
        let dispatcher = AlertDispatcher(
            channels: channels.map { ($0.0, $0.1) }, routing: routing, escalations: escalations, outbox: outbox,
            context: context, clock: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            sleep: time.sleep, random: { 0.5 })
        self.dispatcher = dispatcher
        work = Task(executorPreference: executor) { await dispatcher.run() }
    }

    private static let sequence = Atomic<UInt64>(0)

    func tell(_ changes: [AlarmChange]) {
        let sequence = Self.sequence.wrappingAdd(1, ordering: .relaxed).newValue
        dispatcher.tell(changes, from: AlarmMark(sequence: sequence, change: 0))
    }

    func pass(_ span: Span64) { time.pass(span, executor) }

    /// Ends it as an orderly shutdown does.
    func end() async {
        dispatcher.finish()
        executor.drain()
        await work.value
    }

    /// As when another part of the process fails.
    func cancel() {
        work.cancel()
        executor.drain()
    }

    /// Ends it, whatever it was about to do: what it still writes, nobody reads.
    func kill() async {
        work.cancel()
        await end()
    }
}
