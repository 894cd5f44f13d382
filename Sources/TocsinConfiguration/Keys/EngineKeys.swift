internal import TocsinCore

enum EngineKeys {
    static let shards = Key(
        "engine.shards", .integer(0...1024, unit: "shards"), default: 0,
        "Threads that own the sensors' states; 0 is one per core.")
    static let inboxBatches = Key(
        "engine.inboxBatches", .integer(1...65536, unit: "batches"), default: 8,
        "Batches that may wait before each stage; beyond that, sources wait.")
    static let allowedLateness = Key(
        "engine.allowedLateness", .duration(.seconds(0) ... .days(7)), default: .seconds(30),
        "How far behind the newest reading a reading may be and still enter its window.")
    static let order = Key(
        "engine.order", .choice, default: TocsinConfiguration.Engine.Order.arrival,
        "In which order readings are judged: as they arrive, within milliseconds; or by event time, once allowedLateness is "
            + "past, so that the order of arrival changes nothing.")
    static let idleTimeout = Key(
        "engine.idleTimeout", .duration(.seconds(1) ... .days(7)), default: .seconds(5),
        "Without any input for this long, time goes on by the wall clock: windows close, silence is noticed.")
    static let maxSeries = Key(
        "engine.maxSeries", .integer(1...100_000_000, unit: "series"), default: 2_000_000,
        "Series (metrics of sensors) at most; readings of further ones become dead letters.")

    static let all = [
        shards.entry, inboxBatches.entry, allowedLateness.entry, order.entry, idleTimeout.entry,
        maxSeries.entry,
    ]
}

enum WindowKeys {
    static let list = "windows"
    /// More would be a mistake: every reading is counted in each, and a window's number is stored in one byte.
    static let maximum = 16
    static let size = Key(
        "windows[].size", .duration(.seconds(1) ... .days(7)), default: WindowDefinition.oneMinute.size,
        isRequired: true, "Length of the window, a multiple of `slide`.")
    static let slide = Key(
        "windows[].slide", .duration(.seconds(1) ... .days(7)), default: WindowDefinition.oneMinute.slide,
        isRequired: true, "Distance between the starts of two windows.")
    static let all = [size.entry, slide.entry]
}

enum DetectionKeys {
    static let enabled = Key(
        "detection.enabled", .flag, default: true, "Whether readings are judged at all; windows are kept either way.")
    static let learningReadings = Key(
        "detection.learningReadings", .integer(8...1_000_000, unit: "readings"), default: 60,
        "Readings of a series that are learnt from before it is judged.")
    static let falseAlarmRate = Key(
        "detection.falseAlarmRate", .number(0...0.1, above: true, unit: "share of readings"), default: 1e-7,
        "Accepted share of false spikes among normal readings; 1e-7 is 3 a year at one reading a second.")
    static let minimumDeviationAbsolute = Key(
        "detection.minimumDeviation.absolute", .number(0...Double.infinity, unit: "the metric's unit"), default: 0,
        "Smaller deviations from the expected value are never anomalous.")
    static let minimumDeviationRelative = Key(
        "detection.minimumDeviation.relative", .number(0...Double.infinity, unit: "share of the value"), default: 0,
        "Deviations below this share of the expected value are never anomalous.")
    static let direction = Key(
        "detection.direction", .choice, default: TocsinConfiguration.Detection.Direction.both,
        "Which deviations count: above the expected value, below it, or both.")
    static let limits = MapKey(
        "detection.limits", .limits, default: [:], foldsCase: true,
        "Normal operating range by metric; values outside are accepted and reported as `range`.")
    static let kinds = Key(
        "detection.kinds", ValueForm(listOf: .anomalyKind),
        default: [.spike, .drift, .stuck, .noise, .silence, .range, .pattern, .multivariate],
        "The kinds of anomaly that are reported.")
    static let forestEnabled = Key(
        "detection.forest.enabled", .flag, default: true, "Whether the Isolation Forests run.")
    static let forestTrees = Key(
        "detection.forest.trees", .integer(1...10_000, unit: "trees"), default: 100, "Trees of one forest.")
    static let forestSamples = Key(
        "detection.forest.samples", .integer(2...65_536, unit: "rows"), default: 256, "Rows each tree is grown from.")
    static let forestLearningEvents = Key(
        "detection.forest.learningEvents", .integer(16...10_000_000, unit: "events"), default: 1000,
        "Events a forest learns from where no trained model exists.")
    static let forestSeed = Key(
        "detection.forest.seed", .seed, default: 1, "Seed of the forests: same seed and input, same scores.")

    static let all = [
        enabled.entry, learningReadings.entry, falseAlarmRate.entry, minimumDeviationAbsolute.entry,
        minimumDeviationRelative.entry, direction.entry, limits.entry, kinds.entry, forestEnabled.entry,
        forestTrees.entry,
        forestSamples.entry, forestLearningEvents.entry, forestSeed.entry,
    ]
}

enum AlarmKeys {
    static let clearAfter = Key(
        "alarms.clearAfter", .duration(.seconds(1) ... .days(7)), default: .minutes(5),
        "An alarm without a further verdict for this long is cleared.")
    static let cooldown = Key(
        "alarms.cooldown", .duration(.seconds(0) ... .days(7)), default: .minutes(10),
        "A verdict this soon after the clearing reopens the alarm instead of raising a new one.")
    static let all = [clearAfter.entry, cooldown.entry]
}
