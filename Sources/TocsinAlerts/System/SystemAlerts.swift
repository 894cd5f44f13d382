public import TocsinCore

/// How the program itself is doing: figures in, alarms out, with the limits of the usual pipelines as defaults.
///
/// Every condition has two limits, one to raise and a milder one to clear, and must hold for some time each way, so that
/// a figure that swings around its limit does not chatter (hysteresis and on/off delay, ISA-18.2). Ids are derived from
/// condition and subject: a restarted process raises the same alarm over itself.
public struct SystemAlerts: Sendable {
    /// What is looked at. nil or missing = not known now, which changes nothing.
    public struct Figures: Sendable {
        /// 0…1: share of readings of the last 5 minutes that passed all checks.
        public var dataQuality: Double?
        /// 0…1: share of readings of the last 5 minutes that a detector called anomalous.
        public var anomalyRate: Double?
        /// 0…1: share of the sensors that are not silent.
        public var completeness: Double?
        /// 0…1: share of the alarms that people have answered lately which they did not call false.
        public var modelAccuracy: Double?
        /// p95 from reading in to verdict stored, of the last minute.
        public var responseSeconds: Double?
        /// 0…1: share of the sensors whose level has moved away and stays away.
        public var drift: Double?
        /// By component (`store`, `kafka`, `mqtt`, `source plant`): whether it works.
        public var components: [String: Bool] = [:]

        public init() {}
    }

    public struct Limits: Sendable {
        public var dataQuality = 0.70
        public var anomalyRate = 0.10
        public var completeness = 0.90
        public var modelAccuracy = 0.70
        public var responseSeconds = 5.0
        public var drift = 0.10
        /// A condition clears when it is better than its limit by this share of it.
        public var deadBand = 0.05
        /// For so long it must hold to be raised, and to be cleared.
        public var onDelay: Span64 = .seconds(30)
        public var offDelay: Span64 = .seconds(60)

        public init() {}
    }

    private struct Watch: Sendable {
        var pendingSince: Timestamp?
        var alarm: Alarm?
    }

    public var limits: Limits
    private var watches: [String: Watch] = [:]

    /// - Parameter open: system alarms that an earlier process left open: their clearing is told.
    public init(limits: Limits = Limits(), open: [Alarm] = []) {
        self.limits = limits
        for alarm in open where alarm.kind == .system { _ = adopt(alarm) }
    }

    /// Sensor names of these alarms begin with it: no sensor of a plant is called so.
    public static let prefix = "tocsin:"

    /// What is in trouble: `component/store`.
    public static func subject(_ alarm: Alarm) -> String {
        alarm.sensor.hasPrefix(prefix) ? String(alarm.sensor.dropFirst(prefix.count)) : alarm.sensor
    }

    public var openAlarms: [Alarm] { watches.values.compactMap(\.alarm).sorted { $0.id < $1.id } }

    /// Takes up an alarm that an earlier process left open.
    /// - Returns: false where a new one stands for the same trouble already.
    public mutating func adopt(_ alarm: Alarm) -> Bool {
        if let known = watches[alarm.sensor]?.alarm { return known.id == alarm.id }
        watches[alarm.sensor] = Watch(pendingSince: nil, alarm: alarm)
        return true
    }

    /// Ends every alarm: nobody watches any more.
    public mutating func clearAll(now: Timestamp) -> [AlarmChange] {
        let open = openAlarms
        watches = [:]
        return open.map { Self.cleared($0, at: now) }
    }

    private static func cleared(_ alarm: Alarm, at time: Timestamp) -> AlarmChange {
        var alarm = alarm
        alarm.state = .cleared
        alarm.cleared = time
        return AlarmChange(step: .cleared, alarm: alarm)
    }

    /// The steps since the last call, in a stable order. O(number of figures).
    public mutating func evaluate(_ figures: Figures, now: Timestamp) -> [AlarmChange] {
        var changes: [AlarmChange] = []
        for condition in conditions(figures) {
            if let change = judge(condition, now) { changes.append(change) }
        }
        return changes + endOfComponents(figures, now)
    }

    /// A component that is there no more is not down.
    private mutating func endOfComponents(_ figures: Figures, _ now: Timestamp) -> [AlarmChange] {
        guard !figures.components.isEmpty else { return [] }
        let start = Self.prefix + Self.component
        let gone = watches.keys.filter {
            $0.hasPrefix(start) && figures.components[String($0.dropFirst(start.count))] == nil
        }
        return gone.sorted().compactMap { subject in
            watches.removeValue(forKey: subject)?.alarm.map { Self.cleared($0, at: now) }
        }
    }

