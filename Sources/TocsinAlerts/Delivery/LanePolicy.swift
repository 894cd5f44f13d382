internal import Synchronization
public import TocsinCore

/// How one channel is told: pace, patience, quiet.
public struct LanePolicy: Sendable {
    /// At most so many messages in a span of time; what is beyond is told as one list.
    public struct RateLimit: Sendable {
        public var messages: Int
        public var period: Span64
        /// How long a list gathers before it is sent.
        public var gathering: Span64

        public init(messages: Int, period: Span64, gathering: Span64 = .seconds(60)) {
            self.messages = max(1, messages)
            self.period = period
            self.gathering = min(gathering, period)
        }
    }

    /// What is milder is not told here, unless it gets worse.
    public var severity: AlertSeverity
    /// Steps told here; nil = the channel's own.
    public var steps: Set<String>?
    /// After a `raised` of a sensor and kind, further ones stay untold for this long.
    public var cooldown: Span64
    public var rate: RateLimit?
    public var quiet: QuietHours?
    /// Whether critical alarms are told in quiet hours.
    public var quietPassesCritical: Bool
    /// An alarm is told only when it has stood for this long and nobody has acknowledged it.
    public var delay: Span64
    /// Incidents that may be told at the same time.
    public var concurrency: Int
    /// From when it was recorded; then it becomes a dead letter.
    public var giveUpAfter: Span64
    /// Attempts after the first one; nil = as many as the time allows.
    public var retries: Int?
    public var firstDelay: Span64
    public var longestDelay: Span64

    public init(
        severity: AlertSeverity = .info, steps: Set<String>? = nil, cooldown: Span64 = .seconds(0),
        rate: RateLimit? = nil, quiet: QuietHours? = nil, quietPassesCritical: Bool = true, delay: Span64 = .seconds(0),
        concurrency: Int = 4, giveUpAfter: Span64 = .hours(24), retries: Int? = nil, firstDelay: Span64 = .seconds(1),
        longestDelay: Span64 = .seconds(60)
    ) {
        self.severity = severity
        self.steps = steps
        self.cooldown = cooldown
        self.rate = rate
        self.quiet = quiet
        self.quietPassesCritical = quietPassesCritical
        self.delay = delay
        self.concurrency = max(1, concurrency)
        self.giveUpAfter = giveUpAfter
        self.retries = retries
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
    }
}

/// When the last messages went out to one receiver.
final class RateMeter: Sendable {
    private let sent = Mutex<[Timestamp]>([])

    /// How many went out within the period that ends now.
    func used(_ limit: LanePolicy.RateLimit, _ now: Timestamp) -> Int {
        sent.withLock { sent in
            sent.removeAll { now.since($0) >= limit.period }
            return sent.count
        }
    }

    func note(_ now: Timestamp) { sent.withLock { $0.append(now) } }

    /// When one more may go out, if all are used.
    func nextFree(_ limit: LanePolicy.RateLimit) -> Timestamp? {
        sent.withLock { $0.first?.advanced(by: limit.period) }
    }
}
