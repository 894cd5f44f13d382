internal import TocsinCore

/// What all connections to Kafka have in common, and what is sent there.
enum KafkaKeys {
    static let bootstrapServers = Key(
        "kafka.bootstrapServers", ValueForm(listOf: .text), default: [], shownAs: "none",
        "Brokers, `host:port`; the others of the cluster are found through them.")
    static let clientID = Key(
        "kafka.clientID", .text, default: "tocsin", "How this process is called in the brokers' logs and quotas.")
    static let library = Key(
        "kafka.library", .optionalPath, default: nil, shownAs: "the system's",
        "File of librdkafka, version 1.9 or newer.")
    static let properties = MapKey(
        "kafka.properties", .secret, default: [:],
        "Properties of librdkafka by its own names: `security.protocol`, `sasl.mechanism`, `ssl.ca.location` and so on."
    )
    static let registryURL = Key(
        "kafka.schemaRegistry.url", .optionalText, default: nil, shownAs: "none",
        "Address of a schema registry that speaks Confluent's interface, for Avro, Protobuf and JSON with a schema.")
    static let registryUser = Key(
        "kafka.schemaRegistry.user", .optionalText, default: nil, shownAs: "none", "User of the registry.")
    static let registryPassword = Key(
        "kafka.schemaRegistry.password", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none",
        "The user's password.")
    static let checkpoints = Key(
        "kafka.checkpoints", .optionalPath, default: nil, shownAs: "the store, where it is PostgreSQL",
        "Where the processes of a group leave the states of partitions for each other: a folder that all of them reach, or `s3://bucket/prefix` (with the keys of `lake.s3`)."
    )
    static let output = Key(
        "kafka.output.enabled", .flag, default: false, "Whether results are sent to topics, at least once each.")
    static let processed = Key(
        "kafka.output.processed", ValueForm(.text, orNone: ""), default: "iot.processed",
        "Topic of every stored event with its readings; empty is none.")
    static let anomalies = Key(
        "kafka.output.anomalies", ValueForm(.text, orNone: ""), default: "anomalies",
        "Topic of anomalies; empty is none.")
    static let alerts = Key(
        "kafka.output.alerts", ValueForm(.text, orNone: ""), default: "iot.alerts",
        "Topic of the steps in the lives of alarms; empty is none.")
    static let deadLetters = Key(
        "kafka.output.deadLetters", ValueForm(.text, orNone: ""), default: "iot.dlq",
        "Topic of dead letters; empty is none.")
    static let waitingBytes = Key(
        "kafka.output.waitingBytes", .bytes((1 << 20)...(1 << 40)), default: 1 << 30,
        "How much may wait on disk while the brokers are away; beyond, the pipeline waits.")

    static let all = [
        bootstrapServers.entry, clientID.entry, library.entry, properties.entry, registryURL.entry, registryUser.entry,
        registryPassword.entry, checkpoints.entry, output.entry, processed.entry, anomalies.entry, alerts.entry,
        deadLetters.entry,
        waitingBytes.entry,
    ]
}

/// Keys of sources of kind `kafka` and `mqtt`.
enum BrokerSourceKeys {
    static let topics = Key(
        "sources[].topics", ValueForm(listOf: .text), default: [], shownAs: "`sensor-events` for Kafka",
        "Kafka: names, or regular expressions that start with `^`; MQTT: filters, in which `{sensor_id}`, `{metric}`, `{zone}` name levels."
    )
    static let forms = MessageFormKeys("sources[]")
    static let group = Key(
        "sources[].group", .text, default: "tocsin", "Consumer group; processes with the same one share the partitions."
    )
    static let instanceID = Key(
        "sources[].instanceID", .optionalText, default: nil, shownAs: "none",
        "Static membership: a process that is back soon gets its partitions again without a rebalance.")
    static let startFrom = Key(
        "sources[].startFrom", .choice, default: TocsinConfiguration.Source.Start.earliest,
        "Where a partition is begun of which the group knows nothing.")
    static let messageKey = Key(
        "sources[].messageKey", .choice, default: TocsinConfiguration.Source.MessageKey.sensor,
        "What a message's key means: nothing, or the sensor of messages that name none.")
    static let checkpointInterval = Key(
        "sources[].checkpointInterval", .duration(.seconds(1) ... .hours(1)), default: .minutes(1),
        "How often a copy of a partition's state is kept, for the case that this process never comes back.")
    static let kafkaOnly = [
        group.entry, instanceID.entry, startFrom.entry, messageKey.entry, checkpointInterval.entry,
    ]

