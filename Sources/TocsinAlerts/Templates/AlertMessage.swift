public import TocsinCore

/// How urgent; ordered.
public enum AlertSeverity: Int, Sendable, Comparable, CaseIterable {
    case info, warning, critical

    public var name: String { String(describing: self) }

    public init?(name: String) {
        guard let severity = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = severity
    }

    /// A word that is not known here counts as a warning.
    public init(_ severity: Alarm.Severity) { self = Self(name: severity.rawValue) ?? .warning }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What the alarm itself does not hold; looked up when the message is made.
public struct AlertDetails: Sendable, Equatable {
    /// The last reading of one metric, as numbers and as people write them.
    public struct Reading: Sendable, Equatable {
        public var metric: String
        public var unit: String?
        public var value: Double
        /// The band that is expected; NaN where there is none, or not yet.
        public var low: Double
        public var high: Double
        public var time: Timestamp
        /// `98.3 °C`; `24.1 to 26.2 °C`, nil without a band.
        public var valueText: String
        public var expectedText: String?

        public init(
            metric: String, unit: String?, value: Double, low: Double, high: Double, time: Timestamp,
            valueText: String, expectedText: String?
        ) {
            self.metric = metric
            self.unit = unit
            self.value = value
            self.low = low
            self.high = high
            self.time = time
            self.valueText = valueText
            self.expectedText = expectedText
        }
    }

    public var zone: String?
    /// Of the alarm's metric; of all metrics where the whole sensor is meant.
    public var readings: [Reading]
    /// Who acknowledged, shelved or commented, and what they said.
    public var person: String?
    public var comment: String?

    public init(
        zone: String? = nil, readings: [Reading] = [], person: String? = nil, comment: String? = nil
    ) {
        self.zone = zone
        self.readings = readings
        self.person = person
        self.comment = comment
    }

    /// The last value with its unit, `98.3 °C`; with the names of the metrics where there are several.
    public var value: String? { joined { $0.valueText } }
    /// What would be normal, `24.1 to 26.2 °C`.
    public var expected: String? { joined { $0.expectedText } }
    /// When the last value was measured.
    public var valueTime: Timestamp? { readings.map(\.time).max() }

    private func joined(_ text: (Reading) -> String?) -> String? {
        let parts = readings.compactMap { reading in
            text(reading).map { readings.count == 1 ? $0 : "\(reading.metric) \($0)" }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

/// One thing to be told, before a channel gives it its wire format.
public struct AlertMessage: Sendable {
    public enum Content: Sendable {
        case change(AlarmChange)
        /// What was held back, in order, told as one.
        case digest([AlarmChange], AlertHold)
        /// All alarms that are open: for receivers that forget (Alertmanager).
        case open([Alarm])
    }

    public var content: Content
    /// The same for every attempt at the same thing: receivers can tell.
    public var key: String
    /// What keeps its order: the alarm's id, or the digest's.
    public var incident: String
    /// When it was put together.
    public var time: Timestamp
    public var details: AlertDetails
    /// Of all that are open, by the alarm's id, where they are known.
    public var zones: [String: String] = [:]
    /// Why it comes here now ("nobody has acknowledged it for 15 min").
    public var note: String?
    /// A page with chart and alarm.
    public var link: String?
    public var isTest: Bool

    public init(
        content: Content, key: String, incident: String, time: Timestamp, details: AlertDetails = AlertDetails(),
        note: String? = nil, link: String? = nil, isTest: Bool = false
    ) {
        self.content = content
        self.key = key
        self.incident = incident
        self.time = time
        self.details = details
        self.note = note
        self.link = link
        self.isTest = isTest
    }

    /// nil for a digest or a refresh.
    public var change: AlarmChange? {
        guard case .change(let change) = content else { return nil }
        return change
    }

    /// Who did what is told, as far as it is known.
    var person: String? {
        if let person = details.person { return person }
        switch change?.step {
        case .acknowledged: return change?.alarm.care.acknowledgedBy
        case .assigned: return change?.alarm.care.assignee
        default: return nil
        }
    }

    /// Every change it tells, in order.
    public var changes: [AlarmChange] {
        switch content {
        case .change(let change): [change]
        case .digest(let changes, _): changes
        case .open: []
        }
    }

    /// The most urgent of what it tells.
    public var severity: AlertSeverity {
        switch content {
        case .change(let change): AlertSeverity(change.alarm.severity)
        case .digest(let changes, _): changes.map { AlertSeverity($0.alarm.severity) }.max() ?? .info
        case .open(let alarms): alarms.map { AlertSeverity($0.severity) }.max() ?? .info
        }
    }

    /// The same alarm step twice is the same message.
    static func key(_ change: AlarmChange) -> String {
        let base = "\(change.alarm.id)-\(change.step.rawValue)-\(change.alarm.verdicts)"
        switch change.step {
        case .raised, .reopened, .escalated, .cleared: return base
        // What people do can happen twice to the same state of an alarm.
        default: return "\(base)-\(change.alarm.lastSeen.nanoseconds)"
        }
    }
}

/// Why messages were held back and told as a list.
public enum AlertHold: String, Sendable {
    case quietHours = "quiet hours"
    case rateLimit = "rate limit"
}
