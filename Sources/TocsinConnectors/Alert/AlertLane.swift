internal import Logging
internal import Synchronization
internal import TocsinCore

/// One channel with its queue: delivers in order, one at a time.
final class AlertLane: Sendable {
    private struct Told: Hashable {
        var sensor: String
        var kind: AnomalyKind
    }

    private struct State {
        var queue: [(change: AlarmChange, mark: AlarmMark)] = []
        /// The change that is being delivered, and the last one given.
        var underWay: AlarmMark?
        var lastGiven = AlarmMark.none
        var isFinished = false
        var waiter: CheckedContinuation<Void, Never>?
        var counts: AlertCounts
        var lastRaised: [Told: Timestamp] = [:]
        /// Alarms whose raising was held back: their clearing is held back too.
        var suppressedIDs: Set<String> = []
    }

    private let channel: any AlertChannel
    private let policy: AlertDispatcher.Policy
    private let clock: any WallClock
    private let logger: Logger
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state: Mutex<State>
    private static let queueLimit = 10_000

    init(
        channel: any AlertChannel, policy: AlertDispatcher.Policy, clock: any WallClock, logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.channel = channel
        state = Mutex(State(counts: AlertCounts(channel: channel.name)))
        self.policy = policy
        self.clock = clock
        self.logger = logger
        self.sleep = sleep
    }

    var name: String { channel.name }
    var counts: AlertCounts { state.withLock { $0.counts } }

    /// Every change up to this one has been delivered, held back or given up.
    var doneThrough: AlarmMark {
        state.withLock { state in
            (state.underWay ?? state.queue.first?.mark)?.predecessor ?? state.lastGiven
        }
    }

    func add(_ changes: [AlarmChange], from first: AlarmMark) {
        guard !changes.isEmpty else { return }
        let now = clock.now()
        let (waiter, lost): (CheckedContinuation<Void, Never>?, Int) = state.withLock { state in
            state.lastGiven = first.advanced(by: changes.count - 1)
            for (number, change) in changes.enumerated() where change.isTold && channel.wants(change) {
                if isHeldBack(change, now: now, &state) {
                    state.counts.suppressed += 1
                } else {
                    state.queue.append((change, first.advanced(by: number)))
                }
            }
            let lost = max(0, state.queue.count - Self.queueLimit)
            state.queue.removeFirst(lost)
            state.counts.failed += lost
            guard !state.queue.isEmpty else { return (nil, lost) }
            defer { state.waiter = nil }
            return (state.waiter, lost)
        }
        if lost > 0 {
            logger.error(
                "alert queue is full: oldest alerts given up", metadata: ["channel": "\(name)", "count": "\(lost)"])
        }
        waiter?.resume()
    }

    func finish() {
        let waiter = state.withLock { state in
            state.isFinished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// - Parameter onDone: called after each change, delivered or given up.
    func run(onDone: @Sendable () -> Void) async {
        while let change = await next() {
            let isDelivered = await deliver(change)
            state.withLock { state in
                state.underWay = nil
                if isDelivered { state.counts.delivered += 1 } else { state.counts.failed += 1 }
            }
            onDone()
        }
    }

    private func isHeldBack(_ change: AlarmChange, now: Timestamp, _ state: inout State) -> Bool {
        guard policy.cooldown.nanoseconds > 0 else { return false }
        let key = Told(sensor: change.alarm.sensor, kind: change.alarm.kind)
        switch change.step {
        case .raised, .reopened:
            if let last = state.lastRaised[key], now < last.advanced(by: policy.cooldown) {
                state.suppressedIDs.insert(change.alarm.id)
                return true
            }
            state.lastRaised[key] = now
            return false
        case .updated, .escalated: return state.suppressedIDs.contains(change.alarm.id)
        case .cleared: return state.suppressedIDs.remove(change.alarm.id) != nil
        }
    }

    private func next() async -> AlarmChange? {
        while true {
            let (change, isFinished): (AlarmChange?, Bool) = state.withLock { state in
                guard !state.queue.isEmpty else { return (nil, state.isFinished) }
                let next = state.queue.removeFirst()
                state.underWay = next.mark
                return (next.change, state.isFinished)
            }
            if let change { return change }
            if isFinished { return nil }
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    if !state.queue.isEmpty || state.isFinished { return true }
                    state.waiter = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        }
    }

    private func deliver(_ change: AlarmChange) async -> Bool {
        var delay = policy.firstDelay
        var attempt = 0
        while true {
            do {
                try await channel.deliver(change)
                return true
            } catch {
                let isRetriable = (error as? TocsinError)?.isRetriable ?? false
                let isStopping = state.withLock { $0.isFinished }
                attempt += 1
                logger.warning(
                    "alert not delivered",
                    metadata: [
                        "channel": "\(name)", "alarm": "\(change.alarm.id)", "attempt": "\(attempt)",
                        "error": "\(error)",
                    ])
                guard isRetriable, attempt <= policy.retries, !isStopping else { return false }
                // With jitter: many processes that lost one receiver do not come back in step.
                let pause = delay * Double.random(in: 0.5...1)
                guard (try? await sleep(pause)) != nil else { return false }
                delay = min(delay * 2, policy.longestDelay)
            }
        }
    }
}
