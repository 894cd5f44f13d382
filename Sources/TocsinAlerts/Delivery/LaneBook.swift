internal import TocsinCore

/// What one lane has to tell, and when: a state machine without clock, input or output.
///
/// The steps of an incident are told one after the other; incidents do not wait for each other. What waits, what is held
/// back and what is under way is all settled once, through `takeSettlements`.
struct LaneBook: Sendable {
    /// One thing to be sent.
    struct Delivery: Sendable {
        enum Content: Sendable {
            case change(AlarmChange)
            case digest([AlarmChange], AlertHold)
            case open([Alarm])
        }
        var content: Content
        /// Items that are settled with it.
        var numbers: [UInt64]
        var incident: String
        var recorded: Timestamp
        var attempts = 0
        var note: String?
        /// It was held back for its time: it may have the last place of the rate limit.
        var isReleased = false
        var lastReason: String?
        /// As in `AlertItem`.
        var isAgain = false

        var isDigest: Bool { if case .digest = content { true } else { false } }
        var isRefresh: Bool { if case .open = content { true } else { false } }
        var change: AlarmChange? { if case .change(let change) = content { change } else { nil } }
    }

    enum Action: Sendable {
        case send(Delivery)
        /// Nothing to do before that time, or before something else happens.
        case wait(until: Timestamp?)
    }

    enum Outcome: Sendable {
        case taken
        case failed(reason: String, isRetriable: Bool, retryAfter: Span64?)
    }

    struct Incident: Sendable {
        var queue: [Delivery] = []
        var isUnderWay = false
    }

    struct Pair: Hashable, Sendable {
        var sensor: String
        var kind: AnomalyKind
    }

    /// An alarm that is told only if it still stands by then: nobody has acknowledged it, or the cooldown is over.
    struct Delayed: Sendable {
        var delivery: Delivery
        var due: Timestamp
        /// Whose cooldown it waits for.
        var pair: Pair?
    }

    let policy: LanePolicy
    let traits: AlertChannelTraits
    /// 0…1 for the jitter.
    let random: @Sendable () -> Double
    /// Of the receiver: all lanes that lead to it share it.
    let rateMeter: RateMeter
    var isFinishing = false
    /// Nothing more is begun from then on: the process wants to end, and what waits outlives it.
    var lastStart: Timestamp?

    var incidents: [String: Incident] = [:]
    var due = DueQueue()
    var underWay = 0
    /// Open incidents that this lane has told or is going to tell: only their later steps mean anything to it.
    var engaged: [String: Alarm] = [:]
    var told: Set<String> = []
    /// Summaries with members that are routed here: they are told here, whatever sensor began them.
    /// With the item of such a member, which stays in the outbox until the summary has been told or is over: a restart in
    /// between must not forget it.
    var awaited: [String: UInt64] = [:]
    var delayed: [String: Delayed] = [:]
    /// In the order in which they fall due; cancelled ones, and those that wait anew, are still in it.
    var delayedOrder: [(id: String, due: Timestamp)] = []
    var quietHeld: [Delivery] = []
    var overflow: [Delivery] = []
    var overflowDue: Timestamp?
    /// Incidents in a list that is on its way: their next steps wait for the next list.
    var listed: Set<String> = []
    var lastRaised: [Pair: Timestamp] = [:]
    var cooled: [Pair: Int] = [:]
    var failures = 0
    /// Messages in a row that the receiver refused for good: it is there, and takes nothing.
    var refusals = 0
    /// As the receiver demands; after failures in a row.
    var pausedUntil: Timestamp?
    var restsUntil: Timestamp?
    var nextRefresh: Timestamp?
    var counts: AlertCounts
    private var settlements: [(numbers: [UInt64], settlement: AlertSettlement)] = []

    /// - Parameter open: alarms that an earlier process has told here and that are not over.
    init(
        channel: String, policy: LanePolicy, traits: AlertChannelTraits, open: [Alarm] = [],
        rateMeter: RateMeter = RateMeter(), random: @escaping @Sendable () -> Double
    ) {
        self.policy = policy
        self.traits = traits
        self.random = random
        self.rateMeter = rateMeter
        counts = AlertCounts(channel: channel)
        for alarm in open {
            engaged[alarm.id] = alarm
            told.insert(alarm.id)
        }
    }

    /// Nothing waits that could still be sent.
    var isEmpty: Bool { incidents.isEmpty && overflow.isEmpty && quietHeld.isEmpty && delayed.isEmpty }

    /// Items whose fate has been decided since the last call.
    mutating func takeSettlements() -> [(numbers: [UInt64], settlement: AlertSettlement)] {
        defer { settlements = [] }
        return settlements
    }

