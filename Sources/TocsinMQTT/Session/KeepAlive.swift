/// When to ask the broker for a sign of life, and when it is taken for dead (MQTT 5.0, section 3.1.2.10).
public struct KeepAlive: Sendable {
    public enum Action: Sendable, Equatable {
        case none, ping, dead
    }

    private let interval: Int64
    private let timeout: Int64
    private var pingedAt: Int64?
    private var nextPing: Int64

    public init(interval: Duration, timeout: Duration, now: Int64) {
        self.interval = max(interval.nanoseconds, 1)
        self.timeout = timeout.nanoseconds
        nextPing = now + self.interval
    }

    /// Pings go on while we do not read, or the broker would close; only the wait for their answers rests.
    public mutating func tick(now: Int64, isReading: Bool) -> Action {
        if let pingedAt, isReading, now - pingedAt >= timeout { return .dead }
        if pingedAt != nil, !isReading { pingedAt = now }
        guard now >= nextPing else { return .none }
        nextPing = now + interval
        if pingedAt == nil { pingedAt = now }
        return .ping
    }

    /// Any byte is a sign of life.
    public mutating func heard() { pingedAt = nil }
}
