internal import Logging
internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinEngine
internal import TocsinKafka
internal import TocsinMQTT
internal import TocsinServer

/// Sources that are brokers: Kafka and MQTT.
struct BrokerSources: Sendable {
    let pipeline: Pipeline
    let board: ConnectorBoard
    let positions: [String: ReadPosition]
    /// Ids of partitions; the same after a restart.
    let numbers: SourceNumbers

    func kafka(_ source: TocsinConfiguration.Source) throws -> KafkaSource {
        let kafka = pipeline.configuration.kafka
        var settings = KafkaSourceSettings(
            brokers: kafka.bootstrapServers, group: source.kafka.group, topics: source.topics)
        settings.connection = KafkaSettings(kafka)
        settings.instanceID = source.kafka.instanceID
        // Every partition has a clock of its own. Only where readings are judged in the order of their times across sources must
        // partitions keep together: twice this much apart at most, and never so far that readings are late because of it.
        let engine = pipeline.configuration.engine
        settings.alignment =
            engine.order == .event
            ? Span64(nanoseconds: min(5_000_000_000, engine.allowedLateness.nanoseconds / 4)) : .seconds(0)
        settings.checkpointInterval = source.kafka.checkpointInterval
        settings.startFrom = source.kafka.startFrom == .latest ? .latest : .earliest
        settings.key = source.kafka.messageKey == .sensor ? .sensor : .ignored
        let isShared = pipeline.configuration.sharesSensors
        let made = KafkaSource(
            name: source.name, settings: settings, table: pipeline.table, clock: pipeline.clock, positions: positions,
            handover: isShared ? pipeline.engine : nil, records: isShared ? try records() : nil,
            observer: observer(source.name), identify: { [numbers] in numbers.id(of: "\(source.name):\($0)") },
            makeDecoder: { [decoder = decoderSettings(source)] in MessageDecoder(decoder) })
        board.add { [made.status.connector(source.name)] }
        return made
    }

    /// Where processes leave sensors for each other: a place that all of them reach.
    private func records() throws -> PartitionRecords {
        guard let place = pipeline.configuration.kafka.checkpoints else { return PartitionRecords(pipeline.store) }
        return PartitionRecords(
            try CheckpointPlace.storage(
                place, pipeline.configuration, clock: pipeline.clock, logger: pipeline.logger))
    }

    func mqtt(_ source: TocsinConfiguration.Source, identity: SourceID) throws -> MQTTSource {
        let mqtt = source.mqtt
        var settings = MQTTSettings(address: try MQTTAddress(mqtt.url ?? ""))
        settings.version = MQTTSettings.Version(rawValue: mqtt.version.rawValue) ?? .automatic
        settings.clientID = mqtt.clientID ?? "tocsin-\(ProcessEnvironment.hostName)-\(source.name)"
        settings.username = mqtt.user
        settings.password = mqtt.password?.value
        settings.keepAlive = .nanoseconds(mqtt.keepAlive.nanoseconds)
        settings.tls.authorities = mqtt.tls.authorities
        settings.tls.certificate = mqtt.tls.certificate
        settings.tls.key = mqtt.tls.privateKey
        settings.tls.serverName = mqtt.tls.serverName
        settings.tls.allowsAnyCertificate = mqtt.tls.allowsAnyCertificate
        var subscription = SubscriptionSettings(topics: try source.topics.map { try TopicTemplate($0) })
        subscription.qos = QoS(rawValue: UInt8(clamping: mqtt.qos)) ?? .atLeastOnce
        subscription.isSessionPersistent = mqtt.session == .persistent
        subscription.sessionExpiry = .nanoseconds(mqtt.sessionExpiry.nanoseconds)
        subscription.retained = mqtt.retained == .take ? .take : .ignore
        subscription.window = mqtt.window
        subscription.maximumMessageBytes = pipeline.configuration.input.maximumMessageBytes
        subscription.quietAfter = mqtt.quietAfter.map { .nanoseconds($0.nanoseconds) }
        subscription.watchdog.isEnabled = mqtt.watchdog.enabled
        subscription.watchdog.topic = mqtt.watchdog.topic
        subscription.watchdog.interval = .nanoseconds(mqtt.watchdog.interval.nanoseconds)
        subscription.watchdog.timeout = .nanoseconds(mqtt.watchdog.timeout.nanoseconds)
        subscription.presenceTopic = mqtt.presenceTopic
        subscription.sparkplugHostID = mqtt.sparkplugHostID
        let logger = pipeline.logger
        let clock = pipeline.clock
        let made = try MQTTSource(
            name: source.name, settings: settings, subscription: subscription,
            decoder: MessageDecoder(decoderSettings(source)), table: pipeline.table, identity: identity,
            clock: pipeline.clock,
            onDecoded: { decoder in
                guard var known = decoder as? MessageDecoder else { return [] }
                let replies = known.takeReplies()
                decoder = known
                return replies.rebirthRequests.map { topic in
                    MQTTMessage(topic: topic, payload: SparkplugHost.rebirthPayload(at: clock.now()))
                }
            },
            observe: { event in
                logger.log(
                    level: event.isTrouble ? .warning : .notice, "\(event)", metadata: ["source": "\(source.name)"])
            })
        board.add { [made.status.connector(source.name)] }
        return made
    }

