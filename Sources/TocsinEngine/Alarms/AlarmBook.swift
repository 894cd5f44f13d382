public import TocsinCore

/// When incidents begin, go on and end. Times are in the progress of the stream, not of the wall clock.
public struct AlarmSettings: Sendable {
    /// An incident with no further verdict for this long is cleared.
    public var clearAfter: Span64
    /// A verdict of the same kind on the same sensor this soon after the clearing reopens the incident
    /// instead of raising a new one: people are told once.
    public var cooldown: Span64

    public init(clearAfter: Span64 = .minutes(5), cooldown: Span64 = .minutes(10)) {
        self.clearAfter = clearAfter
        self.cooldown = cooldown
    }
}

/// Groups verdicts into incidents, one per sensor and kind: a pure state machine of raise, update and clear.
///
/// An incident is told when raised, when it becomes critical, each time its number of verdicts doubles, and when
/// cleared: 400 flags become about ten lines. A silence is cleared by the sensor's next reading only.
public struct AlarmBook: Sendable {
    struct Key: Hashable {
        var sensor: SensorID
        var kind: AnomalyKind
    }

    struct Entry {
        var alarm: Alarm
        /// Stream progress (high-water event time) at the last verdict, and at the clearing.
        var lastProgress: Timestamp
        /// The count of verdicts at which it is told again.
        var nextUpdate: Int
    }

    private let settings: AlarmSettings
    var entries: [Key: Entry] = [:]
    /// Left open by an earlier process, and not yet reached by this one's stream.
    var restored: [Key: Alarm] = [:]
    /// No incident can be cleared or forgotten before the stream gets here: most calls to `advance` end at once.
    var nextDeadline = Timestamp(nanoseconds: .max)

    public init(settings: AlarmSettings) { self.settings = settings }

    public var openCount: Int { entries.values.count { $0.alarm.state == .open } }

    /// Takes up an alarm that an earlier process left open. It goes on with verdicts newer than its last one; those it
    /// has counted before (a source that is read again from its start) change nothing.
    public mutating func restore(_ alarm: Alarm, sensor: SensorID) {
        restored[Key(sensor: sensor, kind: alarm.kind)] = alarm
        nextDeadline = min(nextDeadline, alarm.lastSeen.advanced(by: settings.clearAfter))
    }

    /// Books a verdict into its incident.
    /// - Parameters:
    ///   - progress: the stream's high-water event time.
    ///   - sentence: of this verdict; the incident keeps the sentence of its strongest one.
    /// - Returns: the incident's id, what is to be told, if anything, and whether the verdict is news: a continuation
    ///   that opens an incident (the one before has been cleared and forgotten) is one.
    public mutating func book(
        _ verdict: Verdict, sensorName: String, metric: String?, sentence: String, progress: Timestamp
    ) -> (alarmID: String, change: AlarmChange?, isNews: Bool) {
        let isNews = !verdict.isContinuation
        let key = Key(sensor: verdict.sensor, kind: verdict.kind)
        nextDeadline = min(nextDeadline, progress.advanced(by: settings.clearAfter))
        if let alarm = restored[key], verdict.time >= alarm.raised {
            if verdict.time <= alarm.lastSeen { return (alarm.id, nil, isNews) }
            takeUp(alarm, key)
        }
        guard var entry = entries[key] else {
            let alarm = Self.raise(verdict, sensorName: sensorName, metric: metric, sentence: sentence)
            entries[key] = Entry(alarm: alarm, lastProgress: progress, nextUpdate: 2)
            return (alarm.id, AlarmChange(step: .raised, alarm: alarm), true)
        }
        let isReopened = entry.alarm.state == .cleared
        let severity = entry.alarm.severity
        entry.lastProgress = max(entry.lastProgress, progress)
        entry.alarm.state = .open
        entry.alarm.cleared = nil
        entry.alarm.verdicts += 1
        entry.alarm.lastSeen = max(entry.alarm.lastSeen, verdict.time)
        if verdict.score > entry.alarm.score {
            entry.alarm.score = verdict.score
            entry.alarm.sentence = sentence
            entry.alarm.metric = metric
            if Self.severity(of: verdict) == .critical { entry.alarm.severity = .critical }
        }
        entry.alarm.pValue = min(entry.alarm.pValue, verdict.pValue)
        let step: AlarmChange.Step? =
            if isReopened {
                .reopened
            } else if entry.alarm.severity != severity {
                .escalated
            } else {
                entry.alarm.verdicts >= entry.nextUpdate ? .updated : nil
            }
        if step != nil { entry.nextUpdate = entry.alarm.verdicts * 2 }
        entries[key] = entry
        return (entry.alarm.id, step.map { AlarmChange(step: $0, alarm: entry.alarm) }, isNews || isReopened)
    }

