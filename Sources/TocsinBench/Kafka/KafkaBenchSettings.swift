public import TocsinCore

/// What `KafkaBench` measures.
public struct KafkaBenchSettings: Sendable {
    /// Of each form.
    public var messages = 2_000_000
    public var sensors = 10_000
    /// Readings in a message, one run of everything for each.
    public var perMessage = [4, 1]
    /// Runs of everything; the median counts.
    public var repeats = 3
    /// Of each topic, where the topics are made here.
    public var partitions = 32
    /// Empty: the cluster of librdkafka in a process of its own.
    public var brokers: [String] = []
    /// librdkafka; nil = the system's own.
    public var library: String?
    /// Further flags of `tocsin run`.
    public var flags: [String] = []
    /// Where the temporary folder is made; nil = the system's.
    public var folder: String?

    public init() {}

    /// - Throws: `TocsinError(.usage)` for what cannot be measured.
    public func validate() throws(TocsinError) {
        guard (1000...1_000_000_000).contains(messages) else {
            throw TocsinError(.usage, "--messages takes 1,000 to 1,000,000,000")
        }
        guard (1...1_000_000).contains(sensors) else { throw TocsinError(.usage, "--sensors takes 1 to 1,000,000") }
        guard !perMessage.isEmpty, perMessage.allSatisfy({ (1...KafkaFleet.metrics.count).contains($0) }) else {
            throw TocsinError(
                .usage, "--per-message takes numbers from 1 to \(KafkaFleet.metrics.count) apart by commas")
        }
        guard (1...100).contains(repeats) else { throw TocsinError(.usage, "--repeat takes 1 to 100") }
        guard (1...1000).contains(partitions) else { throw TocsinError(.usage, "--partitions takes 1 to 1000") }
    }
}
