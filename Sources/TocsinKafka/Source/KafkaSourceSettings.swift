public import TocsinCore

/// What is read, as whom, and how much may be on its way.
public struct KafkaSourceSettings: Sendable {
    public enum Start: String, Sendable, CaseIterable {
        case earliest, latest
    }

    /// What a message's key means.
    public enum Key: String, Sendable, CaseIterable {
        case ignored
        /// The sensor's name, for messages that name none.
        case sensor
    }

    public var connection: KafkaSettings
    public var group: String
    /// Names, or regular expressions that start with `^`.
    public var topics: [String]
    /// Static membership: a process that is back within the session's time gets its partitions again without a
    /// rebalance. Unique in the group.
    public var instanceID: String?
    /// Where a partition is begun of which the group knows nothing.
    public var startFrom = Start.earliest
    public var key = Key.ignored

    /// A batch ends at so many messages or bytes, whichever comes first.
    public var batchMessages = 10_000
    public var batchBytes = 1 << 20
    /// What may be under way to the store, all partitions together; beyond it nothing is taken.
    public var pendingBytes = 64 << 20
    public var pendingBatches = 512
    /// How long nothing is taken before the partitions that are behind are paused at the broker.
    public var holdTime = Span64.milliseconds(250)
    public var commitInterval = Span64.seconds(1)
    /// Between two copies of a partition's state for the case that this process never comes back: it bounds what another
    /// one has to work through again.
    public var checkpointInterval = Span64.seconds(60)
    /// How long a partition that is given up may take to become durable.
    public var revokeTimeout = Span64.seconds(30)
    /// Between two looks at the cluster: topics, partitions, ends of partitions.
    public var lookInterval = Span64.seconds(5)
    /// How long a process may be without partitions, kept out of the group or while messages wait that nobody takes, before
    /// that is a problem.
    public var groupPatience = Span64.seconds(45)
    /// How far in event time a partition may be ahead of the slowest one that has messages waiting; 0: as far as it
    /// gets. Less than what the engine still takes as not late.
    public var alignment = Span64.seconds(5)
    /// After so long without any message a partition that should have some is no longer waited for.
    public var alignmentPatience = Span64.seconds(5)

    public init(brokers: [String], group: String, topics: [String]) {
        connection = KafkaSettings(brokers: brokers)
        self.group = group
        self.topics = topics
    }
}