    private mutating func takeUp(_ alarm: Alarm, _ key: Key) {
        restored[key] = nil
        entries[key] = Entry(alarm: alarm, lastProgress: alarm.lastSeen, nextUpdate: max(2, alarm.verdicts * 2))
    }

    /// Clears incidents that have been quiet, and forgets those whose cooldown is over.
    public mutating func advance(to progress: Timestamp) -> [AlarmChange] {
        guard progress >= nextDeadline else { return [] }
        var changes: [AlarmChange] = []
        nextDeadline = Timestamp(nanoseconds: .max)
        for (key, alarm) in restored {
            let clearing = alarm.lastSeen.advanced(by: settings.clearAfter)
            if progress >= clearing, entries[key] == nil {
                takeUp(alarm, key)
            } else {
                nextDeadline = min(nextDeadline, clearing)
            }
        }
        // Silence ends when the sensor speaks, and not because time goes by.
        for (key, entry) in entries where key.kind != .silence || entry.alarm.state == .cleared {
            let clearing = entry.lastProgress.advanced(by: settings.clearAfter)
            let forgetting = clearing.advanced(by: settings.cooldown)
            if entry.alarm.state == .open, progress >= clearing {
                let quietEnd = entry.alarm.lastSeen.advanced(by: settings.clearAfter)
                changes.append(clear(key, at: quietEnd))
            }
            if progress >= forgetting {
                entries[key] = nil
            } else {
                nextDeadline = min(nextDeadline, progress >= clearing ? forgetting : clearing)
            }
        }
        // Dictionaries have no order: the same stream tells its changes in the same order.
        return changes.sorted { ($0.alarm.raised, $0.alarm.id) < ($1.alarm.raised, $1.alarm.id) }
    }

    public var hasRestored: Bool { !restored.isEmpty }

    /// Whether the sensor was silent when the last process ended.
    public func wasSilent(_ sensor: SensorID) -> Bool {
        restored[Key(sensor: sensor, kind: .silence)] != nil
    }

    /// The sensor speaks again: its silence is over at once.
    public mutating func clearSilence(of sensor: SensorID, at time: Timestamp) -> AlarmChange? {
        let key = Key(sensor: sensor, kind: .silence)
        if let alarm = restored[key], entries[key] == nil, time > alarm.lastSeen { takeUp(alarm, key) }
        guard entries[key]?.alarm.state == .open else { return nil }
        return clear(key, at: time)
    }

    private mutating func clear(_ key: Key, at time: Timestamp) -> AlarmChange {
        guard var entry = entries[key] else { preconditionFailure("cleared an incident that is not booked") }
        entry.alarm.state = .cleared
        entry.alarm.cleared = time
        // For the cooldown of an incident that was not ended by quiet.
        if key.kind == .silence {
            entry.lastProgress = max(entry.lastProgress, time)
            nextDeadline = min(nextDeadline, time.advanced(by: settings.clearAfter))
        }
        entries[key] = entry
        return AlarmChange(step: .cleared, alarm: entry.alarm)
    }

    private static func raise(
        _ verdict: Verdict, sensorName: String, metric: String?, sentence: String
    ) -> Alarm {
        // A condition that outlives its incident raises another one, not the same once more.
        let start = verdict.isContinuation ? verdict.time : verdict.start
        var hash = StableHash()
        hash.combine(sensorName)
        hash.combine(UInt64(verdict.kind.rawValue))
        hash.combine(UInt64(bitPattern: start.nanoseconds))
        return Alarm(
            id: hash.hex, sensor: sensorName, metric: metric, kind: verdict.kind, state: .open,
            severity: severity(of: verdict), raised: start, lastSeen: verdict.time, verdicts: 1,
            score: verdict.score, pValue: verdict.pValue, sentence: sentence)
    }

    /// Fire and values outside the valid range are critical; so is a spike more than two widths of its band away.
    static func severity(of verdict: Verdict) -> Alarm.Severity {
        switch verdict.kind {
        case .fire, .range: return .critical
        case .spike:
            let width = verdict.expectedHigh - verdict.expectedLow
            let excess = max(verdict.value - verdict.expectedHigh, verdict.expectedLow - verdict.value)
            return width.isFinite && excess > 2 * width ? .critical : .warning
        default: return .warning
        }
    }
}