    private static let component = "component/"

    private struct Condition {
        var subject: String
        var metric: String
        var severity: AlertSeverity
        var value: Double
        var limit: Double
        /// Whether low values are bad.
        var isFloor: Bool
        var sentence: String
    }

    private func conditions(_ figures: Figures) -> [Condition] {
        var list: [Condition] = []
        func add(
            _ subject: String, _ metric: String, _ severity: AlertSeverity, _ value: Double?, _ limit: Double?,
            isFloor: Bool, _ sentence: (Double, Double) -> String
        ) {
            guard let value, value.isFinite, let limit else { return }
            list.append(
                Condition(
                    subject: Self.prefix + subject, metric: metric, severity: severity, value: value, limit: limit,
                    isFloor: isFloor, sentence: sentence(value, limit)))
        }
        let share = { (number: Double) in AlertMessage.digits(number * 100) + " %" }
        let digits = { (number: Double) in AlertMessage.digits(number) }
        add("data-quality", "data_quality", .critical, figures.dataQuality, limits.dataQuality, isFloor: true) {
            "data quality is \(share($0)), below \(share($1))"
        }
        add("anomaly-rate", "anomaly_rate", .warning, figures.anomalyRate, limits.anomalyRate, isFloor: false) {
            "\(share($0)) of all readings are anomalous, more than \(share($1))"
        }
        add("completeness", "completeness", .info, figures.completeness, limits.completeness, isFloor: true) {
            "\(share($0)) of the expected readings have come, below \(share($1))"
        }
        add("response", "response_seconds", .warning, figures.responseSeconds, limits.responseSeconds, isFloor: false) {
            "from reading to verdict it takes \(digits($0)) s, longer than \(digits($1)) s"
        }
        add("model-accuracy", "accuracy", .critical, figures.modelAccuracy, limits.modelAccuracy, isFloor: true) {
            "\(share($0)) of the alarms that people have answered lately were right, below \(share($1))"
        }
        add("drift", "drift", .info, figures.drift, limits.drift, isFloor: false) {
            "the data as a whole have moved: \(share($0)) of all sensors drift, more than \(share($1))"
        }
        for (name, works) in figures.components.sorted(by: { $0.key < $1.key }) {
            add(Self.component + name, "up", .critical, works ? 1 : 0, 0.5, isFloor: true) { _, _ in
                "\(name) is down"
            }
        }
        return list
    }

    private mutating func judge(_ condition: Condition, _ now: Timestamp) -> AlarmChange? {
        var watch = watches[condition.subject] ?? Watch()
        defer { watches[condition.subject] = watch.alarm == nil && watch.pendingSince == nil ? nil : watch }
        let isBad = condition.isFloor ? condition.value < condition.limit : condition.value > condition.limit
        let margin = abs(condition.limit) * limits.deadBand
        let isGood =
            condition.isFloor
            ? condition.value >= condition.limit + margin : condition.value <= condition.limit - margin
        if var alarm = watch.alarm {
            guard isGood else {
                watch.pendingSince = nil
                alarm.lastSeen = now
                watch.alarm = alarm
                return nil
            }
            let since = watch.pendingSince ?? now
            watch.pendingSince = since
            guard now.since(since) >= limits.offDelay else { return nil }
            watch = Watch()
            return Self.cleared(alarm, at: since)
        }
        guard isBad else {
            watch.pendingSince = nil
            return nil
        }
        let since = watch.pendingSince ?? now
        watch.pendingSince = since
        guard now.since(since) >= limits.onDelay else { return nil }
        let alarm = alarm(condition, since, now)
        watch = Watch(pendingSince: nil, alarm: alarm)
        return AlarmChange(step: .raised, alarm: alarm)
    }

    private func alarm(_ condition: Condition, _ since: Timestamp, _ now: Timestamp) -> Alarm {
        var hash = StableHash()
        hash.combine("system")
        hash.combine(condition.subject)
        hash.combine(UInt64(bitPattern: since.nanoseconds))
        return Alarm(
            id: hash.hex, sensor: condition.subject, metric: condition.metric, kind: .system, state: .open,
            severity: Alarm.Severity(rawValue: condition.severity.name) ?? .warning, raised: since, lastSeen: now,
            verdicts: 1, score: 1, pValue: 0, sentence: condition.sentence)
    }
}
