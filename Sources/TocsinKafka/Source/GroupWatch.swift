public import TocsinCore

/// Finds partitions that nobody reads, from outside: messages wait, and the group's position stands still.
public struct GroupWatch: Sendable {
    /// What the brokers say of a partition now.
    public struct Seen: Sendable {
        /// The group's position; nil where it has none.
        public var committed: Int64?
        /// First and next offset.
        public var ends: Range<Int64>

        public init(committed: Int64?, ends: Range<Int64>) {
            self.committed = committed
            self.ends = ends
        }
    }

    /// A partition without a reader, and how many messages wait there.
    public struct Unread: Sendable, Equatable {
        public var partition: TopicPartition
        public var messages: Int64

        public init(partition: TopicPartition, messages: Int64) {
            self.partition = partition
            self.messages = messages
        }
    }

    private struct Partition {
        var committed: Int64?
        /// What a reader without a position would begin with.
        var first: Int64
        /// Since when (monotonic) messages wait at this position.
        var waitingSince: Int64?
    }

    private let patience: Span64
    private let startsAtEnd: Bool
    private var partitions: [TopicPartition: Partition] = [:]

    /// - Parameters:
    ///   - patience: how long messages may wait.
    ///   - startsAtEnd: whether a reader without a position begins at the end.
    public init(patience: Span64, startsAtEnd: Bool) {
        self.patience = patience
        self.startsAtEnd = startsAtEnd
    }

    /// Begins anew: the process has partitions of its own meanwhile.
    public mutating func forget() { partitions = [:] }

    /// Cheap: for every look at the cluster.
    ///
    /// - Parameter now: monotonic nanoseconds.
    /// - Returns: the first partition where messages have waited for longer than the patience; nil where all are read.
    public mutating func see(_ seen: [TopicPartition: Seen], at now: Int64) -> Unread? {
        var worst: Unread?
        for (name, one) in seen.sorted(by: { $0.key < $1.key }) {
            var known =
                partitions[name]
                ?? Partition(
                    committed: one.committed, first: startsAtEnd ? one.ends.upperBound : one.ends.lowerBound)
            if known.committed != one.committed {
                known.committed = one.committed
                known.waitingSince = nil
            }
            // Behind a reader that has everything one offset may be left: the marker of a transaction.
            let behind = one.ends.upperBound - max(one.committed ?? known.first, one.ends.lowerBound)
            known.waitingSince = behind > 1 ? known.waitingSince ?? now : nil
            partitions[name] = known
            if worst == nil, let since = known.waitingSince, now - since >= patience.nanoseconds {
                worst = Unread(partition: name, messages: behind)
            }
        }
        return worst
    }
}
