public import TocsinConfiguration
internal import TocsinCore
internal import TocsinDetect
public import TocsinEngine

extension EngineSettings {
    /// The engine's part of the configuration.
    /// - Throws: `TocsinError(.configuration)` for rules that contradict themselves and times that are none.
    public init(_ configuration: TocsinConfiguration, isLive: Bool) throws {
        let detection = configuration.detection
        let bank = BankSettings(
            falseAlarmRate: detection.falseAlarmRate, minimumDeviation: detection.minimumDeviation.absolute,
            minimumRelativeDeviation: detection.minimumDeviation.relative,
            direction: BankSettings.Direction(detection.direction), learningReadings: detection.learningReadings,
            enabledKinds: detection.enabled ? Set(detection.kinds) : [])
        let forest = detection.forest
        self.init(
            shards: configuration.engine.shards == 0 ? Processors.count : configuration.engine.shards,
            inboxBatches: configuration.engine.inboxBatches, windows: configuration.windows,
            allowedLateness: configuration.engine.allowedLateness,
            order: configuration.engine.order == .event ? .event : .arrival,
            idleTimeout: configuration.engine.idleTimeout,
            validation: ValidationSettings(
                validRanges: configuration.input.validRanges, allowedClockSkew: configuration.input.allowedClockSkew),
            bank: bank, limits: detection.limits,
            forests: ForestSettings(
                onEvents: detection.enabled && forest.enabled && detection.kinds.contains(.multivariate),
                onWindows: detection.enabled && forest.enabled && detection.kinds.contains(.pattern),
                areSaved: isLive, trees: forest.trees, samples: forest.samples,
                learningRows: forest.learningEvents, seed: forest.seed),
            ensemble: EnsembleSettings(
                isEnabled: detection.enabled && detection.ensemble.enabled,
                maximumSensors: detection.ensemble.maxSensors,
                maximumFastSensors: detection.ensemble.maxFastSensors),
            fire: FireWatchSettings(isEnabled: detection.enabled && detection.fireEnabled),
            sequences: SequenceSettings(isGated: detection.lstm.gated),
            alarms: AlarmSettings(configuration.alarms), rules: AlarmRules(configuration),
            calendar: try AlarmCalendar(configuration.maintenance), assets: AssetNames(configuration.assets),
            sharing: SensorSharing(configuration), isLive: isLive)
        try rules.check()
    }
}

extension SensorSharing {
    init(_ configuration: TocsinConfiguration) {
        self =
            switch (configuration.sharesSensors, configuration.store.usesPostgres) {
            case (false, _): .none
            case (true, true): .throughStore
            case (true, false): .betweenStores
            }
    }
}

extension BankSettings.Direction {
    init(_ direction: TocsinConfiguration.Detection.Direction) {
        self =
            switch direction {
            case .up: .up
            case .down: .down
            case .both: .both
            }
    }
}

extension AlarmSettings {
    init(_ alarms: TocsinConfiguration.Alarms) {
        self.init(
            clearAfter: alarms.clearAfter, cooldown: alarms.cooldown, newNormalAfter: alarms.newNormalAfter,
            flood: FloodSettings(
                incidents: alarms.flood.incidents, within: alarms.flood.within, calmAfter: alarms.flood.within,
                criticals: alarms.flood.criticals),
            budgetPerDay: alarms.perDay, feedback: FeedbackSettings(decay: alarms.feedbackMemory),
            latched: Set(alarms.latched))
    }
}

extension AlarmRules {
    init(_ configuration: TocsinConfiguration) {
        let general =
            configuration.alarms.onDelay.nanoseconds > 0
            ? [AlarmRule(fields: RuleFields(onDelay: configuration.alarms.onDelay))] : []
        self.init(
            rules: general + configuration.rules.map(AlarmRule.init),
            classes: configuration.classes.map {
                SensorClass(name: $0.name, patterns: $0.sensors.map { NamePattern($0) })
            })
    }
}

extension AlarmRule {
    init(_ rule: TocsinConfiguration.Rule) {
        self.init(
            sensor: NamePattern(rule.sensor), metric: NamePattern(rule.metric), sensorClass: rule.sensorClass,
            fields: RuleFields(
                minimumDeviation: rule.minimumDeviationAbsolute,
                minimumRelativeDeviation: rule.minimumDeviationRelative,
                direction: rule.direction.map { BankSettings.Direction($0) },
                kinds: rule.kinds.isEmpty ? nil : Set(rule.kinds), range: rule.limits, minimumScore: rule.minimumScore,
                onDelay: rule.onDelay, offDelay: rule.clearAfter, deadBand: rule.deadBand, severity: rule.severity,
                budgetPerDay: rule.perDay, doNotLearn: rule.learns ? nil : true))
    }
}

extension AlarmCalendar {
    init(_ maintenance: [TocsinConfiguration.Maintenance]) throws {
        var entries: [CalendarEntry] = []
        for (index, entry) in maintenance.enumerated() {
            do {
                entries.append(
                    CalendarEntry(
                        sensors: NamePattern(entry.sensor), when: try CalendarEntry.When(text: entry.when),
                        reason: entry.reason ?? "maintenance", suppressesAlarms: !entry.alarms, learns: entry.learns))
            } catch {
                throw TocsinError(
                    .configuration, error.message, place: "maintenance.\(index).when", remedy: error.remedy)
            }
        }
        self.init(entries: entries)
    }
}

extension AssetNames {
    init(_ assets: [TocsinConfiguration.Asset]) {
        self.init(
            groups: assets.map { Group(name: $0.name, patterns: $0.sensors.map { NamePattern($0) }) })
    }
}
