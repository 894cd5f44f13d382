internal import TocsinCore

extension TocsinConfiguration {
    /// Reads every key, in the order of the listing; what is wrong is noted in the reader.
    init(from reader: inout SettingReader) {
        data = Data(directory: reader.read(DataKeys.directory))
        server = Server(from: &reader)
        engine = Engine(
            shards: reader.read(EngineKeys.shards), inboxBatches: reader.read(EngineKeys.inboxBatches),
            allowedLateness: reader.read(EngineKeys.allowedLateness), order: reader.read(EngineKeys.order),
            idleTimeout: reader.read(EngineKeys.idleTimeout), maxSeries: reader.read(EngineKeys.maxSeries))
        input = Input(from: &reader)
        windows = Self.windows(from: &reader)
        detection = Detection(from: &reader)
        alarms = Alarms(from: &reader, windows: windows)
        rules = Self.rules(from: &reader)
        classes = Self.classes(from: &reader)
        maintenance = Self.maintenance(from: &reader)
        assets = Self.assets(from: &reader)
        store = Store(from: &reader)
        spool = Spool(
            enabled: reader.read(SpoolKeys.enabled), flushInterval: reader.read(SpoolKeys.flushInterval),
            flushBytes: reader.read(SpoolKeys.flushBytes), segmentBytes: reader.read(SpoolKeys.segmentBytes),
            maxBytes: reader.read(SpoolKeys.maxBytes),
            checkpointInterval: reader.read(SpoolKeys.checkpointInterval),
            checkpointKept: reader.read(SpoolKeys.checkpointKept))
        if engine.order == .event, !spool.enabled {
            reader.note(
                ConfigurationProblem(
                    "`engine.order` is event, but `spool.enabled` is false: readings that wait for their turn would be lost "
                        + "with the process", at: reader.origin(of: EngineKeys.order.entry),
                    remedy: "set spool.enabled to true, or engine.order to arrival"))
        }
        lake = Lake(from: &reader)
        if lake.enabled, !spool.enabled {
            reader.note(
                ConfigurationProblem(
                    "`lake.enabled` is true, but `spool.enabled` is false: the lake is written from the spool",
                    at: reader.origin(of: LakeKeys.enabled.entry), remedy: "set spool.enabled to true"))
        }
        sources = Self.sources(from: &reader, input: input)
        kafka = Kafka(from: &reader, sources: sources)
        if kafka.output.enabled, !spool.enabled {
            reader.note(
                ConfigurationProblem(
                    "`kafka.output.enabled` is true, but `spool.enabled` is false: results that are not on disk yet would be "
                        + "lost with the process", at: reader.origin(of: KafkaKeys.output.entry),
                    remedy: "set spool.enabled to true"))
        }
        alerts = Alerts(from: &reader)
        // The usual pipelines' words for an upper limit.
        for (metric, threshold) in [
            ("temperature", alerts.temperatureThreshold), ("humidity", alerts.humidityThreshold),
        ] {
            guard let threshold else { continue }
            let low = min(detection.limits[metric]?.lowerBound ?? -.infinity, threshold)
            detection.limits[metric] = low...threshold
        }
        log = Log(level: reader.read(LogKeys.level), format: reader.read(LogKeys.format))
    }

    private static func windows(from reader: inout SettingReader) -> [WindowDefinition] {
        let standard = [WindowDefinition.oneMinute, .fiveMinutes]
        let given = reader.count(of: WindowKeys.list, maximum: WindowKeys.maximum, isEmptyByDefault: false)
        if given == 0 {
            reader.note(
                ConfigurationProblem(
                    "`windows` is an empty list", remedy: "name at least one window, or leave the key out"))
        }
        var windows: [WindowDefinition] = []
        for index in 0..<(given ?? standard.count) {
            let fallback = given == nil ? standard[index] : nil
            let window = WindowDefinition(
                size: reader.read(WindowKeys.size, at: index, fallback: fallback?.size),
                slide: reader.read(WindowKeys.slide, at: index, fallback: fallback?.slide))
            if window.size.nanoseconds % window.slide.nanoseconds != 0 {
                reader.note(
                    ConfigurationProblem(
                        "`windows.\(index).size` is \(Quantity.text(window.size)), which is no multiple of its slide, "
                            + "\(Quantity.text(window.slide))",
                        at: reader.origin(of: WindowKeys.size.entry, at: index),
                        remedy: "choose a slide that divides the size"))
            } else if windows.contains(window) {
                reader.note(
                    ConfigurationProblem(
                        "`windows.\(index)` is the same as an earlier one",
                        at: reader.origin(of: WindowKeys.size.entry, at: index), remedy: "remove one"))
            }
            windows.append(window)
        }
        return windows
    }
}

extension TocsinConfiguration.Server {
    init(from reader: inout SettingReader) {
        host = reader.read(ServerKeys.host)
        port = reader.read(ServerKeys.port)
        maxBodyBytes = reader.read(ServerKeys.maxBodyBytes)
        ingestEnabled = reader.read(ServerKeys.ingest)
        ingestKeys = []
        for index in 0..<(reader.count(of: ServerKeys.ingestKeys, maximum: ServerKeys.maximumKeys) ?? 0) {
            let (name, key, rate) = (
                reader.read(ServerKeys.keyName, at: index), reader.read(ServerKeys.key, at: index),
                reader.read(ServerKeys.keyRate, at: index)
            )
            // Without a key there is a problem already, and the configuration is refused.
            guard let key else { continue }
            ingestKeys.append(IngestKey(name: name, key: key, readingsPerSecond: rate))
        }
        ingestForms = .init(from: &reader, ServerKeys.forms)
        live = Live(
            interval: reader.read(ServerKeys.liveInterval), heartbeat: reader.read(ServerKeys.liveHeartbeat),
            history: reader.read(ServerKeys.liveHistory))
    }
}

extension TocsinConfiguration.Detection {
    init(from reader: inout SettingReader) {
        enabled = reader.read(DetectionKeys.enabled)
        learningReadings = reader.read(DetectionKeys.learningReadings)
        falseAlarmRate = reader.read(DetectionKeys.falseAlarmRate)
        minimumDeviation = MinimumDeviation(
            absolute: reader.read(DetectionKeys.minimumDeviationAbsolute),
            relative: reader.read(DetectionKeys.minimumDeviationRelative))
        direction = reader.read(DetectionKeys.direction)
        limits = reader.read(DetectionKeys.limits).compactMapValues { $0 }
        kinds = reader.read(DetectionKeys.kinds)
        forest = Forest(
            enabled: reader.read(DetectionKeys.forestEnabled), trees: reader.read(DetectionKeys.forestTrees),
            samples: reader.read(DetectionKeys.forestSamples),
            learningEvents: reader.read(DetectionKeys.forestLearningEvents), seed: reader.read(DetectionKeys.forestSeed)
        )
        ensemble = Ensemble(
            enabled: reader.read(DetectionKeys.ensembleEnabled), maxSensors: reader.read(DetectionKeys.ensembleSensors),
            maxFastSensors: reader.read(DetectionKeys.ensembleFastSensors))
        fireEnabled = reader.read(DetectionKeys.fireEnabled)
        lstm = LSTM(
            gated: reader.read(DetectionKeys.lstmGated), units: reader.read(DetectionKeys.lstmUnits),
            sequenceLength: reader.read(DetectionKeys.lstmSteps), epochs: reader.read(DetectionKeys.lstmEpochs),
            batchSize: reader.read(DetectionKeys.lstmBatchSize), threshold: reader.read(DetectionKeys.lstmThreshold))
    }
}
