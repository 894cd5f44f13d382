public import TocsinCore

/// How well an alarm system does by what it asks of the people who must answer: EEMUA 191 (3rd edition) and ISA-18.2,
/// clause 16, over the alarms that people were told of.
public struct AlarmPerformance: Sendable, Equatable {
    /// Ten minutes: the span that both guides count in.
    public static let slot = Span64.minutes(10)
    /// More than ten new alarms in ten minutes are a flood, and it is over with fewer than five in ten.
    public static let floodBegins = 10
    public static let floodEnds = 5

    public struct Actor: Sendable, Equatable {
        public var sensor: String
        public var kind: AnomalyKind
        public var alarms: Int
        /// Of all alarms, 0 to 1.
        public var share: Double
    }

    public var start: Timestamp
    public var end: Timestamp
    public var alarms = 0
    /// New alarms per ten minutes, on average and in the worst ten.
    public var average = 0.0
    public var peak = 0
    /// Shares of the time, 0 to 1.
    public var floodShare = 0.0
    public var floods = 0
    /// Share of ten-minute slots with more than ten.
    public var overloadedShare = 0.0
    /// The worst ten by number of alarms.
    public var badActors: [Actor] = []
    /// Share of the ten worst in all alarms: 1 % to 5 % is what the guides ask for.
    public var badActorShare = 0.0
    /// Raised three times or more within one minute of the same sensor and kind, or cleared and back within one minute.
    public var chattering: [Actor] = []
    /// Open for more than 24 hours, now or before they cleared.
    public var stale = 0
    /// So many have become so a day, on average over the span.
    public var stalePerDay = 0.0
    /// Open now and not acknowledged; median seconds until somebody acknowledged, of those that were.
    public var unacknowledged = 0
    public var medianResponse: Double?
    /// Shares by severity; the guides ask for about 5 % of the highest, 15 % and 80 %.
    public var severities: [Alarm.Severity: Double] = [:]
    public var rating = Rating.acceptable

    /// EEMUA 191's classes of the average per ten minutes and operator.
    public enum Rating: String, Sendable {
        /// Fewer than one in ten minutes.
        case acceptable
        /// One or two.
        case manageable
        /// Two to five.
        case demanding = "over_demanding"
        /// Five to ten.
        case excessive
        /// Ten and more.
        case unmanageable = "unacceptable"
    }

    /// - Parameters:
    ///   - alarms: those that were raised in `start ..< end`, in any order; members of summaries are left out, because
    ///     nobody was told of them singly.
    ///   - open: all that are open now, whenever they were raised: what stands for long was raised before.
    ///   - now: progress of the stream, for the age of what is open.
    public init(
        _ alarms: [Alarm], open: [Alarm] = [], from start: Timestamp, to end: Timestamp, now: Timestamp
    ) {
        self.start = start
        self.end = end
        let told = alarms.filter { $0.summary == nil && $0.raised >= start && $0.raised < end }
            .sorted { $0.raised < $1.raised }
        self.alarms = told.count
        let slots = max(1, Int((end.since(start).seconds / Self.slot.seconds).rounded(.up)))
        average = Double(told.count) / max(1, end.since(start).seconds / Self.slot.seconds)
        rating =
            switch average {
            case ..<1: .acceptable
            case ..<2: .manageable
            case ..<5: .demanding
            case ..<10: .excessive
            default: .unmanageable
            }
        countFloods(told.map(\.raised), slots)
        findActors(told)
        for severity in Alarm.Severity.allCases where !told.isEmpty {
            severities[severity] = Double(told.count { $0.severity == severity }) / Double(told.count)
        }
        let standing = told + open.filter { $0.summary == nil && $0.raised < start }
        findStale(standing, now)
        unacknowledged = standing.count { $0.lifeState == .unacknowledged || $0.lifeState == .latched }
        let responses = told.compactMap { alarm in
            alarm.care.acknowledged.map { max(0, $0.since(alarm.raised).seconds) }
        }
        .sorted()
        if !responses.isEmpty { medianResponse = responses[responses.count / 2] }
    }

    private mutating func countFloods(_ times: [Timestamp], _ slots: Int) {
        // Every window of ten minutes that ends with an alarm, for the peak; the fixed slots for the share.
        var first = 0
        var counts: [Int64: Int] = [:]
        var floodStart: Timestamp?
        var inFlood = 0.0
        for (number, time) in times.enumerated() {
            while times[first].advanced(by: Self.slot) <= time { first += 1 }
            let recent = number - first + 1
            peak = max(peak, recent)
            counts[(time.nanoseconds &- start.nanoseconds) / Self.slot.nanoseconds, default: 0] += 1
            if floodStart == nil, recent > Self.floodBegins {
                floodStart = times[first]
                floods += 1
            } else if let began = floodStart, recent < Self.floodEnds {
                let last = times[number - 1].advanced(by: Self.slot)
                inFlood += min(last, time).since(began).seconds
                floodStart = nil
            }
        }
        if let began = floodStart, let last = times.last {
            inFlood += min(end, last.advanced(by: Self.slot)).since(began).seconds
        }
        let span = max(1, end.since(start).seconds)
        floodShare = min(1, inFlood / span)
        overloadedShare = Double(counts.values.count { $0 > Self.floodBegins }) / Double(slots)
    }

    private mutating func findStale(_ standing: [Alarm], _ now: Timestamp) {
        let limit = Span64.hours(24)
        let old = standing.filter { ($0.cleared ?? now).since($0.raised) > limit }
        stale = old.count
        let fresh = old.count { alarm in
            let since = alarm.raised.advanced(by: limit)
            return since >= start && since < end
        }
        stalePerDay = Double(fresh) / max(1, end.since(start).seconds / limit.seconds)
    }

    private mutating func findActors(_ told: [Alarm]) {
        struct Key: Hashable {
            var sensor: String
            var kind: AnomalyKind
        }
        let groups = Dictionary(grouping: told) { Key(sensor: $0.sensor, kind: $0.kind) }
        func actor(_ key: Key, _ list: [Alarm]) -> Actor {
            Actor(
                sensor: key.sensor, kind: key.kind, alarms: list.count,
                share: Double(list.count) / Double(max(1, told.count)))
        }
        func worst(_ actors: [Actor]) -> [Actor] {
            Array(
                actors.sorted { ($1.alarms, $0.sensor, $0.kind.rawValue) < ($0.alarms, $1.sensor, $1.kind.rawValue) }
                    .prefix(10))
        }
        badActors = worst(groups.map { actor($0.key, $0.value) })
        badActorShare = badActors.reduce(0) { $0 + $1.share }
        chattering = worst(groups.filter { Self.chatters($0.value) }.map { actor($0.key, $0.value) })
    }

    /// - Parameter list: of one sensor and kind, by rising time.
    private static func chatters(_ list: [Alarm]) -> Bool {
        let minute = Span64.minutes(1)
        for (number, alarm) in list.enumerated() {
            if number >= 2, alarm.raised < list[number - 2].raised.advanced(by: minute) { return true }
            if number >= 1, let cleared = list[number - 1].cleared, alarm.raised < cleared.advanced(by: minute) {
                return true
            }
        }
        return false
    }
}
