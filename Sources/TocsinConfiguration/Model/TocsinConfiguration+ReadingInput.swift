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

extension TocsinConfiguration.MessageForms {
    init(from reader: inout SettingReader, _ keys: MessageFormKeys, at index: Int? = nil) {
        csvHeader = reader.read(keys.csvHeader, at: index)
        influxSensorTags = reader.read(keys.influxSensorTags, at: index)
        influxMetricTags = reader.read(keys.influxMetricTags, at: index)
        sensorAttributes = reader.read(keys.sensorAttributes, at: index)
    }
}

extension TocsinConfiguration.Source {
    fileprivate func sharesTopic(with other: Self) -> Bool {
        kind == .kafka && other.kind == .kafka && kafka.group == other.kafka.group
            && !Set(topics).isDisjoint(with: other.topics)
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
            if source.kind == .kafka, let other = sources.first(where: { $0.sharesTopic(with: source) }) {
                reader.note(
                    ConfigurationProblem(
                        "`sources.\(index)` reads a topic of the source \"\(other.name)\" in the same group "
                            + "\"\(source.kafka.group)\": each message would go to one of the two only",
                        at: reader.origin(of: BrokerSourceKeys.topics.entry, at: index),
                        remedy: "give each source a `group` of its own"))
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
        topics = reader.read(
            BrokerSourceKeys.topics, at: index, fallback: kind == .kafka ? ["sensor-events"] : [])
        forms = .init(from: &reader, BrokerSourceKeys.forms, at: index)
        kafka = Kafka(from: &reader, at: index)
        mqtt = MQTT(from: &reader, at: index)
        if name.isEmpty { name = "\(kind.rawValue)-\(index)" }
    }

    private func note(missing: String, remedy: String, at index: Int, in reader: inout SettingReader) {
        reader.note(
            ConfigurationProblem(
                "`sources.\(index)` is of kind \(kind.rawValue) but has no `\(missing)`",
                at: reader.origin(of: SourceKeys.kind.entry, at: index), remedy: remedy))
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
        if kind == .mqtt, mqtt.url == nil {
            note(missing: "url", remedy: "add `url: mqtt://host:1883`", at: index, in: &reader)
        }
        if kind == .mqtt, topics.isEmpty {
            note(missing: "topics", remedy: "add `topics:` with at least one filter", at: index, in: &reader)
        }
        if [.file, .folder, .stdin].contains(kind), ![.auto, .json, .csv].contains(format) {
            reader.note(
                ConfigurationProblem(
                    "`sources.\(index).format` is \(format.rawValue), a form of messages; this source reads text",
                    at: reader.origin(of: SourceKeys.format.entry, at: index), remedy: "use auto, json or csv"))
        }
        let kafkaOnly = BrokerSourceKeys.kafkaOnly
        let mqttOnly = BrokerSourceKeys.mqttOnly
        let brokerOnly = [BrokerSourceKeys.topics.entry] + BrokerSourceKeys.forms.all + kafkaOnly + mqttOnly
        let foreign: [KeyEntry] =
            switch kind {
            case .file, .folder: SourceKeys.simulatorOnly + brokerOnly
            case .stdin: SourceKeys.simulatorOnly + SourceKeys.fileOnly + brokerOnly
            case .simulator: SourceKeys.fileOnly + SourceKeys.bytesOnly + brokerOnly
            case .kafka: SourceKeys.simulatorOnly + SourceKeys.fileOnly + mqttOnly
            case .mqtt: SourceKeys.simulatorOnly + SourceKeys.fileOnly + kafkaOnly
            }
        for entry in foreign where reader.isSet(entry, at: index) {
            reader.note(
                ConfigurationProblem(
                    "`\(SettingReader.concrete(entry.name, index))` means nothing for a source of kind \(kind.rawValue)",
                    at: reader.origin(of: entry, at: index), remedy: "remove it, or check `kind`"))
        }
        reader.leaveOut(foreign, at: index)
    }
}

extension TocsinConfiguration.Source.Kafka {
    init(from reader: inout SettingReader, at index: Int) {
        typealias Keys = BrokerSourceKeys
        group = reader.read(Keys.group, at: index)
        instanceID = reader.read(Keys.instanceID, at: index)
        startFrom = reader.read(Keys.startFrom, at: index)
        messageKey = reader.read(Keys.messageKey, at: index)
        checkpointInterval = reader.read(Keys.checkpointInterval, at: index)
    }
}

extension TocsinConfiguration.Source.MQTT {
    init(from reader: inout SettingReader, at index: Int) {
        typealias Keys = BrokerSourceKeys
        url = reader.read(Keys.url, at: index)
        version = reader.read(Keys.version, at: index)
        qos = reader.read(Keys.qos, at: index)
        clientID = reader.read(Keys.clientID, at: index)
        user = reader.read(Keys.user, at: index)
        password = reader.read(Keys.password, at: index)
        session = reader.read(Keys.session, at: index)
        sessionExpiry = reader.read(Keys.sessionExpiry, at: index)
        retained = reader.read(Keys.retained, at: index)
        window = reader.read(Keys.window, at: index)
        keepAlive = reader.read(Keys.keepAlive, at: index)
        quietAfter = reader.read(Keys.quietAfter, at: index)
        watchdog = .init(
            enabled: reader.read(Keys.watchdog, at: index), topic: reader.read(Keys.watchdogTopic, at: index),
            interval: reader.read(Keys.watchdogInterval, at: index),
            timeout: reader.read(Keys.watchdogTimeout, at: index))
        presenceTopic = reader.read(Keys.presenceTopic, at: index)
        sparkplugHostID = reader.read(Keys.sparkplugHostID, at: index)
        tls = .init(
            authorities: reader.read(Keys.authorities, at: index),
            certificate: reader.read(Keys.certificate, at: index),
            privateKey: reader.read(Keys.privateKey, at: index),
            serverName: reader.read(Keys.serverName, at: index),
            allowsAnyCertificate: reader.read(Keys.anyCertificate, at: index))
    }
}

extension TocsinConfiguration.Kafka {
    init(from reader: inout SettingReader, sources: [TocsinConfiguration.Source]) {
        bootstrapServers = reader.read(KafkaKeys.bootstrapServers)
        clientID = reader.read(KafkaKeys.clientID)
        library = reader.read(KafkaKeys.library)
        properties = reader.read(KafkaKeys.properties)
        schemaRegistry = SchemaRegistry(
            url: reader.read(KafkaKeys.registryURL), user: reader.read(KafkaKeys.registryUser),
            password: reader.read(KafkaKeys.registryPassword))
        checkpoints = reader.read(KafkaKeys.checkpoints)
        output = Output(
            enabled: reader.read(KafkaKeys.output), processed: reader.read(KafkaKeys.processed),
            anomalies: reader.read(KafkaKeys.anomalies), alerts: reader.read(KafkaKeys.alerts),
            deadLetters: reader.read(KafkaKeys.deadLetters), waitingBytes: reader.read(KafkaKeys.waitingBytes))
        if let checkpoints { Self.check(checkpoints, &reader) }
        guard bootstrapServers.isEmpty else { return }
        let user = sources.firstIndex { $0.kind == .kafka }.map { "`sources.\($0)` is of kind kafka" }
        guard let reason = user ?? (output.enabled ? "`kafka.output.enabled` is true" : nil) else { return }
        reader.note(
            ConfigurationProblem(
                "\(reason), but `kafka.bootstrapServers` names no broker",
                remedy: "set kafka.bootstrapServers (KAFKA_BOOTSTRAP_SERVERS) to host:port"))
    }

    private static func check(_ place: String, _ reader: inout SettingReader) {
        let problem: String? =
            if place.hasPrefix("s3://") {
                place.dropFirst(5).split(separator: "/").isEmpty ? "names no bucket" : nil
            } else if place.contains("://") {
                "is neither a folder nor s3://"
            } else {
                place.hasPrefix("/") ? nil : "is no absolute path"
            }
        guard let problem else { return }
        reader.note(
            ConfigurationProblem(
                "`kafka.checkpoints` is \(place), which \(problem)", at: reader.origin(of: KafkaKeys.checkpoints.entry),
                remedy: "name a folder that all processes of the group reach (/mnt/shared/tocsin) or s3://bucket/prefix"
            ))
    }
}
