public import TocsinCore

/// A stretch of time in which some sensors are worked on, or must not be learnt from.
public struct CalendarEntry: Sendable {
    public enum When: Sendable, Equatable {
        /// From (inclusive) … to (exclusive).
        case between(Timestamp, Timestamp)
        case weekly([WeeklySpan])
    }

    public var sensors: NamePattern
    public var when: When
    /// For people: "oil change".
    public var reason: String
    /// Findings inside raise no incident.
    public var suppressesAlarms: Bool
    /// False: nothing inside is learnt from.
    public var learns: Bool
    /// Fire is reported in maintenance too, unless this is true.
    public var suppressesFire: Bool

    public init(
        sensors: NamePattern, when: When, reason: String, suppressesAlarms: Bool = true, learns: Bool = false,
        suppressesFire: Bool = false
    ) {
        self.sensors = sensors
        self.when = when
        self.reason = reason
        self.suppressesAlarms = suppressesAlarms
        self.learns = learns
        self.suppressesFire = suppressesFire
    }

    public func contains(_ time: Timestamp) -> Bool {
        switch when {
        case .between(let from, let to): time >= from && time < to
        case .weekly(let spans): spans.contains { $0.contains(time) }
        }
    }
}

extension CalendarEntry.When {
    /// Reads "2026-11-21T02:00:00Z/2026-11-21T04:00:00Z" or a weekly time as "Sat 02:00-04:00 UTC", "Mon-Fri
    /// 22:00-06:00", "daily 02:00-03:00 +02:00".
    /// - Throws: `TocsinError` with the text as it was given.
    public init(text: String) throws(TocsinError) {
        let ends = text.split(separator: "/", omittingEmptySubsequences: false)
        if ends.count == 2, let from = Timestamp(text: Self.trimmed(ends[0])),
            let to = Timestamp(text: Self.trimmed(ends[1])), from < to
        {
            self = .between(from, to)
        } else if let spans = WeeklySpan.parse(text) {
            self = .weekly(spans)
        } else {
            throw TocsinError(
                .configuration, "\"\(text)\" is no stretch of time",
                remedy: "write \"Sat 02:00-04:00 UTC\", \"Mon-Fri 22:00-06:00\" or "
                    + "\"2026-11-21T02:00:00Z/2026-11-21T04:00:00Z\"")
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// Maintenance windows and stretches that must not be learnt from, for all sensors.
public struct AlarmCalendar: Sendable {
    public var entries: [CalendarEntry]

    public init(entries: [CalendarEntry] = []) { self.entries = entries }

    /// What concerns one sensor. Costs a pattern match per entry: ask once per sensor and keep the answer.
    public func of(_ sensor: String) -> SensorCalendar {
        SensorCalendar(entries: entries.filter { $0.sensors.matches(sensor) })
    }

    /// The reason why findings on a sensor raise no incident at a time; nil = they do.
    public func suppression(sensor: String, kind: AnomalyKind, at time: Timestamp) -> String? {
        entries.first {
            $0.suppressesAlarms && (kind != .fire || $0.suppressesFire) && $0.contains(time)
                && $0.sensors.matches(sensor)
        }?.reason
    }
}

/// The entries of the calendar that concern one sensor: nearly always none, and then every question costs one test.
public struct SensorCalendar: Sendable {
    public let entries: [CalendarEntry]

    public var isEmpty: Bool { entries.isEmpty }

    public func isSuppressed(at time: Timestamp) -> Bool {
        entries.contains { $0.suppressesAlarms && $0.contains(time) }
    }

    public func learns(at time: Timestamp) -> Bool {
        !entries.contains { !$0.learns && $0.contains(time) }
    }
}
