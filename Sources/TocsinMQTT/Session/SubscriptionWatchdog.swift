/// Proves that a subscription is alive: a probe is published now and then, and must come back.
///
/// Any other message proves it as well, so that a backlog in front of the echo does no harm. Times are nanoseconds of a
/// clock that never goes back.
public struct SubscriptionWatchdog: Sendable {
    public enum Action: Sendable, Equatable {
        case none, probe
        /// No echo in time.
        case dead
    }

    private let interval: Int64
    private let timeout: Int64
    private var probedAt: Int64?
    private var nextProbe: Int64
    /// When the last echo or message came.
    public private(set) var provedAt: Int64?
    /// A probe is on its way.
    public var isWaiting: Bool { probedAt != nil }

    public init(interval: Duration, timeout: Duration, now: Int64) {
        self.interval = interval.nanoseconds
        self.timeout = timeout.nanoseconds
        nextProbe = now
    }

    /// - Parameter isReading: false while the source itself does not read: then nothing can come.
    public mutating func tick(now: Int64, isReading: Bool) -> Action {
        if let probedAt {
            guard isReading else {
                self.probedAt = now
                return .none
            }
            if now - probedAt < timeout { return .none }
            self.probedAt = nil
            nextProbe = now + interval
            return .dead
        }
        guard isReading, now >= nextProbe else { return .none }
        probedAt = now
        nextProbe = now + interval
        return .probe
    }

    /// An echo or a message has come.
    public mutating func proved(now: Int64) {
        provedAt = now
        probedAt = nil
    }
}

extension Duration {
    /// Saturating.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product &+ attoseconds / 1_000_000_000
    }
}
