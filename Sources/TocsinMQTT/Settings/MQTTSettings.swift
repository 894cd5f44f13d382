/// How a broker is reached and who we are to it.
public struct MQTTSettings: Sendable {
    /// Which version is spoken; `automatic` is 5, and 3.1.1 with a broker that does not know 5.
    public enum Version: String, Sendable, CaseIterable {
        case automatic = "auto"
        case v311 = "3.1.1"
        case v5 = "5"
    }

    public var address: MQTTAddress
    public var version = Version.automatic
    /// Must be unique at the broker; nil = one is made up.
    public var clientID: String?
    public var username: String?
    public var password: String?
    public var tls = TLSSettings()
    /// The broker is asked for a sign of life at this interval.
    public var keepAlive = Duration.seconds(15)
    /// Without an answer for so long the connection is taken for dead.
    public var answerTimeout = Duration.seconds(10)
    public var connectTimeout = Duration.seconds(10)
    public var backoff = Backoff()

    public init(address: MQTTAddress) { self.address = address }
}

/// TLS of a connection: heeded where the address says `mqtts`.
public struct TLSSettings: Sendable, Equatable {
    /// A PEM file of authorities that are trusted instead of the system's.
    public var authorities: String?
    /// PEM files of our own certificate (with its chain) and key: mutual TLS.
    public var certificate: String?
    public var key: String?
    /// The name that the broker's certificate must carry, and that is asked for (SNI); nil = the address's host.
    public var serverName: String?
    /// For brokers that share a port with others (`mqtt`, `x-amzn-mqtt-ca`).
    public var protocols: [String] = []
    /// Takes any certificate: protects against nobody who stands in between.
    public var allowsAnyCertificate = false

    public init() {}
}

/// Waiting times between attempts: doubled each time, up to a longest, each drawn from the upper half of its range so
/// that a thousand clients do not come back at the same moment.
public struct Backoff: Sendable, Equatable {
    public var first = Duration.milliseconds(500)
    public var longest = Duration.seconds(30)

    public init() {}

    /// - Parameters:
    ///   - attempt: from 0.
    ///   - share: of the range, 0 to 1: random.
    public func delay(attempt: Int, share: Double) -> Duration {
        var ceiling = first
        for _ in 0..<max(0, min(attempt, 62)) where ceiling < longest { ceiling = ceiling * 2 }
        ceiling = min(ceiling, longest)
        return ceiling * (0.5 + 0.5 * min(max(share, 0), 1))
    }
}
