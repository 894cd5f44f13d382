internal import TocsinCore

/// Rules for some sensors or metrics. What a rule leaves open is as in `detection` and `alarms`, or as in an earlier rule.
enum RuleKeys {
    static let list = "rules"
    /// A series keeps the number of its settings in one byte.
    static let maximum = 200
    static let sensor = Key(
        "rules[].sensor", .text, default: "*", "Which sensors: `*` is any text, `?` any character, case ignored.")
    static let metric = Key("rules[].metric", .text, default: "*", "Which metrics, in the same way.")
    static let sensorClass = Key(
        "rules[].class", .optionalText, default: nil, shownAs: "any", "Only sensors of this class; see `classes`.")
    static let direction = Key(
        "rules[].direction", ValueForm(.choice, orNone: "inherit"),
        default: TocsinConfiguration.Detection.Direction?.none,
        "Which deviations count.")
    static let minimumDeviationAbsolute = Key(
        "rules[].minimumDeviation.absolute",
        ValueForm(.number(0...Double.infinity, unit: "the metric's unit"), orNone: "inherit"), default: nil,
        "Smaller deviations are never anomalous.")
    static let minimumDeviationRelative = Key(
        "rules[].minimumDeviation.relative",
        ValueForm(.number(0...Double.infinity, unit: "share of the value"), orNone: "inherit"), default: nil,
        "Deviations below this share of the expected value are never anomalous.")
    static let kinds = Key(
        "rules[].kinds", ValueForm(listOf: .anomalyKind), default: [], shownAs: "inherit",
        "The kinds of anomaly that are reported.")
    static let limits = Key(
        "rules[].limits", .limits, default: nil, shownAs: "inherit",
        "Normal operating range; values outside are reported as `range`.")
    static let minimumScore = Key(
        "rules[].minimumScore", ValueForm(.number(0...1), orNone: "inherit"), default: nil,
        "Findings with a lower score raise nothing; `tocsin tune` says which score fits a number of alarms a day.")
    static let onDelay = Key(
        "rules[].onDelay", ValueForm(.duration(.seconds(0) ... .days(7)), orNone: "inherit"), default: nil,
        "How long a condition must last before it becomes an alarm.")
    static let clearAfter = Key(
        "rules[].clearAfter", ValueForm(.duration(.seconds(1) ... .days(7)), orNone: "inherit"), default: nil,
        "An alarm without a further verdict for this long is cleared.")
    static let deadBand = Key(
        "rules[].deadBand", ValueForm(.number(0...Double.infinity, unit: "the metric's unit"), orNone: "inherit"),
        default: nil, "How far inside its expected band a value must be again before the alarm may clear.")
    static let severity = Key(
        "rules[].severity", ValueForm(.choice, orNone: "inherit"), default: Alarm.Severity?.none,
        "What an alarm is, whatever was found.")
    static let perDay = Key(
        "rules[].perDay", ValueForm(.integer(0...1_000_000, unit: "alarms"), orNone: "inherit"), default: nil,
        "Warnings a day and asset at most; what is beyond is told as one summary.")
    static let learns = Key(
        "rules[].learns", .flag, default: true, "Whether the readings are learnt from; false judges by what is known.")

    static let all = [
        sensor.entry, metric.entry, sensorClass.entry, direction.entry, minimumDeviationAbsolute.entry,
        minimumDeviationRelative.entry,
        minimumScore.entry, kinds.entry, limits.entry, onDelay.entry, clearAfter.entry, deadBand.entry,
        severity.entry, perDay.entry, learns.entry,
    ]
}

/// Times at which nobody wants to be told.
enum MaintenanceKeys {
    static let list = "maintenance"
    static let maximum = 1000
    static let sensor = Key(
        "maintenance[].sensor", .text, default: "*", "Which sensors: `*` is any text, `?` any character, case ignored.")
    static let when = Key(
        "maintenance[].when", .text, default: "", shownAs: "none", isRequired: true,
        "A weekly time such as `Sat 02:00-04:00`, `Mon-Fri 22:00-06:00`, `daily 02:00-03:00 +02:00` (UTC where nothing is "
            + "said), or once: `2026-03-01T22:00:00Z/2026-03-02T02:00:00Z`.")
    static let reason = Key(
        "maintenance[].reason", .optionalText, default: nil, shownAs: "none", "Why, for people.")
    static let alarms = Key(
        "maintenance[].alarms", .flag, default: false,
        "Whether findings raise alarms all the same: true only keeps the time from being learnt; fire always does.")
    static let learns = Key(
        "maintenance[].learns", .flag, default: false,
        "Whether readings of that time are learnt from; a machine that is being worked on is no example of normal.")
    static let all = [sensor.entry, when.entry, reason.entry, alarms.entry, learns.entry]
}

/// Sensors that belong to one machine, room or vehicle.
enum AssetKeys {
    static let list = "assets"
    static let maximum = 10_000
    static let name = Key(
        "assets[].name", .text, default: "", shownAs: "none", isRequired: true, "Name of the asset.")
    static let sensors = Key(
        "assets[].sensors", ValueForm(listOf: .text), default: [], shownAs: "none", isRequired: true,
        "Its sensors, as names or patterns with `*` and `?`.")
    static let all = [name.entry, sensors.entry]
}

/// Sensors of one sort, for rules.
enum ClassKeys {
    static let list = "classes"
    static let maximum = 1000
    static let name = Key(
        "classes[].name", .text, default: "", shownAs: "none", isRequired: true,
        "Name of the class, for `rules[].class`.")
    static let sensors = Key(
        "classes[].sensors", ValueForm(listOf: .text), default: [], shownAs: "none", isRequired: true,
        "Its sensors, as names or patterns with `*` and `?`.")
    static let all = [name.entry, sensors.entry]
}