    static let url = Key(
        "sources[].url", .optionalText, default: nil, shownAs: "none",
        "The MQTT broker: `mqtt://host:1883`, or `mqtts://host:8883` for TLS.")
    static let version = Key(
        "sources[].version", .choice, default: TocsinConfiguration.Source.MQTTVersion.automatic,
        "Version of MQTT; `auto` is 5, and 3.1.1 with a broker that does not know it.")
    static let qos = Key(
        "sources[].qos", .integer(0...2), default: 1,
        "Quality of service: from 1 on a message is acknowledged only when it is durable.")
    static let clientID = Key(
        "sources[].clientID", .optionalText, default: nil, shownAs: "made of host and name",
        "Must be unique at the broker, and stay the same for the broker to keep what comes while the program is away.")
    static let user = Key("sources[].user", .optionalText, default: nil, shownAs: "none", "User at the MQTT broker.")
    static let password = Key(
        "sources[].password", ValueForm(.secret, orNone: ""), default: nil, shownAs: "none", "The user's password.")
    static let session = Key(
        "sources[].session", .choice, default: TocsinConfiguration.Source.Session.persistent,
        "Whether the broker keeps what comes while the program is away.")
    static let sessionExpiry = Key(
        "sources[].sessionExpiry", .duration(.seconds(1) ... .days(365)), default: .days(1), "For how long (MQTT 5).")
    static let retained = Key(
        "sources[].retained", .choice, default: TocsinConfiguration.Source.Retained.take,
        "What becomes of messages that the broker kept for new subscribers.")
    static let window = Key(
        "sources[].window", .integer(1...65_535, unit: "messages"), default: 4000,
        "Messages of QoS 1 and 2 that are not durable yet, at most.")
    static let keepAlive = Key(
        "sources[].keepAlive", .duration(.seconds(1) ... .hours(1)), default: .seconds(15),
        "How often the broker is asked for a sign of life.")
    static let quietAfter = Key(
        "sources[].quietAfter", ValueForm(.duration(.seconds(1) ... .days(7)), orNone: "off"), default: nil,
        "Without any message for this long a note is made.")
    static let watchdog = Key(
        "sources[].watchdog.enabled", .flag, default: true,
        "Whether the subscription is proved alive by messages to a topic of its own.")
    static let watchdogTopic = Key(
        "sources[].watchdog.topic", .optionalText, default: nil, shownAs: "`tocsin/<client id>/probe`", "That topic.")
    static let watchdogInterval = Key(
        "sources[].watchdog.interval", .duration(.seconds(1) ... .hours(1)), default: .seconds(10),
        "How often such a message is sent.")
    static let watchdogTimeout = Key(
        "sources[].watchdog.timeout", .duration(.seconds(1) ... .hours(1)), default: .seconds(10),
        "Without an echo for this long the connection is made anew.")
    static let presenceTopic = Key(
        "sources[].presenceTopic", .optionalText, default: nil, shownAs: "none",
        "Topic that says, retained, `online` or `offline`.")
    static let sparkplugHostID = Key(
        "sources[].sparkplugHostID", .optionalText, default: nil, shownAs: "none",
        "Makes the source a Sparkplug primary host of this name.")
    static let authorities = Key(
        "sources[].tls.authorities", .optionalPath, default: nil, shownAs: "the system's",
        "Certificates of authorities that are trusted (PEM).")
    static let certificate = Key(
        "sources[].tls.certificate", .optionalPath, default: nil, shownAs: "none", "The client's own certificate (PEM)."
    )
    static let privateKey = Key(
        "sources[].tls.privateKey", .optionalPath, default: nil, shownAs: "none",
        "The private key that belongs to it (PEM).")
    static let serverName = Key(
        "sources[].tls.serverName", .optionalText, default: nil, shownAs: "the address's host",
        "The name that the broker's certificate must carry.")
    static let anyCertificate = Key(
        "sources[].tls.allowsAnyCertificate", .flag, default: false,
        "Takes any certificate, which protects against nobody who stands in between.")
    static let mqttOnly = [
        url.entry, version.entry, qos.entry, clientID.entry, user.entry, password.entry, session.entry,
        sessionExpiry.entry, retained.entry, window.entry, keepAlive.entry, quietAfter.entry, watchdog.entry,
        watchdogTopic.entry, watchdogInterval.entry, watchdogTimeout.entry, presenceTopic.entry, sparkplugHostID.entry,
        authorities.entry, certificate.entry, privateKey.entry,
        serverName.entry, anyCertificate.entry,
    ]
}

/// How the forms of messages are read, once for each source and once for what is posted.
struct MessageFormKeys: Sendable {
    let csvHeader: Key<String?>
    let influxSensorTags: Key<[String]>
    let influxMetricTags: Key<[String]>
    let sensorAttributes: Key<[String]>

    init(_ group: String) {
        csvHeader = Key(
            "\(group).csvHeader", .optionalText, default: nil, shownAs: "each brings its own",
            "Header line of CSV messages that hold rows only: `sensor_id,timestamp,temperature`.")
        influxSensorTags = Key(
            "\(group).influxSensorTags", ValueForm(listOf: .text), default: [],
            shownAs: "`sensor_id`, `device_id`, `device`, `sensor`, `host`, `id`",
            "Tags of line protocol that name the sensor: the first one present wins that is not among `influxMetricTags`; without any the measurement does."
        )
        influxMetricTags = Key(
            "\(group).influxMetricTags", ValueForm(listOf: .text), default: [], shownAs: "none",
            "Tags of line protocol that belong to the metric's name, `usage_idle{cpu=cpu0}`; `_measurement` puts the measurement before it, `cpu.usage_idle`."
        )
        sensorAttributes = Key(
            "\(group).sensorAttributes", ValueForm(listOf: .text), default: [],
            shownAs:
                "`sensor_id`, `sensor.id`, `device.id`, `device_id`, `service.instance.id`, `host.name`, `service.name`",
            "Attributes of OpenTelemetry data points and resources that name the sensor: the first one found wins.")
    }

    var all: [KeyEntry] {
        [csvHeader.entry, influxSensorTags.entry, influxMetricTags.entry, sensorAttributes.entry]
    }
}
