public import TocsinCore

/// Fixed limits and rates of rise for smoke and fire sensors: they alarm whatever a model thinks, and no model, tuning
/// or learning changes them.
///
/// ```swift
/// var limits = SafetyLimits(metrics: ["Temperature[C]", "PM2.5"])
/// limits.observe([22, 40], at: time)?.sentence    // "PM2.5 rose by 39 within a minute: the limit is 10 µg/m³ …"
/// ```
/// A rise is the value minus the lowest of the last 60 s, so one long gap or a slow sensor hides nothing: after a gap
/// of more than 60 s the rise since the previous reading is taken per minute. About 50 ns a rule and row, no
/// allocation.
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
            let rounded = (measured * 10).rounded() / 10
            return switch rule.kind {
            case .above: "\(metric) is \(rounded): the limit is \(rule.limit) \(rule.unit) (\(rule.source))."
            case .risePerMinute:
                "\(metric) rose by \(rounded) within a minute: the limit is \(rule.limit) \(rule.unit) (\(rule.source))."
            }
        }
    }

    /// The rules for smoke and fire.
    ///
    /// Particles: clean rooms have a few µg/m³ and wander by less than that in a minute, a smouldering source adds tens.
    public static let fire: [Rule] =
        ["temperature", "temp"].flatMap { name in
            [
                Rule(metric: name, kind: .above, limit: 57, unit: "°C", source: "UL 521, 135 °F heat detector"),
                Rule(metric: name, kind: .risePerMinute, limit: 8.3, unit: "K", source: "NFPA 72, 15 °F a minute"),
            ]
        }
        + ["pm1.0", "pm2.5", "pm10"].flatMap { name in
            [
                Rule(metric: name, kind: .above, limit: 225, unit: "µg/m³", source: "US EPA index 2024, hazardous"),
                Rule(metric: name, kind: .risePerMinute, limit: 10, unit: "µg/m³", source: "tens where there is smoke"),
            ]
        }
        + [
            Rule(metric: "co", kind: .above, limit: 70, unit: "ppm", source: "UL 2034, lowest alarm level"),
            Rule(metric: "co", kind: .risePerMinute, limit: 20, unit: "ppm", source: "a third of the limit a minute"),
            Rule(metric: "co2", kind: .above, limit: 5000, unit: "ppm", source: "OSHA exposure limit"),
            Rule(metric: "eco2", kind: .above, limit: 5000, unit: "ppm", source: "OSHA exposure limit of CO2"),
        ]

    /// The lowest value of each of the last 61 seconds: a reading of exactly a minute ago still counts.
    private struct History: Sendable {
        var minima = InlineArray<61, Double>(repeating: .infinity)
        /// Number of the second that was written last.
        var span = Int64.min
        var previous = Double.nan
        var previousTime = Timestamp(nanoseconds: 0)

        mutating func rise(to value: Double, at time: Timestamp) -> Double {
            let now = time.nanoseconds / 1_000_000_000
            let passed = span == .min ? 61 : now.subtractingReportingOverflow(span).partialValue
            if passed < 0 || passed >= 61 {
                for place in 0..<61 { minima[place] = .infinity }
            } else {
                var fresh = span + 1
                while fresh <= now {
                    minima[Self.place(fresh)] = .infinity
                    fresh += 1
                }
            }
            span = now
            var lowest = value
            for place in 0..<61 { lowest = min(lowest, minima[place]) }
            var rise = value - lowest
            let gap = Double(time.nanoseconds) - Double(previousTime.nanoseconds)
            if !previous.isNaN, passed >= 61, gap > 0 { rise = max(rise, (value - previous) / (gap / 60e9)) }
            minima[Self.place(now)] = min(minima[Self.place(now)], value)
            previous = value
            previousTime = time
            return rise
        }

        private static func place(_ span: Int64) -> Int { Int((span % 61 + 61) % 61) }
    }

    private struct Watch: Sendable {
        var rule: Int
        var column: Int
        var history = History()
    }

    public let metrics: [String]
    public let rules: [Rule]
    private var watches: [Watch] = []

    /// - Parameters:
    ///   - metrics: names of a row's columns; case, a unit in brackets and a path before the last `/` do not matter.
    public init(metrics: [String], rules: [Rule] = SafetyLimits.fire) {
        self.metrics = metrics
        self.rules = rules
        for (column, name) in metrics.enumerated() {
            let base = Self.metric(of: name)
            for (place, rule) in rules.enumerated() where rule.metric == base {
                watches.append(Watch(rule: place, column: column))
            }
        }
    }

    /// False when no rule fits any metric: nothing is watched then, which the user should be told.
    public var watchesAnything: Bool { !watches.isEmpty }

    /// The violation that exceeds its limit most, or nil; every row must be shown, in order of time. Values that are
    /// not numbers are passed over; +infinity is above every limit.
    public mutating func observe(_ row: [Double], at time: Timestamp) -> Violation? {
        var worst: Violation?
        for place in watches.indices where watches[place].column < row.count {
            let column = watches[place].column
            let value = row[column]
            guard !value.isNaN else { continue }
            let rule = rules[watches[place].rule]
            let measured = rule.kind == .above ? value : watches[place].history.rise(to: value, at: time)
            guard measured >= rule.limit, measured / rule.limit > worst.map({ $0.measured / $0.rule.limit }) ?? -1
            else { continue }
            worst = Violation(rule: rule, column: column, metric: metrics[column], measured: measured)
        }
        return worst
    }

    /// The name in lower case without unit in brackets and without the path before it.
    static func metric(of name: String) -> String {
        let last = name.split(separator: "/").last ?? ""
        let plain = last.prefix { $0 != "[" && $0 != "(" }.lowercased()
        var text = Substring(plain)
        while text.last == " " { text.removeLast() }
        while text.first == " " { text.removeFirst() }
        return String(text)
    }
}
