public import Logging
internal import Synchronization
public import TocsinCore

/// Where alarm changes wait that have not reached every channel, so that no end of the process loses or doubles one.
public protocol AlertJournal: Sendable {
    /// What an earlier process has left, oldest first.
    var left: [(changes: [AlarmChange], first: AlarmMark)] { get }
    /// The last change that was written, by any process.
    var lastWritten: AlarmMark { get }
    /// Up to where the channel is done.
    func through(_ channel: String) -> AlarmMark
    func write(_ changes: [AlarmChange], from first: AlarmMark)
    func note(_ channel: String, through: AlarmMark)
}

/// Hands alarm changes to every channel, each at its own pace, with retry, back-off and cooldown.
///
/// A slow or dead channel holds up neither the engine nor the other channels. Its queue is bounded: beyond
/// `queueLimit` the oldest are given up, counted and logged; the alarms themselves are in the store.
public final class AlertDispatcher: AlarmListener {
    public struct Policy: Sendable {
        /// Attempts after the first one.
        public var retries: Int
        public var firstDelay: Duration
        public var longestDelay: Duration
        /// After a `raised` of a sensor and kind, further ones stay untold for this long.
        public var cooldown: Span64

        public init(
            retries: Int = 8, firstDelay: Duration = .seconds(1), longestDelay: Duration = .seconds(60),
            cooldown: Span64 = .seconds(0)
        ) {
            self.retries = retries
            self.firstDelay = firstDelay
            self.longestDelay = longestDelay
            self.cooldown = cooldown
        }
    }

    private let lanes: [AlertLane]
    private let journal: (any AlertJournal)?
    public var toldThrough: AlarmMark { journal?.lastWritten ?? .none }

    /// - Parameters:
    ///   - journal: what is to be told and has been, kept beyond the process; what an earlier one left is told first.
    public init(
        channels: [(channel: any AlertChannel, policy: Policy)], clock: any WallClock, logger: Logger,
        journal: (any AlertJournal)? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.journal = journal
        lanes = channels.map {
            AlertLane(channel: $0.channel, policy: $0.policy, clock: clock, logger: logger, sleep: sleep)
        }
        guard let journal else { return }
        for entry in journal.left {
            for lane in lanes {
                let through = journal.through(lane.name)
                let told = entry.changes.indices.prefix { entry.first.advanced(by: $0) <= through }.count
                lane.add(Array(entry.changes[told...]), from: entry.first.advanced(by: told))
            }
        }
    }

    public func tell(_ changes: [AlarmChange], from first: AlarmMark) {
        journal?.write(changes, from: first)
        for lane in lanes {
            lane.add(changes, from: first)
            journal?.note(lane.name, through: lane.doneThrough)
        }
    }

    /// Runs until `finish`, then delivers what is queued (without long retries) and returns.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for lane in lanes {
                group.addTask { await lane.run { self.journal?.note(lane.name, through: lane.doneThrough) } }
            }
        }
    }

    public func finish() {
        for lane in lanes { lane.finish() }
    }

    /// By channel, in configured order.
    public var counts: [AlertCounts] { lanes.map(\.counts) }
}
