public import TocsinCore

/// What a source is doing: for health checks, metrics and the dashboard.
public struct KafkaSourceStatus: Sendable, Equatable {
    public enum Connection: String, Sendable, CaseIterable {
        case connecting, connected, disconnected, ended
    }

    public struct Partition: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        /// Behind the last message that is durable here; nil before the first.
        public var position: Int64?
        /// The group's offset at the broker; nil where it has none.
        public var committed: Int64?
        /// The end of the partition, as far as it is known.
        public var end: Int64?
        /// Messages that are not durable here yet; nil where the end is not known.
        public var lag: Int64?
        public var pendingBytes = 0
        public var isPaused = false
        /// It has messages and gives none: the other partitions go on without it.
        public var isLeftOut = false
    }

    public struct Failure: Sendable, Equatable {
        public var time: Timestamp
        public var text: String
    }

    public var connection = Connection.connecting
    /// When it became so.
    public var since: Timestamp
    /// Why the brokers cannot be reached.
    public var reason: String?
    public var partitions: [Partition] = []
    /// Partitions of the topics altogether, as far as they are known.
    public var topicPartitions = 0
    /// Topics that do not exist (yet).
    public var missingTopics: [String] = []
    /// It belongs to the group and has got no partition: others have them all.
    public var isSpare = false
    /// It waits to be told by the group what to read: everybody does for a moment when members come and go.
    public var isJoining = false
    /// It has been without a partition for longer than `groupPatience`, and not because others read them all.
    public var idleness: Idleness?
    /// Partitions that wait for what they need to begin: the group's offset, the state that another process left.
    public var preparing = 0
    public var messages = 0
    public var bytes = 0
    public var tombstones = 0
    /// Messages that the broker had deleted before they could be read.
    public var missed = 0
    public var rebalances = 0
    /// Why messages that are here are not decoded yet, by partition: a schema registry that does not answer.
    public var obstacles: [TopicPartition: String] = [:]
    public var lastMessage: Timestamp?
    public var lastFailure: Failure?

    /// Why a process has nothing to read although there is something.
    public struct Idleness: Sendable, Equatable {
        public enum Cause: Sendable, Equatable {
            /// The group has not answered: it waits for a member, or the join is refused.
            case isKeptOut
            /// Nobody commits a position of this partition, where messages wait.
            case nobodyReads(TopicPartition, messages: Int64)
        }

        public var group: String
        public var since: Timestamp
        public var cause: Cause

        func sentence(partitions: Int) -> String {
            let start = "no partition for this process since \(since.toTheSecond): "
            switch cause {
            case .isKeptOut where partitions == 0:
                return start + "no topic matches, or the group \(group) does not let it in"
            case .isKeptOut:
                let part = partitions == 1 ? "the partition" : "the \(partitions) partitions"
                return start + "the group \(group) has not shared out \(part) of its topics; one member that does not "
                    + "answer holds up all"
            case .nobodyReads(let partition, let messages):
                return start + "the group \(group) gave \(partition) to no process, or to one that is stuck: "
                    + "\(messages) messages wait, and its committed position stands still"
            }
        }
    }

    public init(since: Timestamp) { self.since = since }

    /// Of all partitions whose end is known.
    public var lag: Int64 { partitions.reduce(0) { $0 + ($1.lag ?? 0) } }
    public var isHealthy: Bool {
        connection == .connected && missingTopics.isEmpty && obstacles.isEmpty && idleness == nil
    }

    /// One line for people.
    public var sentence: String {
        switch connection {
        case .connecting:
            return "connecting to the brokers since \(since.toTheSecond)" + (reason.map { ": \($0)" } ?? "")
        case .disconnected: return "no broker reached since \(since.toTheSecond)" + (reason.map { ": \($0)" } ?? "")
        case .ended: return "ended at \(since.toTheSecond)" + (reason.map { ": \($0)" } ?? "")
        case .connected: break
        }
        if !missingTopics.isEmpty {
            return "waiting for topics that do not exist: " + missingTopics.joined(separator: ", ")
        }
        if let first = obstacles.min(by: { $0.key < $1.key }) {
            let others = obstacles.count > 1 ? " and \(obstacles.count - 1) other partitions" : ""
            return "messages of \(first.key)\(others) wait for what decodes them: \(first.value)"
        }
        if let idleness { return idleness.sentence(partitions: topicPartitions) }
        if isSpare {
            return "no partition for this process: the \(topicPartitions) of its topics are read by the others of the "
                + "group; it stands by"
        }
        if preparing > 0 { return "taking up \(preparing) partitions" }
        if isJoining, partitions.isEmpty { return "waiting for the group to share out \(topicPartitions) partitions" }
        let silent = partitions.filter(\.isLeftOut).map { "\($0.topic)/\($0.partition)" }
        return "reading \(partitions.count) of \(topicPartitions) partitions, \(lag) messages behind"
            + (silent.isEmpty ? "" : "; no messages come from " + silent.joined(separator: ", "))
    }
}

extension Timestamp {
    /// For sentences, which need no nanoseconds.
    var toTheSecond: String { Timestamp(nanoseconds: nanoseconds - nanoseconds % 1_000_000_000).iso8601 }
}
