/// How a cluster is reached: what consumers and producers have in common.
public struct KafkaSettings: Sendable {
    /// "host:port", at least one; the others of the cluster are found through them.
    public var brokers: [String]
    /// How this process is called in the brokers' logs and quotas.
    public var clientID = "tocsin"
    /// The file of librdkafka; nil = the system's own.
    public var library: String?
    /// Further properties of librdkafka by its names: `security.protocol`, `sasl.mechanism`, `ssl.ca.location`, … They win
    /// over the program's own, but for those that its promises rest on.
    public var properties: [String: String] = [:]

    public init(brokers: [String]) { self.brokers = brokers }

    var secrets: KafkaSecrets { KafkaSecrets(properties) }
    var place: String { "kafka://" + brokers.joined(separator: ",") }
}

/// Who is told of what happens on a connection. The functions must return at once; any thread may call them.
public struct KafkaObserver: Sendable {
    /// Something that a person should look at.
    public var problem: @Sendable (String) -> Void
    /// What is good to know: partitions come and go, a connection is back.
    public var note: @Sendable (String) -> Void
    /// The library's own log; levels of syslog, 3 = error, 7 = debug.
    public var log: @Sendable (_ level: Int, _ text: String) -> Void

    public init(
        problem: @escaping @Sendable (String) -> Void = { _ in }, note: @escaping @Sendable (String) -> Void = { _ in },
        log: @escaping @Sendable (_ level: Int, _ text: String) -> Void = { _, _ in }
    ) {
        self.problem = problem
        self.note = note
        self.log = log
    }
}
