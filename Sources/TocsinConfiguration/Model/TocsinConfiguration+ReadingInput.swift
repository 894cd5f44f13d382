internal import TocsinCore

extension TocsinConfiguration.Input {
    init(from reader: inout SettingReader) {
        maximumMessageBytes = reader.read(InputKeys.maximumMessageBytes)
        allowedClockSkew = reader.read(InputKeys.allowedClockSkew)
        validRanges = reader.read(InputKeys.validRanges).compactMapValues { $0 }
        defaultSensor = reader.read(InputKeys.defaultSensor)
        mapping = .init(from: &reader, InputKeys.mapping)
    }
}

extension TocsinConfiguration.Mapping {
    /// - Parameter inherited: stands for the defaults.
    init(from reader: inout SettingReader, _ keys: MappingKeys, at index: Int? = nil, inherited: Self? = nil) {
        sensor = reader.read(keys.sensor, at: index, fallback: inherited?.sensor)
        time = reader.read(keys.time, at: index, fallback: inherited?.time)
        metric = reader.read(keys.metric, at: index, fallback: inherited?.metric)
        value = reader.read(keys.value, at: index, fallback: inherited?.value)
        eventID = reader.read(keys.eventID, at: index, fallback: inherited?.eventID)
        unit = reader.read(keys.unit, at: index, fallback: inherited?.unit)
        ignore = reader.read(keys.ignore, at: index, fallback: inherited?.ignore)
        labelColumn = reader.read(keys.labelColumn, at: index, fallback: inherited?.labelColumn)
        timeFormat = reader.read(keys.timeFormat, at: index, fallback: inherited?.timeFormat)
    }
}

extension TocsinConfiguration {
    static func sources(from reader: inout SettingReader, input: Input) -> [Source] {
        guard let count = reader.count(of: SourceKeys.list, maximum: SourceKeys.maximum) else { return [] }
        var sources: [Source] = []
        var names: Set<String> = []
        for index in 0..<count {
            let source = Source(from: &reader, at: index, input: input)
            source.check(at: index, in: &reader)
            if !names.insert(source.name).inserted {
                reader.note(
                    ConfigurationProblem(
                        "`sources.\(index).name` is \"\(source.name)\", the name of an earlier source",
                        at: reader.origin(of: SourceKeys.name.entry, at: index),
                        remedy: "give each source its own name"))
            }
            sources.append(source)
        }
        let readsInput = sources.indices.filter { sources[$0].kind == .stdin }
        if readsInput.count > 1 {
            reader.note(
                ConfigurationProblem(
                    "more than one source is of kind stdin",
                    at: reader.origin(of: SourceKeys.kind.entry, at: readsInput[1]), remedy: "keep one"))
        }
        return sources
    }
}

extension TocsinConfiguration.Source {
    init(from reader: inout SettingReader, at index: Int, input: TocsinConfiguration.Input) {
        kind = reader.read(SourceKeys.kind, at: index)
        name = reader.read(SourceKeys.name, at: index, fallback: "\(kind.rawValue)-\(index)") ?? ""
        path = reader.read(SourceKeys.path, at: index)
        follow = reader.read(SourceKeys.follow, at: index)
        format = reader.read(SourceKeys.format, at: index)
        defaultSensor = reader.read(SourceKeys.defaultSensor, at: index, fallback: input.defaultSensor)
        mapping = .init(from: &reader, SourceKeys.mapping, at: index, inherited: input.mapping)
        profile = reader.read(SourceKeys.profile, at: index)
        sensors = reader.read(SourceKeys.sensors, at: index)
        rate = reader.read(SourceKeys.rate, at: index)
        speed = reader.read(SourceKeys.speed, at: index)
        seed = reader.read(SourceKeys.seed, at: index)
        anomalyRate = reader.read(SourceKeys.anomalyRate, at: index)
        maxEvents = reader.read(SourceKeys.maxEvents, at: index)
        if name.isEmpty { name = "\(kind.rawValue)-\(index)" }
    }

    /// What must be there for the kind is there, and nothing that has no meaning for it.
    func check(at index: Int, in reader: inout SettingReader) {
        // Without a valid kind nothing can be said of the rest.
        guard reader.isSet(SourceKeys.kind.entry, at: index), !reader.hasProblem(SourceKeys.kind.entry, at: index)
        else { return }
        let needsPath = kind == .file || kind == .folder
        if needsPath, path == nil, !reader.isSet(SourceKeys.path.entry, at: index) {
            reader.note(
                ConfigurationProblem(
                    "`sources.\(index)` is of kind \(kind.rawValue) but has no `path`",
                    at: reader.origin(of: SourceKeys.kind.entry, at: index),
                    remedy: "add `path:` with the \(kind.rawValue)"))
        }
        let foreign: [KeyEntry] =
            switch kind {
            case .file, .folder: SourceKeys.simulatorOnly
            case .stdin: SourceKeys.simulatorOnly + SourceKeys.fileOnly
            case .simulator: SourceKeys.fileOnly + SourceKeys.bytesOnly
            }
        for entry in foreign where reader.isSet(entry, at: index) {
            reader.note(
                ConfigurationProblem(
                    "`\(SettingReader.concrete(entry.name, index))` means nothing for a source of kind \(kind.rawValue)",
                    at: reader.origin(of: entry, at: index), remedy: "remove it, or check `kind`"))
        }
    }
}

extension TocsinConfiguration.Alerts {
    init(from reader: inout SettingReader) {
        consoleEnabled = reader.read(AlertKeys.console)
        file = File(enabled: reader.read(AlertKeys.file), path: reader.read(AlertKeys.filePath))
        webhooks = []
        for index in 0..<(reader.count(of: AlertKeys.webhooks, maximum: AlertKeys.maximumWebhooks) ?? 0) {
            let url = reader.read(AlertKeys.url, at: index)
            let webhook = (
                headers: reader.read(AlertKeys.headers, at: index), secret: reader.read(AlertKeys.secret, at: index),
                timeout: reader.read(AlertKeys.timeout, at: index),
                cooldown: reader.read(AlertKeys.cooldown, at: index),
                retries: reader.read(AlertKeys.retries, at: index)
            )
            // Without an address there is a problem already, and the configuration is refused.
            guard let url else { continue }
            webhooks.append(
                Webhook(
                    url: url, headers: webhook.headers, secret: webhook.secret, timeout: webhook.timeout,
                    cooldown: webhook.cooldown, retries: webhook.retries))
        }
    }
}
