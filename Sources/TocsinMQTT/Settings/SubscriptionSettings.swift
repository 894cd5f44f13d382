public import TocsinCore

/// What a source takes from its broker, and how.
public struct SubscriptionSettings: Sendable {
    /// What becomes of messages that the broker kept for new subscribers.
    public enum Retained: String, Sendable, CaseIterable {
        case take, ignore
    }

    public var topics: [TopicTemplate]
    public var qos = QoS.atLeastOnce
    /// The broker keeps what comes while we are away; needs a client id.
    public var isSessionPersistent = true
    /// For how long (version 5; a broker of 3.1.1 has its own rule).
    public var sessionExpiry = Duration.seconds(86_400)
    public var retained = Retained.take
    /// Most messages of QoS 1 and 2 that are not durable yet; the broker is told in version 5.
    public var window = 4000
    /// A batch is handed over with so many messages, so many bytes, or when its first message has waited so long.
    public var batchMessages = 1000
    public var batchBytes = 256 << 10
    public var batchDelay = Duration.milliseconds(2)
    /// Of a longer message only so many bytes and one more are kept: the decoder makes a dead letter of it.
    public var maximumMessageBytes = 1 << 20
    /// A note is made when no message came for so long; nil = never.
    public var quietAfter: Duration?
    public var watchdog = WatchdogSettings()
    /// A topic that says, retained, `online` or `offline`.
    public var presenceTopic: String?
    public var onlinePayload = "online"
    public var offlinePayload = "offline"
    /// Makes the source a Sparkplug primary host: `spBv1.0/STATE/<id>` tells devices whether it is there. Its session is
    /// never persistent.
    public var sparkplugHostID: String?

    public init(topics: [TopicTemplate]) { self.topics = topics }

    /// A Sparkplug host must begin each connection without a session (Sparkplug 3.0,
    /// tck-id-message-flow-phid-sparkplug-clean-session-311 and -50).
    var keepsSession: Bool { isSessionPersistent && sparkplugHostID == nil }

    /// Throws what cannot be right, with its remedy.
    public func validate(clientID: String?) throws(TocsinError) {
        func fail(_ message: String, _ remedy: String) -> TocsinError {
            TocsinError(.configuration, message, place: "topics", remedy: remedy)
        }
        guard !topics.isEmpty else { throw fail("there is no topic", "name at least one topic filter") }
        guard Set(topics.map(\.filter)).count == topics.count else {
            throw fail("two topics are the same filter", "keep one of them")
        }
        guard !isSessionPersistent || !(clientID ?? "").isEmpty else {
            throw fail(
                "a persistent session needs a client id",
                "set clientID, or session: clean and lose what comes meanwhile")
        }
        guard (1...65_535).contains(window) else { throw fail("the window is not within 1 to 65535", "use 4000") }
        guard (1...65_535).contains(batchMessages), (1...(64 << 20)).contains(batchBytes), maximumMessageBytes > 0,
            maximumMessageBytes <= PacketWriter.maximumBody
        else { throw fail("a limit of batches or messages is out of range", "use the defaults") }
        guard presenceTopic == nil || sparkplugHostID == nil else {
            throw fail("a connection has one last will only", "set presence or the Sparkplug host id, not both")
        }
        for topic in [presenceTopic, sparkplugHostID, watchdog.topic].compactMap({ $0 })
        where topic.isEmpty || topic.contains(where: { "+#".contains($0) }) {
            throw fail("\(topic) is no topic that can be published to", "name a topic without wildcards")
        }
    }
}

/// How the source proves that its subscription is alive: it publishes to a topic of its own and waits for the echo.
public struct WatchdogSettings: Sendable, Equatable {
    public var isEnabled = true
    /// nil = `tocsin/<client id>/probe`, with `_` for what no topic may hold.
    public var topic: String?
    public var interval = Duration.seconds(10)
    /// Without an echo, or any other message, for so long after a probe the connection is made anew.
    public var timeout = Duration.seconds(10)
    /// A probe that was given up is tried again after so long.
    public var retry = Duration.seconds(300)

    public init() {}

    static func topic(clientID: String) -> String {
        "tocsin/" + String(clientID.map { "+#\0".contains($0) ? "_" : $0 }) + "/probe"
    }
}
