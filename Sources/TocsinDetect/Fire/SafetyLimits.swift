public import TocsinCore

/// Fixed limits and rates of rise for smoke and fire sensors: they alarm whatever a model thinks, and no model, tuning
/// or learning changes them.
///
/// ```swift
/// var limits = SafetyLimits(metrics: ["Temperature[C]", "PM2.5"])
/// limits.observe([22, 40], at: time)?.sentence    // "PM2.5 rose by 39 within a minute: the limit is 15 µg/m³ …"
/// ```
/// A rise is the value minus the lowest of the last 60 s, so one long gap or a slow sensor hides nothing: after a gap
/// of more than 60 s the rise since the previous reading is taken per minute.
///
/// One broken reading is no fire: a limit counts when two readings in a row reach it, unless the one before is more
/// than 10 s old, and the return from a single low reading is no rise (of two readings in a row the higher one counts
/// as the past). That costs one reading, at most 10 s (NFPA 72
/// lets a detector verify smoke for up to 60 s). About 30 ns a rule and row, no allocation.
public struct SafetyLimits: Sendable {
    public enum Kind: Sendable, Equatable {
        /// The value is at or above the limit.
        case above
        /// The rise within a minute is at or above the limit.
        case risePerMinute
    }

    public struct Rule: Sendable, Equatable {
        /// Lower case, without unit.
        public var metric: String
        public var kind: Kind
        /// In the unit of the metric.
        public var limit: Double
        public var unit: String
        /// Where the limit comes from.
        public var source: String

        public init(metric: String, kind: Kind, limit: Double, unit: String, source: String) {
            self.metric = metric.lowercased()
            self.kind = kind
            self.limit = limit
            self.unit = unit
            self.source = source
        }
    }

    /// A limit that was reached.
    public struct Violation: Sendable, Equatable {
        public let rule: Rule
        /// The column of the row.
        public let column: Int
        public let metric: String
        /// The value, or the rise within a minute.
        public let measured: Double

        public var sentence: String {
            let amount = FireText.number(measured)
            let limit = "the limit is \(FireText.number(rule.limit)) \(rule.unit) (\(rule.source))."
            return switch rule.kind {
            case .above: "\(metric) is \(amount): \(limit)"
            case .risePerMinute: "\(metric) rose by \(amount) within a minute: \(limit)"
            }
        }
    }

    /// The limit that is exceeded most, as plain numbers.
    struct Excess: Sendable {
        var watch: Int
        var measured: Double
        /// Measured / limit, 1 and above.
        var ratio: Double
    }

    struct Watch: Sendable {
        let rule: Int
        let column: Int
        let kind: Kind
        let limit: Double
        /// The reading before reached the limit.
        var wasReached = false
    }

    public let metrics: [String]
    public let rules: [Rule]
    var watches: [Watch] = []
    /// One per watched column: the column and its last minute.
    var histories: [(column: Int, rise: RiseHistory)] = []

    /// - Parameters:
    ///   - metrics: names of a row's columns; case, a unit in brackets and a path before the last `/` do not matter.
    public init(metrics: [String], rules: [Rule] = SafetyLimits.fire) {
        self.init(metrics: metrics, limitNames: metrics.map(Self.metric), rules: rules)
    }

    /// - Parameter limitNames: per column the name by which the rules know it.
    init(metrics: [String], limitNames: [String], rules: [Rule]) {
        self.metrics = metrics
        self.rules = rules
        for (column, name) in limitNames.enumerated() {
            for (place, rule) in rules.enumerated() where rule.metric == name && rule.limit > 0 {
                watches.append(Watch(rule: place, column: column, kind: rule.kind, limit: rule.limit))
            }
            if watches.last?.column == column { histories.append((column, RiseHistory())) }
        }
    }

    /// False when no rule fits any metric: nothing is watched then, which the user should be told.
    public var watchesAnything: Bool { !watches.isEmpty }

    /// The violation that exceeds its limit most, or nil; every row must be shown, in order of time. Values that are
    /// not numbers are passed over; +infinity is above every limit.
    public mutating func observe(_ row: [Double], at time: Timestamp) -> Violation? {
        worst(row, at: time).map(violation)
    }

    func violation(_ excess: Excess) -> Violation {
        let watch = watches[excess.watch]
        return Violation(
            rule: rules[watch.rule], column: watch.column, metric: metrics[watch.column], measured: excess.measured)
    }

    mutating func worst(_ row: [Double], at time: Timestamp) -> Excess? {
        var worst: Excess?
        var place = 0
        for history in histories.indices {
            let column = histories[history].column
            let value = column < row.count ? row[column] : .nan
            let isMissing = value.isNaN
            var needsSecond = false
            var rise = 0.0
            if !isMissing {
                needsSecond = !histories[history].rise.isOlder(than: 10, at: time)
                rise = histories[history].rise.rise(to: value, at: time)
            }
            while place < watches.count, watches[place].column == column {
                defer { place += 1 }
                guard !isMissing else { continue }
                let measured = watches[place].kind == .above ? value : rise
                let isReached = measured >= watches[place].limit
                let isConfirmed = isReached && (watches[place].wasReached || !needsSecond)
                watches[place].wasReached = isReached
                let ratio = measured / watches[place].limit
                if isConfirmed, ratio > worst?.ratio ?? -1 {
                    worst = Excess(watch: place, measured: measured, ratio: ratio)
                }
            }
        }
        return worst
    }

    /// The name in lower case without unit in brackets and without the path before it.
    static func metric(of name: String) -> String {
        // The unit first: it may hold a slash ("PM2.5[µg/m³]").
        let bare = name.prefix { $0 != "[" && $0 != "(" }
        let plain = (bare.split(separator: "/").last ?? "").lowercased()
        var text = Substring(plain)
        while text.last == " " { text.removeLast() }
        while text.first == " " { text.removeFirst() }
        return String(text)
    }
}
