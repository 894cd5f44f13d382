public import Logging
internal import Synchronization
public import TocsinCore

/// Where alarm changes wait that have not reached every channel, so that no end of the process loses or doubles one.
public protocol AlertJournal: Sendable {
    /// What an earlier process has left, oldest first.
    var left: [(changes: [AlarmChange], sequence: UInt64)] { get }
    /// The last batch whose changes were written, by any process.
    var lastWritten: UInt64 { get }
    /// Up to which batch the channel is done.
    func through(_ channel: String) -> UInt64
    func write(_ changes: [AlarmChange], sequence: UInt64)
    func note(_ channel: String, through: UInt64)
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
    public var toldThrough: UInt64 { journal?.lastWritten ?? 0 }

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
            for lane in lanes where entry.sequence > journal.through(lane.name) {
                lane.add(entry.changes, sequence: entry.sequence)
            }
        }
    }

    public func tell(_ changes: [AlarmChange], sequence: UInt64) {
        journal?.write(changes, sequence: sequence)
        for lane in lanes {
            lane.add(changes, sequence: sequence)
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
