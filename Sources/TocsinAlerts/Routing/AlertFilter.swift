public import TocsinCore

/// Which alarms something is meant for: all conditions that are given must hold.
public struct AlertFilter: Sendable {
    public var severity: AlertSeverity
    /// nil = all.
    public var kinds: Set<AnomalyKind>?
    public var zones: Set<String>?
    /// Patterns with `*` and `?`; one must fit.
    public var sensors: [NamePattern]?

    public init(
        severity: AlertSeverity = .info, kinds: Set<AnomalyKind>? = nil, zones: Set<String>? = nil,
        sensors: [NamePattern]? = nil
    ) {
        self.severity = severity
        self.kinds = kinds
        self.zones = zones
        self.sensors = sensors
    }

    public func matches(_ alarm: Alarm, zone: String?) -> Bool {
        guard AlertSeverity(alarm.severity) >= severity else { return false }
        if let kinds, !kinds.contains(alarm.kind) { return false }
        if let zones, zone.map(zones.contains) != true { return false }
        if let sensors, !sensors.contains(where: { $0.matches(alarm.sensor) }) { return false }
        return true
    }
}

/// A name with `*` (any text) and `?` (any one character); case counts. Linear in both lengths for one star, and never
/// worse than their product.
public struct NamePattern: Sendable, Hashable {
    private let pattern: [UInt8]

    public init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    public func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        var (place, star, mark, index) = (0, -1, 0, 0)
        while index < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                (star, mark) = (place, index)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") {
                // One character, however many bytes it has.
                index += 1
                while index < name.count, name[index] & 0xc0 == 0x80 { index += 1 }
                place += 1
            } else if place < pattern.count, pattern[place] == name[index] {
                place += 1
                index += 1
            } else if star >= 0 {
                place = star + 1
                mark += 1
                index = mark
            } else {
                return false
            }
        }
        while place < pattern.count, pattern[place] == UInt8(ascii: "*") { place += 1 }
        return place == pattern.count
    }
}

/// One rule of who is told.
public struct AlertRoute: Sendable {
    public var filter: AlertFilter
    public var channels: Set<String>

    public init(filter: AlertFilter, channels: Set<String>) {
        self.filter = filter
        self.channels = channels
    }
}

/// The rules together.
public struct AlertRouting: Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// The first route that fits is the only one.
        case first
        /// Every route that fits adds its channels.
        case all
    }

    public var routes: [AlertRoute]
    public var mode: Mode

    /// Without routes everything goes to every channel.
    public init(routes: [AlertRoute] = [], mode: Mode = .all) {
        self.routes = routes
        self.mode = mode
    }

    /// nil = every channel.
    func channels(for alarm: Alarm, zone: String?) -> Set<String>? {
        guard !routes.isEmpty else { return nil }
        var channels: Set<String> = []
        for route in routes where route.filter.matches(alarm, zone: zone) {
            channels.formUnion(route.channels)
            if mode == .first { break }
        }
        return channels
    }
}

/// Someone else is told when an alarm has stood for `delay` and nobody has acknowledged it.
public struct AlertEscalation: Sendable {
    public var delay: Span64
    public var filter: AlertFilter
    public var channels: [String]

    public init(after delay: Span64, filter: AlertFilter = AlertFilter(), channels: [String]) {
        self.delay = delay
        self.filter = filter
        self.channels = channels
    }
}
