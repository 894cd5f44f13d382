/// What the brokers' codes mean, in words.
public enum ReasonWords {
    /// Return codes of CONNACK in 3.1.1 (table 3.1).
    public static func connect311(_ code: UInt8) -> String {
        switch code {
        case 0: "accepted"
        case 1: "the broker does not speak this version of the protocol"
        case 2: "the broker does not take this client id"
        case 3: "the broker's service is not available"
        case 4: "wrong user name or password"
        case 5: "not authorized"
        default: "unknown code \(code)"
        }
    }

    /// Codes of SUBACK in 3.1.1: 0x80 is all it can say.
    public static func subscribe311(_ code: UInt8) -> String {
        code == 0x80 ? "the broker refuses the subscription" : "unknown code \(code)"
    }

    /// Whether a refusal is meant for the topic, now and later, and not for the moment: not authorized, wrong topic name.
    static func isOfTopic(_ code: UInt8) -> Bool { code == 0x87 || code == 0x90 }

    /// Reason codes of version 5 (table 2-6).
    public static func v5(_ code: UInt8) -> String { table[code] ?? "unknown reason \(code)" }

    private static let table: [UInt8: String] = [
        0x00: "success", 0x04: "disconnected with the will to be sent", 0x10: "no subscriber has this topic",
        0x11: "there was no such subscription", 0x80: "unspecified error", 0x81: "malformed packet",
        0x82: "protocol error", 0x83: "the broker's own reasons", 0x84: "the broker does not speak this version",
        0x85: "the broker does not take this client id", 0x86: "wrong user name or password", 0x87: "not authorized",
        0x88: "the broker is not available", 0x89: "the broker is busy", 0x8a: "banned by the broker",
        0x8b: "the broker is shutting down", 0x8c: "wrong way of authentication",
        0x8d: "the broker heard nothing within the keep-alive time",
        0x8e: "another client has connected with the same client id", 0x8f: "the broker refuses this topic filter",
        0x90: "the broker refuses this topic name", 0x91: "the packet id is in use",
        0x92: "the packet id is not known", 0x93: "more unacknowledged messages than allowed",
        0x94: "wrong topic alias", 0x95: "packet too large", 0x96: "too many messages in a short time",
        0x97: "quota exceeded", 0x98: "closed by an administrator", 0x99: "wrong form of payload",
        0x9a: "the broker keeps no retained messages", 0x9b: "the broker does not offer this QoS",
        0x9c: "use another server", 0x9d: "the server has moved",
        0x9e: "the broker has no shared subscriptions", 0x9f: "too many connections in a short time",
        0xa0: "the longest time of connection is over", 0xa1: "the broker has no subscription ids",
        0xa2: "the broker has no wildcard subscriptions",
    ]
}
