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
        default: [.spike, .drift, .stuck, .noise, .silence, .range, .pattern, .multivariate, .fire],
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

    static let ensembleEnabled = Key(
        "detection.ensemble.enabled", .flag, default: true,
        "Whether sensors are also judged by what they never did before, and by how their metrics move together.")
    static let ensembleSensors = Key(
        "detection.ensemble.maxSensors", .integer(0...1_000_000, unit: "sensors"), default: 2000,
        "Sensors, by order of appearance, that are: 31 KB for each metric of a sensor read every 20 s or more seldom.")
    static let ensembleFastSensors = Key(
        "detection.ensemble.maxFastSensors", .integer(0...1_000_000, unit: "sensors"), default: 100,
        "Of those read more often, as many also remember what they did (31 KB a metric); the others have the chart only."
    )
    static let fireEnabled = Key(
        "detection.fire.enabled", .flag, default: true,
        "Whether sensors with metrics of smoke or particles are watched for fire.")
    static let lstmGated = Key(
        "detection.lstm.gated", .flag, default: true,
        "Whether a trained LSTM judges only where the bank or the window forest is suspicious; false is every window.")
    static let lstmUnits = Key(
        "detection.lstm.units", ValueForm(listOf: .integer(1...1024, unit: "units")), default: [128, 64],
        aliases: ["LSTM_UNITS"],
        "Units of the encoder's layers in `tocsin train --model lstm`; the decoder mirrors them.")
    static let lstmSteps = Key(
        "detection.lstm.sequenceLength", .integer(2...1000, unit: "windows"), default: 50,
        aliases: ["SEQUENCE_LENGTH"], "Windows of one sequence.")
    static let lstmEpochs = Key(
        "detection.lstm.epochs", .integer(1...10_000, unit: "epochs"), default: 50, aliases: ["EPOCHS"],
        "Passes over the training windows at most.")
    static let lstmBatchSize = Key(
        "detection.lstm.batchSize", .integer(1...4096, unit: "sequences"), default: 64, aliases: ["BATCH_SIZE"],
        "Sequences per step of the optimiser.")
    static let lstmThreshold = Key(
        "detection.lstm.threshold", .number(0...1, above: true, unit: "quantile"), default: 0.995,
        aliases: ["ANOMALY_THRESHOLD"],
        "Quantile of the errors on held-out windows above which a run of windows is anomalous.")

    static let all = [
        enabled.entry, learningReadings.entry, falseAlarmRate.entry, minimumDeviationAbsolute.entry,
        minimumDeviationRelative.entry, direction.entry, limits.entry, kinds.entry, forestEnabled.entry,
        forestTrees.entry,
        forestSamples.entry, forestLearningEvents.entry, forestSeed.entry, ensembleEnabled.entry,
        ensembleSensors.entry, ensembleFastSensors.entry, fireEnabled.entry, lstmGated.entry, lstmUnits.entry,
        lstmSteps.entry, lstmEpochs.entry, lstmBatchSize.entry, lstmThreshold.entry,
    ]
}

enum AlarmKeys {
    static let clearAfter = Key(
        "alarms.clearAfter", .duration(.seconds(1) ... .days(7)), default: .minutes(5),
        "An alarm without a further verdict for this long is cleared.")
    static let clearWindows = Key(
        "alarms.clearWindows", ValueForm(.integer(1...1000, unit: "windows"), orNone: "off"), default: nil,
        "Instead of `alarms.clearAfter`: so many windows in a row (the first of `windows`) without a further verdict.")
    static let cooldown = Key(
        "alarms.cooldown", .duration(.seconds(0) ... .days(7)), default: .minutes(10),
        "A verdict this soon after the clearing reopens the alarm instead of raising a new one.")
    static let onDelay = Key(
        "alarms.onDelay", .duration(.seconds(0) ... .days(7)), default: .seconds(0),
        "How long a condition must last before it becomes an alarm; 0 is at once.")
    static let perDay = Key(
        "alarms.perDay", ValueForm(.integer(0...1_000_000, unit: "alarms"), orNone: "off"), default: nil,
        "Warnings a day and asset at most; what is beyond is told as one summary; `tocsin tune` finds a threshold instead."
    )
    static let floodIncidents = Key(
        "alarms.flood.incidents", .integer(2...1_000_000, unit: "alarms"), default: 9,
        "More new alarms than this within `alarms.flood.within` become one summary with members.")
    static let floodWithin = Key(
        "alarms.flood.within", .duration(.seconds(1) ... .days(1)), default: .minutes(9), "The time for that.")
    static let floodCriticals = Key(
        "alarms.flood.criticals", .integer(0...1_000_000, unit: "alarms"), default: 5,
        "So many critical alarms are told singly in a flood; those beyond are members of the summary, which is critical then."
    )
    static let newNormalAfter = Key(
        "alarms.newNormalAfter", .duration(.minutes(1) ... .days(365)), default: .hours(6),
        "A drift alarm whose new level has lasted this long is closed: the new level is the normal one.")
    static let feedbackMemory = Key(
        "alarms.feedbackMemory", .duration(.hours(1) ... .days(3650)), default: .days(30),
        "For how long an answer of `false` or `expected` holds similar findings back.")
    static let latched = Key(
        "alarms.latched", ValueForm(listOf: .alarmKind), default: [AnomalyKind.fire],
        "Kinds whose alarms stay on the list after they have cleared, until somebody acknowledges them.")
    static let shelveLimit = Key(
        "alarms.shelveLimit", .duration(.minutes(1) ... .days(365)), default: .hours(24),
        "For how long an alarm can be shelved at most.")
    static let all = [
        clearAfter.entry, clearWindows.entry, cooldown.entry, onDelay.entry, perDay.entry, floodIncidents.entry,
        floodWithin.entry, floodCriticals.entry, newNormalAfter.entry, feedbackMemory.entry, latched.entry,
        shelveLimit.entry,
    ]
}
