internal import Logging
internal import ServiceLifecycle
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
internal import TocsinKafka
internal import TocsinServer

extension KafkaOutput {
    /// Opens what the configuration asks for; nil = no results are sent.
    static func open(
        _ configuration: TocsinConfiguration, table: SeriesTable, clock: any WallClock, logger: Logger
    ) throws -> KafkaOutput? {
        let wanted = configuration.kafka.output
        guard wanted.enabled else { return nil }
        try DataFolder.create(at: configuration.outputPath)
        var settings = KafkaOutputSettings(
            KafkaSettings(configuration.kafka),
            topics: KafkaTopics(
                processed: wanted.processed, anomalies: wanted.anomalies, alerts: wanted.alerts,
                deadLetters: wanted.deadLetters))
        settings.waitingBytes = Int64(wanted.waitingBytes)
        return try open(
            folder: configuration.outputPath, settings, table: table, clock: clock,
            observer: KafkaObserver(
                problem: { logger.error("\($0)") }, note: { logger.notice("\($0)") },
                log: { level, text in logger.log(level: level <= 4 ? .warning : .debug, "librdkafka: \(text)") }))
    }

    /// - Parameter isLive: false for dead letters that are sent again: those that are refused once more are known.
    func outlet(isLive: Bool) -> OutcomeOutlet {
        OutcomeOutlet(
            spool: spool,
            observe: { outcome in
                var outcome = outcome
                if !isLive { outcome.deadLetters = [] }
                self.observe(outcome)
            }, obstacle: { self.obstacle })
    }

    /// For `/health`, `/metrics` and the dashboard.
    var connector: ConnectorStatus {
        let status = status
        return ConnectorStatus(
            name: "kafka output", kind: "kafka", isHealthy: status.isHealthy, text: status.sentence,
            figures: [
                .init("tocsin_kafka_output_waiting", Double(status.waiting)),
                .init("tocsin_kafka_output_waiting_bytes", Double(status.waitingBytes)),
                .init("tocsin_kafka_output_sent_total", Double(status.sent)),
                .init("tocsin_kafka_output_refused_total", Double(status.refused)),
            ])
    }
}

/// Results on their way to Kafka: ends after the engine, so that what its drain brings forth is still sent.
struct KafkaOutputService: Service, CustomStringConvertible {
    var description: String { "kafka output" }
    let output: KafkaOutput

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await output.run()
        } onCancelOrGracefulShutdown: {
            output.finish()
        }
    }
}
