public import TocsinCore

/// Groups verdicts into incidents, one per sensor and kind: a pure state machine of wait, raise, update and clear.
///
/// An incident is told when raised, when it becomes critical, each time its number of verdicts doubles, and when
/// cleared: 400 flags become about ten lines. A silence is cleared by the sensor's next reading only. Rules may let a
/// condition wait before it is raised (on delay), clear it later (off delay), and ask for more than a step back over
/// the line (dead band).
public struct AlarmBook: Sendable {
    struct Key: Hashable {
        var sensor: SensorID
        var kind: AnomalyKind
    }

    let settings: AlarmSettings
    var entries: [Key: Entry] = [:]
    /// By alarm id.
    var keys: [String: Key] = [:]
    /// Left open by an earlier process, and not yet reached by this one's stream.
    var restored: [Key: Alarm] = [:]
    /// Conditions that have not held long enough to be told.
    var pending: [SeriesKind: Pending] = [:]
    /// Levels taken as the new normal, which the detectors may still call drifts.
    var accepted: [SeriesKind: AcceptedLevel] = [:]
    /// How many incidents and conditions want to hear of a series' readings.
    var watched: [SeriesID: Int] = [:]
    /// What time alone will change. An element that no longer holds is skipped when it comes up.
    var queue = DeadlineQueues<Due>()

    public init(settings: AlarmSettings) { self.settings = settings }

    public var openCount: Int { entries.values.count { $0.alarm.state == .open } }
    public var pendingCount: Int { pending.count }

    /// Takes up an alarm that an earlier process left open. It goes on with verdicts newer than its last one; those it
    /// has counted before (a source that is read again from its start) change nothing.
    public mutating func restore(_ alarm: Alarm, sensor: SensorID) {
        restored[Key(sensor: sensor, kind: alarm.kind)] = alarm
        // Of which source they come shows when they send.
        queue.insert(
            .restored(Key(sensor: sensor, kind: alarm.kind)), at: alarm.lastSeen.advanced(by: settings.clearAfter),
            of: nil)
    }

    /// Books a verdict under the standard rule.
    public mutating func book(
        _ verdict: Verdict, sensorName: String, metric: String?, sentence: String, progress: Timestamp
    ) -> (alarmID: String, change: AlarmChange?, isNews: Bool) {
        let finding = Finding(verdict: verdict, sensor: sensorName, metric: metric, sentence: sentence)
        let booked = book(finding, rule: .standard, at: StreamTime(progress))
        return (booked.alarmID ?? "", booked.change, booked.isNews)
    }

    /// Books a verdict into its incident.
    /// - Parameter time: of the sensor's source; none of the clocks falls from call to call.
    public mutating func book(_ finding: Finding, rule: ResolvedRule, at time: StreamTime) -> BookedFinding {
        let verdict = finding.verdict
        let key = Key(sensor: verdict.sensor, kind: verdict.kind)
        if let alarm = restored[key], verdict.time >= alarm.raised {
            if verdict.time <= alarm.lastSeen {
                return BookedFinding(
                    place: .incident, alarmID: alarm.id, change: nil, isNews: !verdict.isContinuation)
            }
            takeUp(alarm, key)
        }
        if isAccepted(verdict, at: time) {
            return BookedFinding(place: .accepted, alarmID: nil, change: nil, isNews: !verdict.isContinuation)
        }
        // What the bank has named in a window's readings is not told once more because the window is unusual for it.
        if verdict.detector == .windowForest, entries[key]?.alarm.state != .open, let named = named(finding) {
            return continueIncident(named, finding, rule, time)
        }
        return entries[key]?.alarm.state == .open
            ? continueIncident(key, finding, rule, time) : beginIncident(key, finding, rule, time)
    }

    /// The open incident of the bank on the same metric.
    private func named(_ finding: Finding) -> Key? {
        let kinds: [AnomalyKind] = [.spike, .drift, .noise, .stuck, .range]
        return kinds.lazy.map { Key(sensor: finding.verdict.sensor, kind: $0) }.first {
            guard let alarm = entries[$0]?.alarm else { return false }
            return alarm.state == .open && alarm.metric == finding.metric
        }
    }

    /// Whether a finding of this kind would go on with an incident that is open.
    public func isOpen(_ sensor: SensorID, _ kind: AnomalyKind) -> Bool {
        let key = Key(sensor: sensor, kind: kind)
        return entries[key]?.alarm.state == .open || restored[key] != nil
    }

    /// An incident that is open or in its cooldown.
    public func alarm(id: String) -> Alarm? {
        keys[id].flatMap { entries[$0]?.alarm } ?? restored.values.first { $0.id == id }
    }

    /// Notes the likely first cause of an incident.
    public mutating func explain(_ alarmID: String, cause: String) {
        guard let key = keys[alarmID] else { return }
        entries[key]?.alarm.cause = cause
    }

    mutating func takeUp(_ alarm: Alarm, _ key: Key) {
        restored[key] = nil
        if let old = entries[key] { keys[old.alarm.id] = nil }
        keys[alarm.id] = key
        entries[key] = Entry(
            alarm: alarm, source: nil, lastProgress: alarm.lastSeen, nextUpdate: max(2, Self.doubled(alarm.verdicts)),
            clearAfter: settings.clearAfter)
        enqueue(key)
    }

    public var hasRestored: Bool { !restored.isEmpty }

    /// Whether the sensor was silent when the last process ended.
    public func wasSilent(_ sensor: SensorID) -> Bool {
        restored[Key(sensor: sensor, kind: .silence)] != nil
    }

    /// For screens after a restart.
    public var openAlarms: [Alarm] {
        (entries.values.map(\.alarm) + restored.values).filter { $0.state == .open }
    }

    /// A count may come from a file.
    static func doubled(_ count: Int) -> Int {
        let (twice, overflow) = count.multipliedReportingOverflow(by: 2)
        return overflow ? .max : twice
    }
}
