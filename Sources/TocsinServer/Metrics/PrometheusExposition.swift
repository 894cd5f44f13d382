internal import TocsinCore
internal import TocsinEngine
internal import TocsinSpool

/// The state of the process in the Prometheus text format 0.0.4. No label is unbounded: never a sensor's name.
struct PrometheusExposition {
    private(set) var text = ""

    init(engine: Engine, overview: OverviewMonitor, alerts: [AlertCounts]) {
        let metrics = engine.metrics.snapshot
        counters(metrics)
        family(
            "tocsin_readings_spooled", "gauge", "Readings taken in (and spooled) that are not judged and stored yet.")
        sample("tocsin_readings_spooled", Double(metrics.spooled))
        family("tocsin_readings_recovered_total", "counter", "Of the readings received: read back after a restart.")
        sample("tocsin_readings_recovered_total", Double(metrics.recovered))
        family(
            "tocsin_readings_handed_over_total", "counter",
            "Readings that waited for their turn and went to another process with their sensors.")
        sample("tocsin_readings_handed_over_total", Double(metrics.handedOver))
        durability(engine, metrics)
        family("tocsin_sensors", "gauge", "Sensors seen since the start.")
        sample("tocsin_sensors", Double(engine.directory.sensorCount))
        family("tocsin_series", "gauge", "Series (metrics of sensors) seen since the start.")
        sample("tocsin_series", Double(engine.directory.seriesCount))
        family("tocsin_alarms_open", "gauge", "Incidents that are open now.")
        sample("tocsin_alarms_open", Double(engine.directory.openAlarms))
        family("tocsin_inbox_batches", "gauge", "Batches waiting in the engine's inbox.")
        sample("tocsin_inbox_batches", Double(engine.inboxCount))
        family("tocsin_live_subscribers", "gauge", "Open connections of /live.")
        sample("tocsin_live_subscribers", Double(engine.hub.subscriberCount))
        family("tocsin_store_bytes", "gauge", "Size of the store on disk.")
        sample("tocsin_store_bytes", Double(overview.storeBytes))
        if let lake = overview.lake { self.lake(lake) }
        histogram(
            "tocsin_latency_seconds", "From the arrival of a reading to its verdict durable and published.",
            metrics.latency)
        histogram(
            "tocsin_inference_seconds", "Processing of one reading by all detectors and windows.", metrics.inference)
        histogram("tocsin_commit_seconds", "Transactions of the store.", metrics.commits)
        alertCounts(alerts)
        family(
            "tocsin_values_skipped_total", "counter",
            "Values of messages that are no numbers (texts, values without a state) and were left out.")
        for (source, count) in overview.connectors.skippedValues {
            sample("tocsin_values_skipped_total", Double(count), ["source": source])
        }
        connectors(overview.connectors.all)
        process(overview)
    }

    private mutating func durability(_ engine: Engine, _ metrics: EngineMetrics.Snapshot) {
        guard let spool = engine.spool?.figures else { return }
        family("tocsin_spool_bytes", "gauge", "Size of the spool on disk.")
        sample("tocsin_spool_bytes", Double(spool.bytes))
        family("tocsin_spool_segments", "gauge", "Files of the spool.")
        sample("tocsin_spool_segments", Double(spool.segments))
        family("tocsin_spool_waiting_bytes", "gauge", "Bytes that wait for the disk.")
        sample("tocsin_spool_waiting_bytes", Double(spool.pendingBytes))
        family("tocsin_spool_flushes_total", "counter", "Groups of batches that were made durable together.")
        sample("tocsin_spool_flushes_total", Double(spool.flushes))
        family("tocsin_checkpoints_total", "counter", "Checkpoints of the engine's state.")
        sample("tocsin_checkpoints_total", Double(metrics.checkpoints), ["result": "written"])
        sample("tocsin_checkpoints_total", Double(metrics.checkpointErrors), ["result": "failed"])
        family("tocsin_checkpoint_bytes", "gauge", "Size of the last checkpoint.")
        sample("tocsin_checkpoint_bytes", Double(metrics.lastCheckpoint.bytes))
        family("tocsin_checkpoint_seconds", "gauge", "Time the last checkpoint took beside the stream.")
        sample("tocsin_checkpoint_seconds", metrics.lastCheckpoint.seconds)
        family("tocsin_checkpoint_pause_seconds", "gauge", "Longest time that a stage was held up by it.")
        sample("tocsin_checkpoint_pause_seconds", metrics.lastCheckpoint.pause)
    }

    private mutating func lake(_ lake: LakeStatus) {
        family("tocsin_lake_files", "gauge", "Files of the lake by layer.")
        for layer in lake.layers { sample("tocsin_lake_files", Double(layer.files), ["layer": layer.name]) }
        family("tocsin_lake_bytes", "gauge", "Size of the lake by layer.")
        for layer in lake.layers { sample("tocsin_lake_bytes", Double(layer.bytes), ["layer": layer.name]) }
        for (name, help, value) in [
            ("tocsin_lake_events_written_total", "Messages written to bronze since the start.", lake.eventsWritten),
            ("tocsin_lake_files_written_total", "Files of bronze written since the start.", lake.filesWritten),
            ("tocsin_lake_problems_total", "Things that went wrong with the lake since the start.", lake.problems),
        ] {
            family(name, "counter", help)
            sample(name, Double(value))
        }
        family("tocsin_lake_lag_seconds", "gauge", "Age of the oldest message that is not in bronze.")
        sample("tocsin_lake_lag_seconds", lake.lagSeconds)
        family("tocsin_lake_lag_records", "gauge", "Records of the spool that are not in bronze.")
        sample("tocsin_lake_lag_records", Double(lake.lagRecords))
        family("tocsin_lake_waiting_files", "gauge", "Files that wait to be sent to S3.")
        sample("tocsin_lake_waiting_files", Double(lake.waitingFiles))
        family("tocsin_lake_waiting_bytes", "gauge", "Size of the files that wait to be sent to S3.")
        sample("tocsin_lake_waiting_bytes", Double(lake.waitingBytes))
        family("tocsin_lake_up", "gauge", "1 = the lake takes files, 0 = they wait.")
        sample("tocsin_lake_up", lake.condition == .working ? 1 : 0)
        if let etl = lake.lastETL {
            family("tocsin_etl_last_success", "gauge", "1 = the last ETL that ended went well.")
            sample("tocsin_etl_last_success", etl.state == .succeeded || etl.state == .running ? 1 : 0)
            family("tocsin_etl_last_start_seconds", "gauge", "When the last ETL began, seconds since 1970.")
            sample("tocsin_etl_last_start_seconds", Double(etl.started.nanoseconds) / 1e9)
        }
    }

