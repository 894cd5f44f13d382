public import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinKafka
internal import TocsinMQTT

/// Where a command sends readings, and who it is there.
public struct SinkSettings: Sendable {
    /// As a person types it: `-`, a file, `http://…`, `kafka://…`, `mqtt://…`.
    public var address: String
    /// Connection to Kafka: brokers where the address names none, TLS, SASL and other properties.
    public var kafka: TocsinConfiguration.Kafka?
    /// User and password of MQTT.
    public var user: String?
    public var password: Secret?
    /// Key of `POST /ingest`.
    public var key: Secret?
    public var tls = TLS()

    /// PEM files for `mqtts`.
    public struct TLS: Sendable {
        public var authorities: String?
        public var certificate: String?
        public var privateKey: String?

        public init() {}
    }

    public init(address: String) { self.address = address }

    /// True for `kafka://`, whose connection stands in the configuration.
    public var isKafka: Bool { address.lowercased().hasPrefix("kafka://") }

    /// - Throws: `TocsinError` for an address that cannot be meant, a file that cannot be written, a library that is
    ///   missing.
    func makeSink() throws -> any ReadingSink {
        switch try SinkAddress(address) {
        case .standardOutput: return FileSink(FileWriter.standardOutput, name: "standard output")
        case .file(let path): return FileSink(try FileWriter(path: path), name: path)
        case .http(let url): return HTTPSink(url: url, key: key?.value, client: OutgoingHTTP.client)
        case .kafka(let brokers, let topic): return try kafkaSink(brokers, topic)
        case .mqtt(let address, let topic, let options): return try mqttSink(address, topic, options)
        }
    }

    private func kafkaSink(_ brokers: [String], _ topic: String) throws -> any ReadingSink {
        let brokers = brokers.isEmpty ? kafka?.bootstrapServers ?? [] : brokers
        guard !brokers.isEmpty else {
            throw TocsinError(
                .usage, "no broker is named", place: address,
                remedy: "write kafka://host:9092/\(topic), or set kafka.bootstrapServers (KAFKA_BOOTSTRAP_SERVERS)")
        }
        var settings = KafkaSettings(brokers: brokers)
        if let kafka {
            settings.clientID = kafka.clientID
            settings.library = kafka.library
            settings.properties = kafka.properties.mapValues(\.value)
        }
        // Nothing is given up while the brokers are away.
        settings.properties["message.timeout.ms"] = settings.properties["message.timeout.ms"] ?? "0"
        return try KafkaSink(settings, topic: topic)
    }

    private func mqttSink(
        _ address: String, _ topic: String, _ options: SinkAddress.MQTTOptions
    ) throws -> any ReadingSink {
        var settings = MQTTSettings(address: try MQTTAddress(address))
        settings.version = MQTTSettings.Version(rawValue: options.version) ?? .automatic
        settings.username = user
        settings.password = password?.value
        settings.tls.authorities = tls.authorities
        settings.tls.certificate = tls.certificate
        settings.tls.key = tls.privateKey
        return try MQTTSink(
            settings, topic: try TopicPattern(topic), qos: QoS(rawValue: UInt8(clamping: options.qos)) ?? .atLeastOnce,
            isRetained: options.isRetained)
    }
}
