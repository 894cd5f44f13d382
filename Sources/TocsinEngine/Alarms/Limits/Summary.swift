internal import TocsinCore

/// One incident that stands for many: told once, with its members stored beside it.
struct Summary: Sendable {
    enum Cause: Equatable {
        case flood
        case budget(Int, asset: String)
    }

    /// One of the incidents, as far as the sentence needs it.
    struct Onset: Equatable {
        var time: Timestamp
        var id: String
        var sensor: String
        var metric: String?
        var kind: AnomalyKind
        var isCritical: Bool

        var text: String { Sentence.short(kind, sensor: sensor, metric: metric) }
    }

    let cause: Cause
    var alarm: Alarm
    /// All that ever belonged to it, in the order in which they came.
    var members: [String] = []
    /// Those that nobody was told of and that are not over.
    var open: Set<String> = []
    var sensors: Set<String> = []
    /// The earliest, by onset.
    var first: [Onset] = []
    /// Incidents of a flood that were told singly before it was one.
    var toldBefore = 0
    /// Critical incidents of a flood, and those among them that were told singly.
    var criticals = 0
    var criticalsTold = 0
    var nextUpdate = 2
    /// Stream progress from which it takes no more members, while it takes them.
    var end: Timestamp
    var isEnded = false

    static let onsetsKept = 3

    /// Since it was last told: that is when it had half of `nextUpdate`.
    var hasGrown: Bool { members.count > nextUpdate / 2 }

    init(cause: Cause, first member: Alarm, end: Timestamp) {
        self.cause = cause
        self.end = end
        var hash = StableHash()
        hash.combine(cause == .flood ? "flood" : "budget")
        hash.combine(member.id)
        alarm = Alarm(
            id: Self.mark + hash.hex.dropFirst(), sensor: member.sensor, metric: member.metric, kind: member.kind,
            state: .open, severity: .warning, raised: member.raised, lastSeen: member.lastSeen, verdicts: 0,
            score: member.score, pValue: member.pValue, sentence: "")
    }

    /// Ids of summaries begin with a letter that is no hex digit: a store that only holds alarms tells them apart.
    private static let mark = "s"
    static func isSummary(_ id: String) -> Bool { id.hasPrefix(mark) }

    /// Takes in an incident that is told singly, for the count and the order.
    mutating func mention(_ raise: RaiseLimiter.Raise) {
        toldBefore += 1
        if raise.onset.isCritical { (criticals, criticalsTold) = (criticals + 1, criticalsTold + 1) }
        sensors.insert(raise.onset.sensor)
        note(raise.onset)
        alarm.raised = min(alarm.raised, raise.onset.time)
    }

    mutating func add(_ member: Alarm) {
        members.append(member.id)
        open.insert(member.id)
        sensors.insert(member.sensor)
        note(Onset(member))
        alarm.raised = min(alarm.raised, member.raised)
        alarm.lastSeen = max(alarm.lastSeen, member.lastSeen)
        alarm.score = max(alarm.score, member.score)
        alarm.pValue = min(alarm.pValue, member.pValue)
        if member.severity == .critical { noteCritical() } else { refresh() }
    }

    /// One of the members is critical, or has become so: whoever hears of critical alarms only must hear of this.
    mutating func noteCritical() {
        criticals += 1
        alarm.severity = .critical
        refresh()
    }

    /// One that was a member has become critical and is told singly.
    mutating func noteCriticalTold() {
        (criticals, criticalsTold) = (criticals + 1, criticalsTold + 1)
        refresh()
    }

    mutating func refresh() {
        // Of one that was restored from its alarm alone nothing else is known.
        guard !members.isEmpty else { return }
        let texts = first.map(\.text)
        switch cause {
        case .flood:
            alarm.verdicts = toldBefore + members.count
            alarm.sentence = Sentence.flood(
                alarm.verdicts, criticals: criticals, sensors: sensors.count, since: alarm.raised, first: texts)
        case .budget(let budget, let asset):
            alarm.verdicts = members.count
            alarm.sentence = Sentence.budget(
                budget, asset: asset, more: members.count, sensors: sensors.count, since: alarm.raised, first: texts)
        }
    }

    private mutating func note(_ onset: Onset) {
        let place = first.firstIndex { ($0.time, $0.id) > (onset.time, onset.id) } ?? first.count
        first.insert(onset, at: place)
        if first.count > Self.onsetsKept { first.removeLast() }
    }
}

extension Summary.Onset {
    init(_ alarm: Alarm) {
        self.init(
            time: alarm.raised, id: alarm.id, sensor: alarm.sensor, metric: alarm.metric, kind: alarm.kind,
            isCritical: alarm.severity == .critical)
    }
}
