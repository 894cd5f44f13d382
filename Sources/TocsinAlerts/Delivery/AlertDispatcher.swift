public import Logging
public import TocsinCore

/// Hands alarm changes to every channel that they are meant for, each at its own pace.
///
/// At least once: a change is in the outbox before this returns, and leaves it when the receiver has taken it; the same
/// change carries the same key again. A slow or dead channel holds up neither the engine nor the other channels.
public final class AlertDispatcher: AlarmListener {
    /// A channel and how it is told.
    public typealias Channel = (channel: any AlertChannel, policy: LanePolicy)
    private struct Escalating {
        let lane: AlertLane
        let filter: AlertFilter
    }

    private let lanes: [AlertLane]
    private let escalations: [Escalating]
    private let routing: AlertRouting
    private let outbox: any AlertOutbox
    private let context: AlertContext
    private let clock: any WallClock
    private let logger: Logger

    /// - Parameters:
    ///   - outbox: what is to be told and has been; what an earlier process left is told first.
    ///   - sleep: for at least so long; tests move their clock instead.
    ///   - random: 0…1, for the jitter of repetitions.
    public init(
        channels: [Channel], routing: AlertRouting = AlertRouting(), escalations: [AlertEscalation] = [],
        outbox: any AlertOutbox = MemoryOutbox(), context: AlertContext = AlertContext(), clock: any WallClock,
        logger: Logger, sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        // An escalation reaches the same people: what they get is counted together.
        let meters = Dictionary(channels.map { ($0.channel.name, RateMeter()) }) { first, _ in first }
        func lane(_ name: String, _ channel: any AlertChannel, _ policy: LanePolicy) -> AlertLane {
            AlertLane(
                name: name, channel: channel, policy: policy, outbox: outbox, context: context,
                rateMeter: meters[channel.name] ?? RateMeter(), clock: clock, logger: logger, sleep: sleep,
                random: random)
        }
        let plan = escalations.enumerated().flatMap { number, escalation in
            channels.filter { escalation.channels.contains($0.channel.name) }.map { entry in
                var policy = entry.policy
                policy.delay = escalation.delay
                policy.severity = .info
                policy.cooldown = .seconds(0)
                return (
                    name: Self.escalationName(number, channel: entry.channel.name), entry.channel, policy,
                    escalation.filter
                )
            }
        }
        let names = channels.map(\.channel.name) + plan.map(\.name)
        let stranded = outbox.open(lanes: names)
        if stranded > 0 {
            let gone = outbox.deadCounts.keys.filter { !names.contains($0) }.sorted().joined(separator: ", ")
            logger.error(
                "alerts waited for channels that are no longer configured: they are kept as dead letters",
                metadata: ["count": "\(stranded)", "channels": "\(gone)"])
        }
        lanes = channels.map { lane($0.channel.name, $0.channel, $0.policy) }
        self.escalations = plan.map { Escalating(lane: lane($0.name, $0.1, $0.2), filter: $0.3) }
        self.routing = routing
        self.outbox = outbox
        self.context = context
        self.clock = clock
        self.logger = logger
        for lane in lanes { hand(outbox.waiting(in: lane.name), to: lane) }
        for escalation in self.escalations { hand(outbox.waiting(in: escalation.lane.name), to: escalation) }
    }

    /// The name of an escalation's lane.
    public static func escalationName(_ number: Int, channel: String) -> String {
        "escalation-\(number + 1)>\(channel)"
    }

    public var toldThrough: AlarmMark { outbox.lastMark }

    public func tell(_ changes: [AlarmChange], from first: AlarmMark) { put(changes, mark: first) }

    public func keep() async -> Bool {
        do {
            try await outbox.keep()
            return true
        } catch {
            logger.error("no checkpoint is made, and input stays in the spool", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Changes that do not come from the engine's input: acknowledgements, the program's own troubles.
    public func tell(_ changes: [AlarmChange]) { put(changes, mark: nil) }

    /// Runs until `finish`, then tries once what has not been tried, as long as that may take, and returns.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for lane in all { group.addTask { await lane.run() } }
        }
    }

    /// - Parameter limit: nothing is begun later than this, and what is left waits for the next start; nil = everything is
    ///   tried. Where the outbox does not outlive the process everything is.
    public func finish(within limit: Span64? = nil) {
        for lane in all { lane.finish(within: limit) }
    }

    /// By channel in configured order, then by escalation.
    public var counts: [AlertCounts] { all.map(\.counts) }
    public var status: [AlertLaneStatus] {
        let dead = outbox.deadCounts
        return all.map { lane in
            var status = lane.status
            status.dead = dead[lane.name] ?? 0
            return status
        }
    }

    /// What was given up, oldest first.
    public var dead: [DeadAlert] { outbox.dead }

    /// Alarms that somebody was told of and that have not ended, also of an earlier process.
    public var openAlarms: [Alarm] {
        var known: Set<String> = []
        return all.flatMap { outbox.openAlarms(in: $0.name) }.filter { known.insert($0.id).inserted }
    }

    /// Sends dead letters again; nil = whatever their number, in every lane.
    /// - Returns: how many; those of a channel that is no longer configured stay.
    public func resend(_ numbers: Set<UInt64>? = nil, in lane: String? = nil) -> Int {
        all.filter { lane == nil || $0.name == lane }.reduce(0) { count, lane in
            let items = outbox.requeue(numbers, in: lane.name, now: clock.now())
            lane.add(items.map { ($0, true) })
            return count + items.count
        }
    }

    /// Throws dead letters away; nil = whatever their number, in every lane.
    /// - Returns: how many.
    public func discard(_ numbers: Set<UInt64>? = nil, in lane: String? = nil) -> Int {
        outbox.deadCounts.keys.filter { lane == nil || $0 == lane }.reduce(0) { $0 + outbox.discard(numbers, in: $1) }
    }

    private var all: [AlertLane] { lanes + escalations.map(\.lane) }

    private func put(_ changes: [AlarmChange], mark: AlarmMark?) {
        let items = outbox.put(changes, mark: mark, now: clock.now())
        guard !items.isEmpty else { return }
        for lane in lanes { hand(items, to: lane) }
        for escalation in escalations { hand(items, to: escalation) }
    }

    private func hand(_ items: [AlertItem], to lane: AlertLane) {
        guard !routing.routes.isEmpty else { return lane.add(items.map { ($0, true) }) }
        lane.add(
            items.map { item in
                let channels = routing.channels(for: item.change.alarm, zone: zone(item.change))
                return (item, channels?.contains(lane.name) ?? true)
            })
    }

    private func hand(_ items: [AlertItem], to escalation: Escalating) {
        escalation.lane.add(
            items.map { ($0, escalation.filter.matches($0.change.alarm, zone: zone($0.change))) })
    }

    private func zone(_ change: AlarmChange) -> String? { context.zone(change.alarm) }
}
