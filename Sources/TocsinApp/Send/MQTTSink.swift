internal import Synchronization
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinMQTT

/// Topics of an MQTT broker, one for each sensor.
///
/// At QoS 1 and 2 a chunk is safe when the broker has acknowledged it; at QoS 0 nobody says whether it arrived.
final class MQTTSink: ReadingSink {
    let name: String
    let wants = SinkWants(messages: true, chunkMessages: 1000)
    private let publisher: MQTTPublisher
    private let qos: QoS
    private let isRetained: Bool
    private let state: Mutex<State>

    private struct State {
        var topics: TopicPattern
        var sent = 0
        var isClosed = false
    }

    private struct Receipt: SendReceipt {
        let sink: MQTTSink
        /// Messages up to the end of the chunk.
        let target: Int

        func wait() async throws {
            while !sink.isAcknowledged(target) {
                guard !sink.state.withLock({ $0.isClosed }) else {
                    throw TocsinError(
                        .network, "the broker has not acknowledged everything", place: sink.name, isRetriable: true)
                }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    init(_ settings: MQTTSettings, topic: TopicPattern, qos: QoS, isRetained: Bool) throws {
        publisher = try MQTTPublisher(settings: settings)
        name = "\(settings.address)"
        self.qos = qos
        self.isRetained = isRetained
        state = Mutex(State(topics: topic))
    }

    var trouble: String? {
        let status = publisher.status
        if status.refused > 0 { return "\(status.refused) messages were refused: \(status.lastError ?? "")" }
        guard !status.isConnected, let text = status.lastError else { return nil }
        return "the broker is away: \(text)"
    }

    func send(_ chunk: ReadingChunk) async throws -> any SendReceipt {
        let messages = state.withLock { state in
            zip(chunk.messages, chunk.sensors).map { message, sensor in
                MQTTMessage(
                    topic: state.topics.topic(of: chunk.bytes[sensor.range]),
                    payload: Array(chunk.bytes[message.range]), qos: qos, isRetained: isRetained)
            }
        }
        try await publisher.publish(messages)
        let target = state.withLock { state in
            state.sent += messages.count
            return state.sent
        }
        return qos == .atMostOnce ? SentReceipt() : Receipt(sink: self, target: target)
    }

    func finish() async throws {
        // A closed publisher would never be done.
        guard !state.withLock({ $0.isClosed }) else { throw CancellationError() }
        try await publisher.flush()
        let status = publisher.status
        guard status.refused > 0 else { return }
        throw TocsinError(
            .network, "the broker refused \(status.refused) messages: \(status.lastError ?? "")", place: name,
            remedy: "may this user publish to this topic?")
    }

    func close() async {
        state.withLock { $0.isClosed = true }
        await publisher.close()
    }

    private func isAcknowledged(_ target: Int) -> Bool {
        let status = publisher.status
        // A broker may grant less than was asked for: then there are no acknowledgements to count.
        return status.acknowledged + status.refused >= target
            || (status.isConnected && status.published >= target && status.unacknowledged == 0)
    }
}
