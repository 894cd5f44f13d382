internal import Synchronization
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinKafka

/// A topic of Kafka: a record for each message, its key the sensor, so that a sensor's messages stay in order.
///
/// Idempotent: a record that was sent again after a broken connection is not there twice.
final class KafkaSink: ReadingSink {
    let name: String
    let wants = SinkWants(messages: true, chunkMessages: 4096)
    private let producer: KafkaProducer
    private let topic: String
    private let state: Trouble

    /// What the library complains of, until an answer comes.
    private final class Trouble: Sendable {
        let text = Mutex<String?>(nil)
    }

    private struct Receipt: SendReceipt {
        let delivery: KafkaDelivery
        let state: Trouble

        func wait() async throws {
            try await delivery.wait()
            state.text.withLock { $0 = nil }
        }
    }

    init(_ settings: KafkaSettings, topic: String) throws {
        let state = Trouble()
        self.state = state
        self.topic = topic
        name = "kafka://" + settings.brokers.joined(separator: ",") + "/" + topic
        producer = try KafkaProducer(
            settings, observer: KafkaObserver(problem: { text in state.text.withLock { $0 = text } }))
    }

    var trouble: String? { state.text.withLock { $0 } }

    func send(_ chunk: ReadingChunk) async throws -> any SendReceipt {
        let delivery = try await producer.send(
            topic: topic, bytes: chunk.bytes, keys: chunk.sensors, values: chunk.messages)
        return Receipt(delivery: delivery, state: state)
    }

    func finish() async throws {}
    func close() async { await producer.close(timeout: .milliseconds(200)) }
}
