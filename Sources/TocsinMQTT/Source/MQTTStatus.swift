public import TocsinCore

/// How a source stands with its broker at one moment: for health, metrics and dashboard.
public struct MQTTStatus: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable {
        /// A connection is being made.
        case connecting
        /// Connected; the broker has not confirmed the subscriptions yet.
        case subscribing
        /// Messages come as they are published.
        case running
        /// Connected, but the broker refuses some or all subscriptions.
        case refused
        /// Waits before the next attempt.
        case waiting
        case stopped
    }

    public var state = State.stopped
    public var since: Timestamp
    public var version: ProtocolVersion?
    /// The broker still had our session at the last connect.
    public var isSessionPresent = false
    public var messages = 0
    /// Payload bytes.
    public var bytes = 0
    /// Recognised as delivered before, by packet id and content.
    public var repeated = 0
    public var retainedIgnored = 0
    /// Longer than the maximum: the decoder makes dead letters of them.
    public var overlong = 0
    /// Batches gathered that the engine has not taken yet.
    public var batchesInFlight = 0
    /// Messages of QoS 1 and 2 that are not durable yet.
    public var unacknowledged = 0
    public var lastMessage: Timestamp?
    public var connects = 0
    public var reconnects: Int { max(0, connects - 1) }
    public var lastError: String?
    public var lastErrorAt: Timestamp?
    /// Refused filters, with the broker's reason.
    public var refusals: [String: String] = [:]
    /// Why no probes are sent although they were asked for; nil while they are.
    public var watchdogOff: String?
    /// Proved by an echo or a message; nil while nothing can be said.
    public var isSubscriptionAlive: Bool?
    public var lastProof: Timestamp?
    /// No message for as long as `quietAfter` says.
    public var isQuiet = false
    public var topics = 0

    public init(since: Timestamp) { self.since = since }

    /// All is well: connected, everything granted, and not known to be dead.
    public var isHealthy: Bool { state == .running && isSubscriptionAlive != false }

    /// One sentence for a person.
    public var summary: String {
        switch state {
        case .running where isSubscriptionAlive == false: "connected, but the subscription is not alive"
        case .running:
            (isQuiet ? "running, but no messages come" : "running")
                + (watchdogOff.map { ", watchdog off: \($0)" } ?? "")
        case .refused:
            "the broker refuses "
                + refusals.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
        case .connecting, .subscribing, .waiting, .stopped: state.rawValue + (lastError.map { ": \($0)" } ?? "")
        }
    }
}

/// What a source tells while it runs.
public enum MQTTEvent: Sendable, Equatable, CustomStringConvertible {
    case connected(version: ProtocolVersion, isSessionPresent: Bool)
    case disconnected(reason: String, retryAfter: Duration)
    case refused(filter: String, reason: String)
    /// The subscription gave no sign of life: the connection is made anew.
    case notAlive(String)
    /// Something a person should know that does not stop the source.
    case note(String)

    /// Worth a warning.
    public var isTrouble: Bool {
        switch self {
        case .connected: false
        case .disconnected, .refused, .notAlive, .note: true
        }
    }

    public var description: String {
        switch self {
        case .connected(let version, let isPresent):
            "connected, MQTT \(version), \(isPresent ? "the session goes on" : "a new session")"
        case .disconnected(let reason, let delay):
            "not connected: \(reason); next attempt in \(delay.formatted) s"
        case .refused(let filter, let reason): "the broker refuses the subscription to \(filter): \(reason)"
        case .notAlive(let text), .note(let text): text
        }
    }
}

extension Duration {
    /// Seconds with one decimal.
    var formatted: String {
        let tenths = nanoseconds / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
