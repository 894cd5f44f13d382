internal import Synchronization
public import TocsinCore

/// How a source or a channel stands with what is at its other end: for `/health`, `/metrics` and the dashboard.
public struct ConnectorStatus: Sendable {
    /// One sample of a metric: `kafka_consumer_lag{topic="a",partition="0"} 12`.
    public struct Figure: Sendable {
        public var metric: String
        public var labels: [(name: String, value: String)]
        public var value: Double

        public init(_ metric: String, _ value: Double, labels: [(name: String, value: String)] = []) {
            self.metric = metric
            self.labels = labels
            self.value = value
        }
    }

    public var name: String
    /// `kafka`, `mqtt`, `alerts`.
    public var kind: String
    public var isHealthy: Bool
    /// One sentence for a person.
    public var text: String
    public var lastMessage: Timestamp?
    public var figures: [Figure]

    public init(
        name: String, kind: String, isHealthy: Bool, text: String, lastMessage: Timestamp? = nil,
        figures: [Figure] = []
    ) {
        self.name = name
        self.kind = kind
        self.isHealthy = isHealthy
        self.text = text
        self.lastMessage = lastMessage
        self.figures = figures
    }
}

extension ConnectorStatus {
    /// Figures with the same labels: a partition, say.
    struct Part {
        var labels: [(name: String, value: String)]
        var figures: [Figure]
    }

    /// In `/health` and on the dashboard; `/metrics` has all.
    static let partsShown = 256

    /// In the order of their first figures.
    var parts: [Part] {
        var parts: [Part] = []
        var places: [String: Int] = [:]
        for figure in figures where !figure.labels.isEmpty {
            let key = figure.labels.map { "\($0.name)=\($0.value)" }.joined(separator: "\u{1F}")
            if let place = places[key] {
                parts[place].figures.append(figure)
            } else {
                places[key] = parts.count
                parts.append(Part(labels: figure.labels, figures: [figure]))
            }
        }
        return parts
    }
}

/// All connectors of the process; each is asked anew.
public final class ConnectorBoard: Sendable {
    private let asked = Mutex<[@Sendable () -> [ConnectorStatus]]>([])

    private let skipped = Mutex<[(source: String, count: @Sendable () -> Int)]>([])

    public init() {}

    /// - Parameter count: values of a source's messages that were no numbers and were left out, since the start.
    public func count(skippedOf source: String, _ count: @escaping @Sendable () -> Int) {
        skipped.withLock { $0.append((source, count)) }
    }

    var skippedValues: [(source: String, count: Int)] {
        skipped.withLock { $0 }.map { ($0.source, $0.count()) }.sorted { $0.source < $1.source }
    }

    /// - Parameter status: cheap: called for each scrape and once a second while a screen is open.
    public func add(_ status: @escaping @Sendable () -> [ConnectorStatus]) { asked.withLock { $0.append(status) } }

    public var all: [ConnectorStatus] { asked.withLock { $0 }.flatMap { $0() } }
}

extension ConnectorStatus.Figure {
    /// What each metric counts, for the exposition: help and type.
    static let metrics: [String: (help: String, type: String)] = [
        "kafka_consumer_lag": ("Messages of a partition that are not durable here yet.", "gauge"),
        "kafka_consumer_position": ("Offset behind the last message that is durable here.", "gauge"),
        "kafka_consumer_paused": ("1 while the partition is paused, because the program is full.", "gauge"),
        "kafka_consumer_messages_total": ("Messages read from Kafka.", "counter"),
        "kafka_consumer_tombstones_total": ("Messages without a value.", "counter"),
        "kafka_consumer_missed_total": ("Messages that Kafka had deleted before they could be read.", "counter"),
        "kafka_consumer_rebalances_total": ("Times the partitions were shared out anew.", "counter"),
        "tocsin_kafka_output_waiting": ("Results that wait to be sent to Kafka.", "gauge"),
        "tocsin_kafka_output_waiting_bytes": ("Their keys and values in bytes.", "gauge"),
        "tocsin_kafka_output_sent_total": ("Results sent to Kafka.", "counter"),
        "tocsin_kafka_output_refused_total": ("Results that the brokers refused for good.", "counter"),
        "tocsin_mqtt_messages_total": ("Messages taken from an MQTT broker.", "counter"),
        "tocsin_mqtt_unacknowledged": ("Messages of QoS 1 and 2 that are not durable yet.", "gauge"),
        "tocsin_mqtt_reconnects_total": ("Connections made after the first one.", "counter"),
        "tocsin_mqtt_subscription_alive": ("1 while the subscription is proved alive.", "gauge"),
        "tocsin_alert_outbox_waiting": ("Steps of alarms that wait for a channel.", "gauge"),
        "tocsin_alert_held_back": (
            "Of them, held back by quiet hours, rate limit, or the wait for an acknowledgement.", "gauge"
        ),
        "tocsin_alert_dead_letters": ("Steps of alarms that were given up and are kept.", "gauge"),
        "tocsin_alert_channel_failures": ("Failures in a row; 0 while the receiver takes messages.", "gauge"),
    ]
}

extension JSONWriter {
    mutating func value(_ connector: ConnectorStatus) {
        object {
            $0.field("name", connector.name)
            $0.field("kind", connector.kind)
            $0.field("healthy", connector.isHealthy)
            $0.field("text", connector.text)
            $0.field("last_message", connector.lastMessage)
            let figures = connector.figures.filter(\.labels.isEmpty)
            if !figures.isEmpty {
                $0.key("figures")
                $0.object { list in for figure in figures { list.field(figure.metric, figure.value) } }
            }
            let parts = connector.parts
            guard !parts.isEmpty else { return }
            $0.field("parts_total", parts.count)
            $0.key("parts")
            $0.array { list in for part in parts.prefix(ConnectorStatus.partsShown) { list.value(part) } }
        }
    }

    private mutating func value(_ part: ConnectorStatus.Part) {
        object {
            $0.key("labels")
            $0.object { list in for label in part.labels { list.field(label.name, label.value) } }
            $0.key("figures")
            $0.object { list in for figure in part.figures { list.field(figure.metric, figure.value) } }
        }
    }
}
