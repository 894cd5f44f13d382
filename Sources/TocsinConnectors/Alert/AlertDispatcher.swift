public import Logging
internal import Synchronization
public import TocsinCore

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

    public init(
        channels: [(channel: any AlertChannel, policy: Policy)], clock: any WallClock, logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        lanes = channels.map {
            AlertLane(channel: $0.channel, policy: $0.policy, clock: clock, logger: logger, sleep: sleep)
        }
    }

    public func tell(_ changes: [AlarmChange]) {
        for lane in lanes { lane.add(changes) }
    }

    /// Runs until `finish`, then delivers what is queued (without long retries) and returns.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for lane in lanes { group.addTask { await lane.run() } }
        }
    }

    public func finish() {
        for lane in lanes { lane.finish() }
    }

    /// By channel, in configured order.
    public var counts: [AlertCounts] { lanes.map(\.counts) }
}
