public import TocsinCore

/// Where readings are to go, as a person types it: `-`, a file, `http://…`, `kafka://…`, `mqtt://…`.
public enum SinkAddress: Sendable, Equatable {
    case standardOutput
    case file(String)
    case http(String)
    /// Without brokers those of the configuration are meant.
    case kafka(brokers: [String], topic: String)
    /// `address` without a path; `topic` may hold `{sensor_id}`.
    case mqtt(address: String, topic: String, options: MQTTOptions)

    public struct MQTTOptions: Sendable, Equatable {
        public var qos = 1
        public var isRetained = false
        /// `auto`, `3.1.1` or `5`.
        public var version = "auto"

        public init() {}
    }

    public static let kafkaTopic = "sensor-events"
    public static let mqttTopic = "sensors/{sensor_id}"

    /// - Throws: `TocsinError(.usage)` for an address that cannot be meant.
    public init(_ text: String) throws(TocsinError) {
        guard text != "-" else {
            self = .standardOutput
            return
        }
        guard let separator = text.firstRange(of: "://") else {
            guard !text.isEmpty else {
                throw Self.failure("the address is empty", text, "name a file, or - for standard output")
            }
            self = .file(text)
            return
        }
        let rest = text[separator.upperBound...]
        switch text[..<separator.lowerBound].lowercased() {
        case "http", "https": self = .http(text)
        case "kafka": self = try Self.kafka(rest, text)
        case "mqtt", "mqtts": self = try Self.mqtt(text[..<separator.upperBound], rest, text)
        case "file": self = .file(String(rest))
        case let scheme:
            throw Self.failure(
                "the scheme \(scheme) is not known", text,
                "use kafka://, mqtt://, mqtts://, http://, https:// or a file")
        }
    }

    private static func kafka(_ rest: Substring, _ text: String) throws(TocsinError) -> SinkAddress {
        let remedy = "write kafka://host:9092,host2:9092/topic"
        guard !rest.contains("@"), !rest.contains("?") else {
            throw failure(
                "the address may hold brokers and a topic only", masked(text),
                "give logins and TLS by kafka.properties, such as --set kafka.properties.sasl.username=…")
        }
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let brokers = (parts.first ?? "").split(separator: ",").map(String.init)
        for broker in brokers where broker.contains(where: \.isWhitespace) {
            throw failure("\(broker) is no broker", text, remedy)
        }
        let topic = parts.count > 1 && !parts[1].isEmpty ? String(parts[1]) : kafkaTopic
        let isName = topic.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [0x2d, 0x2e, 0x5f].contains(byte)
        }
        guard isName, topic.utf8.count <= 249, topic != ".", topic != ".." else {
            throw failure(
                "\(topic) cannot be the name of a topic", text, "use letters, digits, `.`, `_` and `-`, at most 249")
        }
        return .kafka(brokers: brokers, topic: topic)
    }

    private static func mqtt(
        _ scheme: Substring, _ rest: Substring, _ text: String
    ) throws(TocsinError) -> SinkAddress {
        var options = MQTTOptions()
        let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = (halves.first ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let host = parts.first ?? ""
        guard !host.contains("@") else {
            throw failure(
                "the address holds a user", masked(text), "give the user by --user, the password by --password-file")
        }
        for pair in halves.count > 1 ? halves[1].split(separator: "&") : [] {
            let words = pair.split(separator: "=", maxSplits: 1).map(String.init)
            let value = words.count > 1 ? words[1] : ""
            switch words.first {
            case "qos":
                guard let qos = Int(value), (0...2).contains(qos) else {
                    throw failure("qos=\(value) is none", text, "use qos=0, 1 or 2")
                }
                options.qos = qos
            case "retain":
                guard let flag = Bool(value) else {
                    throw failure("retain=\(value) is none", text, "use true or false")
                }
                options.isRetained = flag
            case "version":
                guard ["auto", "3.1.1", "5"].contains(value) else {
                    throw failure("version=\(value) is none", text, "use 3.1.1, 5 or auto")
                }
                options.version = value
            default: throw failure("\(pair) is not known", text, "known are qos, retain and version")
            }
        }
        let topic = parts.count > 1 && !parts[1].isEmpty ? String(parts[1]) : mqttTopic
        _ = try TopicPattern(topic)
        return .mqtt(address: String(scheme + host), topic: topic, options: options)
    }

    private static func failure(_ message: String, _ text: String, _ remedy: String) -> TocsinError {
        TocsinError(.usage, message, place: text, remedy: remedy)
    }

    /// Without what stands before the last `@`.
    private static func masked(_ text: String) -> String {
        guard let separator = text.firstRange(of: "://"), let at = text.lastIndex(of: "@"), separator.upperBound <= at
        else { return text }
        return text[..<separator.upperBound] + "****" + text[at...]
    }
}
