internal import TocsinCore

extension TocsinConfiguration.Alarms {
    init(from reader: inout SettingReader, windows: [WindowDefinition]) {
        clearAfter = reader.read(AlarmKeys.clearAfter)
        if let quiet = reader.read(AlarmKeys.clearWindows), let window = windows.first {
            // From the start of the first quiet one to the end of the last.
            clearAfter = Span64(nanoseconds: window.size.nanoseconds + Int64(quiet - 1) * window.slide.nanoseconds)
        }
        cooldown = reader.read(AlarmKeys.cooldown)
        onDelay = reader.read(AlarmKeys.onDelay)
        perDay = reader.read(AlarmKeys.perDay)
        flood = Flood(
            incidents: reader.read(AlarmKeys.floodIncidents), within: reader.read(AlarmKeys.floodWithin),
            criticals: reader.read(AlarmKeys.floodCriticals))
        newNormalAfter = reader.read(AlarmKeys.newNormalAfter)
        feedbackMemory = reader.read(AlarmKeys.feedbackMemory)
        latched = reader.read(AlarmKeys.latched)
        shelveLimit = reader.read(AlarmKeys.shelveLimit)
    }
}

extension TocsinConfiguration {
    static func rules(from reader: inout SettingReader) -> [Rule] {
        (0..<(reader.count(of: RuleKeys.list, maximum: RuleKeys.maximum) ?? 0)).map { index in
            Rule(
                sensor: reader.read(RuleKeys.sensor, at: index), metric: reader.read(RuleKeys.metric, at: index),
                sensorClass: reader.read(RuleKeys.sensorClass, at: index),
                direction: reader.read(RuleKeys.direction, at: index),
                minimumDeviationAbsolute: reader.read(RuleKeys.minimumDeviationAbsolute, at: index),
                minimumDeviationRelative: reader.read(RuleKeys.minimumDeviationRelative, at: index),
                minimumScore: reader.read(RuleKeys.minimumScore, at: index),
                kinds: reader.read(RuleKeys.kinds, at: index), limits: reader.read(RuleKeys.limits, at: index),
                onDelay: reader.read(RuleKeys.onDelay, at: index),
                clearAfter: reader.read(RuleKeys.clearAfter, at: index),
                deadBand: reader.read(RuleKeys.deadBand, at: index),
                severity: reader.read(RuleKeys.severity, at: index), perDay: reader.read(RuleKeys.perDay, at: index),
                learns: reader.read(RuleKeys.learns, at: index))
        }
    }

    static func assets(from reader: inout SettingReader) -> [Asset] {
        var assets: [Asset] = []
        for index in 0..<(reader.count(of: AssetKeys.list, maximum: AssetKeys.maximum) ?? 0) {
            let asset = Asset(
                name: reader.read(AssetKeys.name, at: index), sensors: reader.read(AssetKeys.sensors, at: index))
            if assets.contains(where: { $0.name == asset.name }) {
                reader.note(
                    ConfigurationProblem(
                        "`assets.\(index).name` is \"\(asset.name)\", the name of an earlier asset",
                        at: reader.origin(of: AssetKeys.name.entry, at: index),
                        remedy: "put all its sensors under one name"))
            }
            assets.append(asset)
        }
        return assets
    }

    static func classes(from reader: inout SettingReader) -> [SensorClass] {
        (0..<(reader.count(of: ClassKeys.list, maximum: ClassKeys.maximum) ?? 0)).map { index in
            SensorClass(
                name: reader.read(ClassKeys.name, at: index), sensors: reader.read(ClassKeys.sensors, at: index))
        }
    }

    static func maintenance(from reader: inout SettingReader) -> [Maintenance] {
        (0..<(reader.count(of: MaintenanceKeys.list, maximum: MaintenanceKeys.maximum) ?? 0)).map { index in
            Maintenance(
                sensor: reader.read(MaintenanceKeys.sensor, at: index),
                when: reader.read(MaintenanceKeys.when, at: index),
                reason: reader.read(MaintenanceKeys.reason, at: index),
                alarms: reader.read(MaintenanceKeys.alarms, at: index),
                learns: reader.read(MaintenanceKeys.learns, at: index))
        }
    }
}
