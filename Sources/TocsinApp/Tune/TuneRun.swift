public import Logging
internal import Synchronization
public import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
public import TocsinEngine

/// `tocsin tune`: replays a recording and finds the score from which on an asset raises at most so many alarms a day.
public struct TuneRun: Sendable {
    public struct Result: Sendable {
        /// By sensor class; "" are the sensors of no class.
        public var classes: [AlarmBudget.ClassReport]
        /// From the first to the last event.
        public var days: Double
        public var findings: Int
        public var readings: UInt64
    }

    private final class Collected: Sendable {
        let state = Mutex<(verdicts: [AlarmBudget.ScoredVerdict], first: Timestamp?, last: Timestamp?)>(([], nil, nil))
    }

    private let replay: ReplayRun
    private let collected = Collected()
    private let perDay: Double
    private let gap: Span64

    /// - Parameter perDay: warnings a day and asset at most.
    /// - Throws: `TocsinError` for a configuration that cannot be used.
    public init(
        configuration: TocsinConfiguration, paths: [String], perDay: Double, usesSavedModels: Bool, logger: Logger,
        progress: (@Sendable (ReplayProgress) -> Void)?
    ) async throws {
        self.perDay = perDay
        gap = Span64(
            nanoseconds: configuration.alarms.clearAfter.nanoseconds + configuration.alarms.cooldown.nanoseconds)
        // Rules stand: what they rule out is no finding. A budget and thresholds found before do not.
        var configuration = configuration
        configuration.alarms.perDay = nil
        for index in configuration.rules.indices { configuration.rules[index].minimumScore = nil }
        let settings = try EngineSettings(configuration, isLive: false)
        let (rules, assets, collected) = (settings.rules, settings.assets, self.collected)
        replay = try await ReplayRun(
            configuration: configuration, paths: paths, evaluatesLabels: false, usesSavedModels: usesSavedModels,
            logger: logger, progress: progress
        ) { outcome in
            let verdicts = outcome.anomalies.filter { $0.note == nil }.map { anomaly in
                AlarmBudget.ScoredVerdict(
                    sensor: anomaly.sensor, asset: assets.asset(of: anomaly.sensor),
                    sensorClass: rules.classes(of: anomaly.sensor).min() ?? "", kind: anomaly.kind, time: anomaly.time,
                    score: anomaly.score)
            }
            let times = outcome.batch.times
            collected.state.withLock { state in
                state.verdicts += verdicts
                if let first = times.min() { state.first = min(state.first ?? first, first) }
                if let last = times.max() { state.last = max(state.last ?? last, last) }
            }
        }
    }

    public func run() async throws -> Result {
        let report = try await replay.run()
        let (verdicts, first, last) = collected.state.withLock { ($0.verdicts, $0.first, $0.last) }
        guard let first, let last, last > first else {
            throw TocsinError(
                .format, "the recording holds no span of time", remedy: "give a recording of several days if you can")
        }
        let days = last.since(first).seconds / 86_400
        return Result(
            classes: AlarmBudget.tune(verdicts, perDay: perDay, days: days, gap: gap), days: days,
            findings: verdicts.count, readings: report.metrics.received)
    }
}
