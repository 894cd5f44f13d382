internal import CKafka
public import TocsinCore

/// Reads topics as a member of a group and does nothing with the messages: the limit that the source is measured against.
public struct KafkaPlainReader: Sendable {
    public struct Figure: Sendable, Equatable {
        public var messages = 0
        public var bytes = 0
        /// From the first message to the last, nanoseconds.
        public var nanoseconds: Int64 = 0
    }

    private let settings: KafkaSettings
    private let group: String
    private let topic: String

    public init(_ settings: KafkaSettings, group: String, topic: String) {
        self.settings = settings
        self.group = group
        self.topic = topic
    }

    /// Reads from the start of the topic until there were so many, or none came for `patience`.
    /// - Parameter batch: messages taken by one call at most; 1 = one after the other, as most consumers do.
    /// - Throws: `TocsinError` for settings that make no client.
    public func read(_ messages: Int, batch: Int = 10_000, patience: Span64 = .seconds(10)) async throws -> Figure {
        try KafkaLibrary.load(settings.library)
        let configuration = KafkaConfiguration(secrets: settings.secrets)
        let own = [
            ("bootstrap.servers", settings.brokers.joined(separator: ",")), ("group.id", group),
            ("auto.offset.reset", "earliest"), ("enable.auto.commit", "false"),
        ]
        for (name, value) in own { try configuration.set(name, value) }
        // As the source has it: with its second of rest at a full queue nobody would read faster than that.
        configuration.setIfKnown("fetch.queue.backoff.ms", "5")
        for (name, value) in settings.properties.sorted(by: { $0.key < $1.key }) {
            try configuration.set(name, value, key: "properties.\(name)")
        }
        let client = Client(pointer: try configuration.makeClient(TKF_CONSUMER, place: settings.place))
        return await BlockingThread("tocsin.kafka.plain").run { [topic] in
            client.read(topic, messages, max(1, batch), patience.nanoseconds)
        }
    }

    /// Sendable: handed over to one thread, which uses it alone.
    private struct Client: @unchecked Sendable {
        let pointer: OpaquePointer

        func read(_ topic: String, _ wanted: Int, _ batch: Int, _ patience: Int64) -> Figure {
            _ = tkf_poll_set_consumer(pointer)
            let topics = PartitionList([TopicPartition(topic, -1)])
            _ = tkf_subscribe(pointer, topics.pointer)
            let queue = tkf_queue_of_consumer(pointer)
            let messages = UnsafeMutableBufferPointer<UnsafeMutablePointer<tkf_message>?>.allocate(capacity: batch)
            messages.initialize(repeating: nil)
            defer {
                messages.deallocate()
                tkf_queue_destroy(queue)
                tkf_destroy(pointer, TKF_DESTROY_WITHOUT_CLOSE)
            }
            var figure = Figure()
            var first: Int64?
            var last = SystemClock.monotonicNanoseconds
            while figure.messages < wanted {
                let count: Int
                if batch == 1 {
                    messages[0] = tkf_consume(queue, 10)
                    count = messages[0] == nil ? 0 : 1
                } else {
                    count = max(0, tkf_consume_batch(queue, 10, messages.baseAddress, batch))
                }
                let before = figure.messages
                for case let message? in messages[..<count] where message.pointee.err == 0 {
                    figure.messages += 1
                    figure.bytes += message.pointee.length
                }
                tkf_messages_destroy(messages.baseAddress, count)
                let now = SystemClock.monotonicNanoseconds
                if figure.messages > before {
                    last = now
                    if first == nil { first = now }
                }
                // The first takes as long as the group needs to form.
                if now - last > (first == nil ? 6 : 1) * patience { break }
            }
            figure.nanoseconds = last - (first ?? last)
            return figure
        }
    }
}
