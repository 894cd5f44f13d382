internal import Logging
internal import Synchronization
internal import TocsinCore

/// One channel with all that waits for it: several incidents at once, each in order.
final class AlertLane: Sendable {
    private struct State {
        var book: LaneBook
        var isSignalled = false
        var waiter: CheckedContinuation<Void, Never>?
        var alarmClock: Timestamp?
        var lastError: String?
        var lastDelivered: Timestamp?
    }
    private enum Turn {
        case send(LaneBook.Delivery)
        /// `timer` = wake up by then, unless a timer already stands.
        case rest(timer: Timestamp?)
        case ended
    }

    let name: String
    let channel: any AlertChannel
    private let outbox: any AlertOutbox
    private let context: AlertContext
    private let clock: any WallClock
    private let logger: Logger
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state: Mutex<State>
    /// However far the next thing is: the machine's clock may be set meanwhile.
    private static let longestSleep = 60.0

    init(
        name: String, channel: any AlertChannel, policy: LanePolicy, outbox: any AlertOutbox, context: AlertContext,
        rateMeter: RateMeter, clock: any WallClock, logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> Double
    ) {
        self.name = name
        self.channel = channel
        self.outbox = outbox
        self.context = context
        self.clock = clock
        self.logger = logger
        self.sleep = sleep
        state = Mutex(
            State(
                book: LaneBook(
                    channel: name, policy: policy, traits: channel.traits, open: outbox.openAlarms(in: name),
                    rateMeter: rateMeter, random: random)))
    }

    var counts: AlertCounts { state.withLock { $0.book.counts } }

    var status: AlertLaneStatus {
        state.withLock { state in
            let book = state.book
            let held = book.overflow.count + book.quietHeld.count + book.delayed.count
            return AlertLaneStatus(
                lane: name, waiting: book.incidents.values.reduce(held) { $0 + $1.queue.count }, heldBack: held,
                failures: book.failures + book.refusals,
                lastError: book.failures + book.refusals > 0 ? state.lastError : nil,
                lastDelivered: state.lastDelivered,
                restsUntil: [book.pausedUntil, book.restsUntil].compactMap { $0 }.max())
        }
    }

    func add(_ items: [(item: AlertItem, isRouted: Bool)]) {
        let now = clock.now()
        change { book in
            for (item, isRouted) in items { book.take(item, isRouted: isRouted, now: now) }
        }
    }

    func finish(within limit: Span64?) {
        let now = clock.now()
        change { book in
            book.isFinishing = true
            if !outbox.isDurable {
                book.flush(now: now)
            } else if let limit, book.lastStart == nil {
                book.lastStart = now.advanced(by: limit)
            }
        }
    }

    /// Runs until `finish`, then tries once what has not been tried, as long as that may take, and returns.
    func run() async {
        await withDiscardingTaskGroup { group in
            while true {
                switch turn() {
                case .send(let delivery): group.addTask { await self.deliver(delivery) }
                case .rest(let timer):
                    if let timer {
                        let seconds = min(max(0, timer.since(clock.now()).seconds), Self.longestSleep)
                        group.addTask {
                            // Cut off, it must not wake the lane, which would set the next one, without end.
                            do { try await self.sleep(.nanoseconds(Int64(seconds * 1e9))) } catch { return }
                            self.ring()
                        }
                    }
                    await signal()
                case .ended:
                    group.cancelAll()
                    return
                }
            }
        }
        let left = status.waiting
        guard left > 0 else { return }
        logger.warning(
            outbox.isDurable ? "alerts wait for the next start" : "alerts are lost with the end of the process",
            metadata: ["channel": "\(name)", "count": "\(left)"])
    }

    /// Changes the book, writes down what that settles, and wakes the lane.
    private func change(_ body: (inout LaneBook) -> Void) {
        let waiter = state.withLock { state in
            body(&state.book)
            settle(&state.book)
            state.isSignalled = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Under the lock: what stands in the outbox is never older than what the book knows.
    private func settle(_ book: inout LaneBook) {
        for (numbers, settlement) in book.takeSettlements() {
            outbox.settle(numbers, in: name, as: settlement)
            guard case .dead(let reason, let attempts, _) = settlement else { continue }
            logger.error(
                "alert given up: it is kept as a dead letter",
                metadata: [
                    "channel": "\(name)", "count": "\(numbers.count)", "attempts": "\(attempts)", "reason": "\(reason)",
                ])
        }
    }

    private func turn() -> Turn {
        let now = clock.now()
        return state.withLock { state in
            let action = state.book.next(now: now)
            settle(&state.book)
            switch action {
            case .send(let delivery): return .send(delivery)
            case .wait(let until):
                if state.book.isFinishing, state.book.underWay == 0 { return .ended }
                guard let until, state.alarmClock.map({ until < $0 }) ?? true else { return .rest(timer: nil) }
                state.alarmClock = until
                return .rest(timer: until)
            }
        }
    }

    private func ring() {
        let waiter = state.withLock { state in
            state.alarmClock = nil
            state.isSignalled = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private func signal() async {
        await withCheckedContinuation { continuation in
            let resumeNow = state.withLock { state in
                guard !state.isSignalled else { return true }
                state.waiter = continuation
                return false
            }
            if resumeNow { continuation.resume() }
        }
        state.withLock { $0.isSignalled = false }
    }

    private func deliver(_ delivery: LaneBook.Delivery) async {
        let outcome: LaneBook.Outcome
        do throws(AlertFailure) {
            _ = try await channel.send(message(delivery))
            outcome = .taken
        } catch {
            logger.warning(
                "alert not delivered",
                metadata: [
                    "channel": "\(name)", "alarm": "\(delivery.incident)", "attempt": "\(delivery.attempts)",
                    "error": "\(error)",
                ])
            let wait = error.retryAfter.map { Span64(nanoseconds: Int64($0.inSeconds * 1e9)) }
            outcome = .failed(reason: error.error.message, isRetriable: error.error.isRetriable, retryAfter: wait)
        }
        let now = clock.now()
        let waiter = state.withLock { state in
            if case .failed(let reason, _, _) = outcome { state.lastError = reason } else { state.lastDelivered = now }
            state.book.finish(delivery, outcome, now: now)
            settle(&state.book)
            state.isSignalled = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private func message(_ delivery: LaneBook.Delivery) -> AlertMessage {
        let now = clock.now()
        switch delivery.content {
        case .change(let change):
            // Another lane to the same receiver says something else.
            let suffix = name == channel.name ? "" : "-" + name.prefix { $0 != ">" }
            return AlertMessage(
                content: .change(change), key: AlertMessage.key(change) + suffix, incident: change.alarm.id, time: now,
                details: context.details(change), note: delivery.note, link: context.link(change.alarm))
        case .digest(let changes, let hold):
            var hash = StableHash()
            for change in changes { hash.combine(AlertMessage.key(change)) }
            return AlertMessage(
                content: .digest(changes, hold), key: "digest-\(hash.hex)", incident: "digest-\(hash.hex)", time: now,
                note: delivery.note, link: context.link(nil))
        case .open(let alarms):
            var message = AlertMessage(
                content: .open(alarms), key: "open-\(now.nanoseconds)", incident: "open", time: now,
                link: context.link(nil))
            for alarm in alarms { message.zones[alarm.id] = context.zone(alarm) }
            return message
        }
    }
}