    mutating func settle(_ numbers: [UInt64], _ settlement: AlertSettlement) {
        guard !numbers.isEmpty else { return }
        if let last = settlements.last, last.settlement == settlement {
            settlements[settlements.count - 1].numbers += numbers
        } else {
            settlements.append((numbers, settlement))
        }
    }

    /// What came of a delivery that `next` has handed out.
    mutating func finish(_ delivery: Delivery, _ outcome: Outcome, now: Timestamp) {
        underWay -= 1
        if delivery.isRefresh {
            switch outcome {
            case .failed(_, true, let wait): pause(wait, now)
            case .failed(_, false, _): refusals += 1
            case .taken:
                recover()
                refusals = 0
            }
            return
        }
        guard var incident = incidents[delivery.incident], let head = incident.queue.first else { return }
        incident.isUnderWay = false
        // What is settled with it may have become more meanwhile.
        var delivery = delivery
        delivery.numbers = head.numbers
        switch outcome {
        case .taken:
            recover()
            refusals = 0
            counts.delivered += 1
            settle(delivery.numbers, .told)
            noteTold(delivery)
            incident.queue.removeFirst()
            if delivery.isDigest { listed = [] }
            resume(delivery.incident, incident, now)
        case .failed(let reason, let isRetriable, let retryAfter):
            let end = delivery.recorded.advanced(by: policy.giveUpAfter)
            let mayRetry = isRetriable && delivery.attempts <= policy.retries ?? .max && now < end
            if isRetriable {
                pause(retryAfter, now)
            } else {
                recover()
                refusals += 1
            }
            if mayRetry {
                incident.queue[0].lastReason = reason
                incidents[delivery.incident] = incident
                let wait = max(backOff(delivery.attempts), retryAfter ?? .seconds(0))
                due.push(delivery.incident, due: min(now.advanced(by: wait), end))
            } else {
                incident.queue.removeFirst()
                giveUp(delivery, reason, now)
                resume(delivery.incident, incident, now)
            }
        }
    }

    /// Becomes a dead letter.
    mutating func giveUp(_ delivery: Delivery, _ reason: String, _ now: Timestamp) {
        counts.failed += 1
        if delivery.isDigest { listed = [] }
        settle(delivery.numbers, .dead(reason: reason, attempts: delivery.attempts, time: now))
    }

    mutating func resume(_ id: String, _ incident: Incident, _ now: Timestamp) {
        guard !incident.queue.isEmpty else {
            incidents[id] = nil
            return
        }
        incidents[id] = incident
        due.push(id, due: now)
    }

    private mutating func noteTold(_ delivery: Delivery) {
        let changes: [AlarmChange] =
            switch delivery.content {
            case .change(let change): [change]
            case .digest(let changes, _): changes
            case .open: []
            }
        for change in changes {
            let id = change.alarm.id
            // Not engaged: over since, its end waits; or elsewhere, nothing does.
            let isOpen = engaged[id] != nil
            if change.step == .cleared || (!delivery.isAgain && !isOpen && !waits(id, behind: delivery)) {
                told.remove(id)
            } else if isOpen || !delivery.isAgain {
                told.insert(id)
                if isOpen { forgetAwaited(id) }
            }
        }
    }

    private func waits(_ id: String, behind delivery: Delivery) -> Bool {
        (incidents[id]?.queue.count ?? 0) > (delivery.incident == id ? 1 : 0)
            || overflow.contains { $0.incident == id } || quietHeld.contains { $0.incident == id }
    }

    /// The outbox knows without its member where this summary is told, or it is over.
    mutating func forgetAwaited(_ summary: String) {
        if let number = awaited.removeValue(forKey: summary) { settle([number], .passedOver) }
    }

    /// The whole channel rests: as long as the receiver says, or longer and longer after three failures in a row.
    private mutating func pause(_ wait: Span64?, _ now: Timestamp) {
        failures += 1
        if let wait {
            pausedUntil = max(pausedUntil ?? now, now.advanced(by: wait))
        } else if failures >= Self.failuresToRest {
            restsUntil = now.advanced(by: backOff(failures - Self.failuresToRest + 1))
        }
    }

    private mutating func recover() {
        failures = 0
        restsUntil = nil
    }

    static let failuresToRest = 3

    /// Doubling, with jitter: many processes that lost one receiver do not come back in step.
    func backOff(_ attempt: Int) -> Span64 {
        let longest = Double(max(policy.longestDelay.nanoseconds, 1))
        var delay = Double(max(policy.firstDelay.nanoseconds, 1))
        for _ in 1..<max(1, min(attempt, 64)) { delay = min(delay * 2, longest) }
        return Span64(nanoseconds: Int64(min(delay, longest) * (0.5 + 0.5 * min(max(random(), 0), 1))))
    }
}
