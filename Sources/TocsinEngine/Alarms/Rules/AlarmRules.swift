public import TocsinCore

/// One rule: for which series it is, and what it says of them.
public struct AlarmRule: Sendable {
    public var sensor: NamePattern
    public var metric: NamePattern
    /// Only sensors of this class (case ignored); nil = all.
    public var sensorClass: String?
    public var fields: RuleFields

    public init(
        sensor: NamePattern = .any, metric: NamePattern = .any, sensorClass: String? = nil, fields: RuleFields
    ) {
        self.sensor = sensor
        self.metric = metric
        self.sensorClass = sensorClass
        self.fields = fields
    }
}

/// Sensors of one sort, by name: "pumps" = `pump_*`, `p?_main`.
public struct SensorClass: Sendable {
    public var name: String
    public var patterns: [NamePattern]

    public init(name: String, patterns: [NamePattern]) {
        self.name = name
        self.patterns = patterns
    }
}

/// All rules in the order in which they were written; of two that say something of the same field the later one wins.
///
/// ```swift
/// let rules = AlarmRules(rules: [
///     AlarmRule(fields: RuleFields(onDelay: .seconds(10))),
///     AlarmRule(sensor: "pump_*", metric: "temp*", fields: RuleFields(direction: .up)),
/// ])
/// rules.resolve(sensor: "pump_3", metric: "temperature").onDelay   // 10 s
/// ```
public struct AlarmRules: Sendable {
    public var rules: [AlarmRule]
    public var classes: [SensorClass]

    public init(rules: [AlarmRule] = [], classes: [SensorClass] = []) {
        self.rules = rules
        self.classes = classes
    }

    public var isEmpty: Bool { rules.isEmpty }

    /// Names of the classes a sensor belongs to, lower-case.
    public func classes(of sensor: String) -> Set<String> {
        Set(classes.filter { $0.patterns.contains { $0.matches(sensor) } }.map { $0.name.lowercased() })
    }

    /// What holds for one series. Costs a pattern match per rule: ask once per series and keep the answer.
    /// - Parameter metric: nil for findings on the whole sensor: rules for all metrics hold for them, others do not.
    public func resolve(sensor: String, metric: String?) -> ResolvedRule {
        guard !rules.isEmpty else { return .standard }
        let memberships = classes(of: sensor)
        var fields = RuleFields()
        for rule in rules {
            if let wanted = rule.sensorClass, !memberships.contains(wanted.lowercased()) { continue }
            guard rule.sensor.matches(sensor) else { continue }
            guard metric.map({ rule.metric.matches($0) }) ?? rule.metric.isAny else { continue }
            fields.override(with: rule.fields)
        }
        return ResolvedRule(fields)
    }

    /// Rules that contradict themselves: the first is told in words for people.
    /// - Throws: `TocsinError` that names the rule by its number from 1.
    public func check() throws(TocsinError) {
        let known = Set(classes.map { $0.name.lowercased() })
        for (index, rule) in rules.enumerated() {
            let place = "alarm rule \(index + 1)"
            if let name = rule.sensorClass, !known.contains(name.lowercased()) {
                throw TocsinError(
                    .configuration, "there is no sensor class \"\(name)\"", place: place,
                    remedy: "define the class with its name patterns, or correct the name")
            }
            let sizes: [(String, Double?)] = [
                ("minimum deviation", rule.fields.minimumDeviation),
                ("minimum relative deviation", rule.fields.minimumRelativeDeviation),
                ("dead band", rule.fields.deadBand), ("on delay", rule.fields.onDelay?.seconds),
                ("off delay", rule.fields.offDelay?.seconds), ("budget", rule.fields.budgetPerDay.map(Double.init)),
            ]
            for case (let name, let size?) in sizes where !(size >= 0 && size.isFinite) {
                throw TocsinError(
                    .configuration, "the \(name) is \(size)", place: place, remedy: "give a number of at least 0")
            }
            if let score = rule.fields.minimumScore, !(0...1).contains(score) {
                throw TocsinError(
                    .configuration, "the minimum score is \(score)", place: place,
                    remedy: "give a number from 0 to 1, best the one that the tuning found")
            }
        }
    }
}

extension NamePattern: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}
