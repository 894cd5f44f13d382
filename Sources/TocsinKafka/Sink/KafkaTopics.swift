/// Where results go: topics by what they hold; nil = not sent.
public struct KafkaTopics: Sendable, Equatable {
    /// Every stored event, with its readings.
    public var processed: String?
    public var anomalies: String?
    /// Steps in the lives of alarms.
    public var alerts: String?
    public var deadLetters: String?

    public init(
        processed: String? = nil, anomalies: String? = "anomalies", alerts: String? = "iot.alerts",
        deadLetters: String? = "iot.dlq"
    ) {
        self.processed = processed
        self.anomalies = anomalies
        self.alerts = alerts
        self.deadLetters = deadLetters
    }

    /// Every topic under its usual name.
    public static let all = KafkaTopics(processed: "iot.processed")

    subscript(kind: OutputKind) -> String? {
        switch kind {
        case .processed: processed
        case .anomalies: anomalies
        case .alerts: alerts
        case .deadLetters: deadLetters
        }
    }
}

/// What results are about. Raw values stand in files.
enum OutputKind: UInt8, CaseIterable, Sendable {
    case processed, anomalies, alerts, deadLetters

    var index: Int { Int(rawValue) }

    /// What all messages of the kind have in common, made once.
    var headers: [KafkaHeader] { Self.shared[index] }

    private static let shared = allCases.map { kind in
        let json = KafkaHeader("content-type", "application/json")
        return switch kind {
        case .processed: [json, KafkaHeader("schema-version", "reading/1")]
        case .anomalies: [json, KafkaHeader("schema-version", "anomaly/1")]
        case .alerts: [json, KafkaHeader("schema-version", "alarm-change/1")]
        // What is in a dead letter is anybody's guess: its content type is its own.
        case .deadLetters: [KafkaHeader("schema-version", "dead-letter/1")]
        }
    }
}