    private mutating func connectors(_ connectors: [ConnectorStatus]) {
        guard !connectors.isEmpty else { return }
        family("tocsin_connector_up", "gauge", "1 = the connector works, 0 = it does not.")
        for connector in connectors {
            sample(
                "tocsin_connector_up", connector.isHealthy ? 1 : 0, ["kind": connector.kind, "name": connector.name])
        }
        // All samples of a metric stand together.
        let metrics = Dictionary(
            grouping: connectors.flatMap { connector in connector.figures.map { (connector.name, $0) } }
        ) { $0.1.metric }
        for (metric, figures) in metrics.sorted(by: { $0.key < $1.key }) {
            guard let known = ConnectorStatus.Figure.metrics[metric] else { continue }
            family(metric, known.type, known.help)
            for (name, figure) in figures {
                let labels = Dictionary(figure.labels + [("connector", name)]) { first, _ in first }
                sample(metric, figure.value, labels)
            }
        }
    }

    private mutating func alertCounts(_ alerts: [AlertCounts]) {
        family("tocsin_alerts_total", "counter", "Alarm changes handed to the alert channels.")
        for counts in alerts {
            for (result, count) in [
                ("delivered", counts.delivered), ("failed", counts.failed), ("suppressed", counts.suppressed),
            ] {
                sample("tocsin_alerts_total", Double(count), ["channel": counts.channel, "result": result])
            }
        }
    }

    private mutating func counters(_ metrics: EngineMetrics.Snapshot) {
        family("tocsin_readings_received_total", "counter", "Readings and undecodable messages handed to the engine.")
        for (source, count) in metrics.receivedBySource.sorted(by: { $0.key < $1.key }) {
            sample("tocsin_readings_received_total", Double(count), ["source": source])
        }
        for (name, help, value) in [
            ("stored", "Readings written to the store.", metrics.stored),
            ("late", "Readings older than the allowed lateness: stored, in no window.", metrics.late),
            ("duplicate", "Readings seen before: not written again.", metrics.duplicate),
        ] {
            family("tocsin_readings_\(name)_total", "counter", help)
            sample("tocsin_readings_\(name)_total", Double(value))
        }
        family("tocsin_readings_dead_lettered_total", "counter", "Readings and messages that were refused.")
        for reason in DeadLetterReason.allCases {
            let count = metrics.deadLettersByReason[reason] ?? 0
            sample("tocsin_readings_dead_lettered_total", Double(count), ["reason": reason.rawValue])
        }
        for (name, help, value) in [
            ("tocsin_events_total", "Events (messages) decoded.", metrics.events),
            ("tocsin_windows_total", "Windows closed.", metrics.windows),
            ("tocsin_alarms_raised_total", "Incidents raised.", metrics.alarmsRaised),
            ("tocsin_alarms_cleared_total", "Incidents cleared.", metrics.alarmsCleared),
            ("tocsin_model_runs_total", "Scores computed by the forests.", metrics.modelRuns),
            ("tocsin_store_errors_total", "Transactions that failed and were tried again.", metrics.storeErrors),
        ] {
            family(name, "counter", help)
            sample(name, Double(value))
        }
        family("tocsin_anomalies_total", "counter", "Anomalies found.")
        for kind in AnomalyKind.allCases {
            sample("tocsin_anomalies_total", Double(metrics.anomaliesByKind[kind] ?? 0), ["kind": kind.name])
        }
    }

    private mutating func process(_ overview: OverviewMonitor) {
        family("tocsin_build_info", "gauge", "Always 1; the version is the label.")
        sample("tocsin_build_info", 1, ["version": tocsinVersion])
        family("tocsin_uptime_seconds", "gauge", "Seconds since the start.")
        sample("tocsin_uptime_seconds", overview.uptime.seconds)
        if let usage = ProcessUsage.current() {
            family("process_resident_memory_bytes", "gauge", "Resident set size.")
            sample("process_resident_memory_bytes", Double(usage.residentBytes))
            family("process_cpu_seconds_total", "counter", "User and system time.")
            sample("process_cpu_seconds_total", usage.cpuSeconds)
        }
    }

    private mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, "histogram", help)
        for bound in [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] {
            sample("\(name)_bucket", Double(histogram.count(atMost: bound)), ["le": Self.number(bound)])
        }
        sample("\(name)_bucket", Double(histogram.count), ["le": "+Inf"])
        sample("\(name)_sum", histogram.sum)
        sample("\(name)_count", Double(histogram.count))
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ value: Double, _ labels: [String: String] = [:]) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
