internal import TocsinCore

/// A topic (Kafka): each alarm step as one record, keyed by the alarm so that its steps keep their order.
public struct TopicChannel: AlertChannel {
    /// Returns when the record is durable; throws `TocsinError`, whose `isRetriable` counts.
    public typealias Produce =
        @Sendable (_ key: [UInt8], _ value: [UInt8], _ headers: [(name: String, value: [UInt8])]) async throws -> Void

    public let name: String
    public let traits = AlertChannelTraits(takesDigests: false, steps: ["*", "-updated"])
    private let topic: String
    private let timeout: Duration
    private let produce: Produce

    public init(name: String, topic: String, timeout: Duration = .seconds(30), produce: @escaping Produce) {
        self.name = name
        self.topic = topic
        self.timeout = timeout
        self.produce = produce
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        guard let change = message.change else { return AlertAnswer() }
        var json = JSONWriter()
        json.value(change)
        let (value, produce) = (json.bytes, produce)
        let headers: [(name: String, value: [UInt8])] = [
            ("schema", Array("tocsin.alarm/1".utf8)), ("content-type", Array("application/json".utf8)),
            ("idempotency-key", Array(message.key.utf8)), ("step", Array(change.step.rawValue.utf8)),
            ("severity", Array(message.severity.name.utf8)),
        ]
        do {
            try await withTimeLimit(timeout) { try await produce(Array(change.alarm.id.utf8), value, headers) }
        } catch {
            if let failure = error as? AlertFailure { throw failure }
            if let known = error as? TocsinError { throw AlertFailure(known) }
            throw AlertFailure(
                TocsinError(
                    .network, "the topic takes no alerts", place: topic, remedy: "check the brokers", isRetriable: true,
                    cause: error))
        }
        return AlertAnswer(text: "durable in \(topic)")
    }
}