    private func decoderSettings(_ source: TocsinConfiguration.Source) -> MessageDecoderSettings {
        let skipped = SkippedValues()
        board.count(skippedOf: source.name) { skipped.count }
        var settings = DecoderFactory(configuration: pipeline.configuration).messageSettings(for: source)
        settings.skipped = skipped
        return settings
    }

    private func observer(_ name: String) -> KafkaObserver {
        let logger = pipeline.logger
        return KafkaObserver(
            problem: { logger.error("\($0)", metadata: ["source": "\(name)"]) },
            note: { logger.notice("\($0)", metadata: ["source": "\(name)"]) },
            log: { level, text in
                logger.log(
                    level: level <= 4 ? .warning : .debug, "librdkafka: \(text)", metadata: ["source": "\(name)"])
            })
    }
}

extension KafkaSettings {
    init(_ kafka: TocsinConfiguration.Kafka) {
        self.init(brokers: kafka.bootstrapServers)
        clientID = kafka.clientID
        library = kafka.library
        properties = kafka.properties.mapValues(\.value)
    }
}

extension KafkaSourceStatus {
    fileprivate func connector(_ name: String) -> ConnectorStatus {
        var figures: [ConnectorStatus.Figure] = [
            .init("kafka_consumer_messages_total", Double(messages)),
            .init("kafka_consumer_tombstones_total", Double(tombstones)),
            .init("kafka_consumer_missed_total", Double(missed)),
            .init("kafka_consumer_rebalances_total", Double(rebalances)),
        ]
        for partition in partitions {
            let labels = [("topic", partition.topic), ("partition", String(partition.partition))]
            if let lag = partition.lag { figures.append(.init("kafka_consumer_lag", Double(lag), labels: labels)) }
            if let position = partition.position {
                figures.append(.init("kafka_consumer_position", Double(position), labels: labels))
            }
            figures.append(.init("kafka_consumer_paused", partition.isPaused ? 1 : 0, labels: labels))
        }
        return ConnectorStatus(
            name: name, kind: "kafka", isHealthy: isHealthy, text: sentence, lastMessage: lastMessage, figures: figures)
    }
}

extension MQTTStatus {
    fileprivate func connector(_ name: String) -> ConnectorStatus {
        var figures: [ConnectorStatus.Figure] = [
            .init("tocsin_mqtt_messages_total", Double(messages)),
            .init("tocsin_mqtt_unacknowledged", Double(unacknowledged)),
            .init("tocsin_mqtt_reconnects_total", Double(reconnects)),
        ]
        if let isSubscriptionAlive {
            figures.append(.init("tocsin_mqtt_subscription_alive", isSubscriptionAlive ? 1 : 0))
        }
        return ConnectorStatus(
            name: name, kind: "mqtt", isHealthy: isHealthy, text: summary, lastMessage: lastMessage, figures: figures)
    }
}
