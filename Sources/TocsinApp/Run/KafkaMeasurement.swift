public import TocsinCore
internal import TocsinKafka

/// Kafka's side of `tocsin bench kafka`: a cluster, somebody who fills it, and somebody who only reads.
public enum KafkaMeasurement {
    /// Where the brokers are and how they are reached.
    public struct Place: Sendable {
        public var brokers: [String]
        public var library: String?
        public var properties: [String: String]

        public init(brokers: [String], library: String? = nil, properties: [String: String] = [:]) {
            self.brokers = brokers
            self.library = library
            self.properties = properties
        }

        fileprivate var settings: KafkaSettings {
            var settings = KafkaSettings(brokers: brokers)
            settings.clientID = "tocsin-bench"
            settings.library = library
            settings.properties = properties
            return settings
        }
    }

    public struct Reading: Sendable {
        public var messages: Int
        public var bytes: Int
        public var seconds: Double
    }

    /// Runs the cluster of librdkafka until `isOver`, looked at every 100 ms.
    /// - Parameter topics: partitions by name.
    public static func serve(
        topics: [String: Int], library: String?, announce: (String) -> Void, until isOver: () -> Bool
    ) async throws {
        let cluster = try KafkaMockCluster(library: library, topics: topics)
        announce(cluster.brokers.joined(separator: ","))
        while !isOver() { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// Sends messages keyed by sensor, chunk after chunk, and returns when the brokers have all.
    /// - Parameter chunk: bytes, with the places of keys and values in them; nil at the end.
    public static func send(
        to place: Place, topic: String, _ chunk: () -> (bytes: [UInt8], keys: [ByteRange], values: [ByteRange])?
    ) async throws {
        let producer = try KafkaProducer(place.settings)
        do {
            var deliveries: [KafkaDelivery] = []
            while let part = chunk() {
                deliveries.append(
                    try await producer.send(topic: topic, bytes: part.bytes, keys: part.keys, values: part.values))
            }
            for delivery in deliveries { try await delivery.wait() }
        } catch {
            await producer.close(timeout: .milliseconds(100))
            throw error
        }
        await producer.close()
    }

    /// Reads so many messages and does nothing with them.
    /// - Parameter batch: messages taken by one call at most.
    public static func read(
        from place: Place, topic: String, group: String, messages: Int, batch: Int
    ) async throws -> Reading {
        let reader = KafkaPlainReader(place.settings, group: group, topic: topic)
        let figure = try await reader.read(messages, batch: batch)
        return Reading(
            messages: figure.messages, bytes: figure.bytes, seconds: Double(figure.nanoseconds) / 1e9)
    }
}
