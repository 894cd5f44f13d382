internal import ServiceLifecycle
internal import Synchronization
internal import TocsinAlerts
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
internal import TocsinServer

/// Looks every ten seconds at how the program itself is doing: its troubles are alarms like any other.
struct SystemWatch: Service, CustomStringConvertible {
    var description: String { "system alerts" }
    let desk: SystemDesk
    private let gauge: SystemGauge

    private static let interval = Duration.seconds(10)

    init(pipeline: Pipeline, board: ConnectorBoard) {
        let isOn = pipeline.configuration.alerts.system.enabled
        let gauge = SystemGauge(pipeline: pipeline, board: board)
        self.gauge = gauge
        desk = SystemDesk(pipeline: pipeline) { isOn ? gauge.figures() : nil }
    }

    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    try? await cancelWhenGracefulShutdown {
                        while !Task.isCancelled {
                            desk.look()
                            try await Task.sleep(for: Self.interval)
                        }
                    }
                }
                group.addTask {
                    // By itself: a store that does not answer must not keep anybody from saying so.
                    try? await cancelWhenGracefulShutdown {
                        while !Task.isCancelled {
                            await gauge.readAnswers()
                            try await Task.sleep(for: Self.interval)
                        }
                    }
                }
                await desk.run()
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            desk.finish()
        }
    }
}

/// The figures by which the program judges itself; asked in the rhythm of `SystemWatch`.
final class SystemGauge: Sendable {
    private let pipeline: Pipeline
    private let board: ConnectorBoard
    private let samples = Mutex<[EngineMetrics.Snapshot]>([])
    private let accuracy = Mutex<Double?>(nil)

    /// Samples of ten seconds: five minutes for shares, one for the response.
    private static let shareSamples = 30
    private static let responseSamples = 6
    /// Fewer readings say nothing of quality.
    private static let fewestReadings = 100.0
    /// Fewer answers say nothing of the detectors, older ones nothing of how they are now.
    private static let fewestAnswers = 20
    private static let answers = 50
    /// Of fewer sensors some always drift.
    private static let fewestSensors = 10

    init(pipeline: Pipeline, board: ConnectorBoard) {
        self.pipeline = pipeline
        self.board = board
    }

    /// Asks the store what people have said of alarms; where it does not answer, what it said before holds.
    func readAnswers() async {
        let since = pipeline.clock.now().advanced(
            by: Span64(nanoseconds: -pipeline.configuration.alarms.feedbackMemory.nanoseconds))
        guard let recent = try? await pipeline.store.feedback(since: since).suffix(Self.answers) else { return }
        let wrong = recent.count { $0.word == .falseAlarm }
        // Too few complain of nothing: an alarm that stands for earlier ones ends.
        let share = recent.count < Self.fewestAnswers ? 1 : 1 - Double(wrong) / Double(recent.count)
        accuracy.withLock { $0 = share }
    }

    func figures() -> SystemAlerts.Figures {
        let now = pipeline.engine.metrics.snapshot
        return figures(
            samples.withLock { samples in
                samples.append(now)
                if samples.count > Self.shareSamples + 1 { samples.removeFirst() }
                return samples
            })
    }

    private static func judged(_ snapshot: EngineMetrics.Snapshot) -> Double {
        Double(snapshot.stored) + Double(snapshot.late) + Double(snapshot.duplicate) + Double(snapshot.deadLettered)
    }

    private func figures(_ samples: [EngineMetrics.Snapshot]) -> SystemAlerts.Figures {
        var figures = SystemAlerts.Figures()
        guard let now = samples.last, let first = samples.first else { return figures }
        // Not what was received: what is said of it may come later, after a backlog much later.
        let judged = Self.judged(now) - Self.judged(first)
        if judged >= Self.fewestReadings {
            figures.dataQuality = 1 - (Double(now.deadLettered) - Double(first.deadLettered)) / judged
            figures.anomalyRate = min(1, (Double(now.anomalies) - Double(first.anomalies)) / judged)
        }
        let minute = samples[max(0, samples.count - 1 - Self.responseSamples)]
        let response = now.latency.since(minute.latency)
        if response.count > 0 { figures.responseSeconds = response.quantile(0.95) }
        let directory = pipeline.engine.directory
        if directory.sensorCount > 0 {
            // Sensors whose silence has been noticed are those that were expected to speak.
            figures.completeness = 1 - Double(directory.silentSensors) / Double(directory.sensorCount)
            figures.drift =
                directory.sensorCount < Self.fewestSensors
                ? 0 : Double(directory.driftingSensors) / Double(directory.sensorCount)
        }
        figures.modelAccuracy = accuracy.withLock { $0 }
        switch pipeline.engine.condition {
        case .spooling, .stalled: figures.components["store"] = false
        case .running, .draining: figures.components["store"] = true
        }
        for connector in board.all {
            figures.components["\(connector.kind) \(connector.name)"] = connector.isHealthy
        }
        return figures
    }
}

extension SystemAlerts.Limits {
    init(_ system: TocsinConfiguration.Alerts.System) {
        self.init()
        dataQuality = system.dataQuality
        anomalyRate = system.anomalyRate
        completeness = system.completeness
        modelAccuracy = system.modelAccuracy
        responseSeconds = system.response.seconds
    }
}
