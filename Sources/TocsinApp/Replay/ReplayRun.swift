public import Logging
internal import Synchronization
public import TocsinConfiguration
internal import TocsinConnectors
public import TocsinCore
internal import TocsinEngine
internal import TocsinJobs
internal import TocsinServer
internal import TocsinStore

/// How far a replay is.
public struct ReplayProgress: Sendable {
    public var bytesRead: Int64
    /// Unpacked size where it is known; 0 for standard input and gzip.
    public var bytesTotal: Int64
    public var readings: UInt64
    public var readingsPerSecond: Double
}

/// `tocsin replay`: recordings through the same engine as live data, as fast as it goes.
public struct ReplayRun: Sendable {
    private let pipeline: ReplayPipeline
    private let paths: [String]
    private let options: ReplayOptions
    private let evaluation: EvaluationCell?
    /// For a detector that wants the whole recording.
    private let rows: RecordedRows?
    private let pictures: ReplayPictures?
    private let observe: @Sendable (BatchOutcome) -> Void
    private let spoolFolder: String?
    private let progress: (@Sendable (ReplayProgress) -> Void)?

    /// - Parameter usesSavedModels: false lets the forests learn from this recording alone: running it again finds the
    ///   same.
    ///   - options: by which detector, and what else is asked.
    ///   - usesSpool: writes the raw input to a spool on the way, as live input is: shows what that costs. The spool is
    ///   deleted at the end.
    /// - Throws: `TocsinError` when the data folder or a model cannot be used.
    public init(
        configuration: TocsinConfiguration, paths: [String], options: ReplayOptions = ReplayOptions(),
        evaluatesLabels: Bool, usesSavedModels: Bool, usesSpool: Bool = false, logger: Logger,
        progress: (@Sendable (ReplayProgress) -> Void)?, observer watching: (@Sendable (BatchOutcome) -> Void)? = nil
    ) async throws {
        try Self.check(options)
        var configuration = configuration
        if usesSpool {
            // Of its own: a recording must not mix with what a live run has left.
            try DataFolder.create(at: configuration.data.directory)
            spoolFolder = try DataFolder.temporary(in: configuration.data.directory)
            configuration.spool.folder = spoolFolder
        } else {
            spoolFolder = nil
        }
        let evaluation = evaluatesLabels ? EvaluationCell() : nil
        let opened = OpenedObservers()
        pipeline = try await ReplayPipeline(
            configuration: configuration, options: options, usesSavedModels: usesSavedModels, usesSpool: usesSpool,
            logger: logger, observer: { opened.tell($0) })
        do {
            if options.detector == .engine(.randomForest), pipeline.settings.fire.model == nil {
                throw TocsinError(
                    .usage, "random-forest needs a trained model",
                    remedy:
                        "tocsin train --model random-forest makes one; give its file with --model, or its --data-dir")
            }
            let isConfigured = options.detector == .engine(.configured)
            let (settings, table) = (pipeline.settings, pipeline.table)
            pictures = try options.plots.map {
                try ReplayPictures(
                    folder: $0, settings: settings, table: table, detector: options.detector.name,
                    hasBand: isConfigured || options.detector == .engine(.bank))
            }
        } catch {
            try? await pipeline.close()
            throw error
        }
        let rows = options.detector.judge(pipeline.settings) == nil ? nil : RecordedRows()
        let drawn = pictures
        let tell: @Sendable (BatchOutcome) -> Void = { outcome in
            evaluation?.add(outcome)
            drawn?.add(outcome)
            watching?(outcome)
        }
        opened.set { outcome in
            rows?.add(outcome)
            tell(outcome)
        }
        observe = tell
        self.rows = rows
        self.evaluation = evaluation
        self.options = options
        self.paths = paths
        self.progress = progress
    }

    private static func check(_ options: ReplayOptions) throws {
        guard case .judge(let name) = options.detector, !options.models.isEmpty else { return }
        throw TocsinError(
            .usage, "\(name) takes no --model",
            remedy: "leave it out: the first --train-rows rows of each sensor are learnt from")
    }

    /// Reads everything, waits until it is durable, and sums up.
    /// - Throws: when a file cannot be read (what came before it is stored), or the store fails.
    public func run() async throws -> ReplayReport {
        defer { if let spoolFolder { DataFolder.removeTemporary(spoolFolder) } }
        do {
            let report = try await replay()
            try await pipeline.close()
            return report
        } catch {
            try? await pipeline.close()
            throw error
        }
    }

    private func replay() async throws -> ReplayReport {
        let started = ContinuousClock.now
        var files: [String] = []
        for path in paths { files += try FolderListing.files(at: path) }
        let total =
            files.allSatisfy { $0 != "-" && !$0.hasSuffix(".gz") }
            ? files.reduce(0) { $0 + FolderListing.size(of: $1) } : 0
        let read = ByteCount()
        let source = try FileSource(
            name: "replay", paths: files, follows: false,
            decoding: DecoderFactory(configuration: pipeline.configuration).settings(), table: pipeline.table,
            identity: SourceID(1), clock: pipeline.clock, namesOriginByPath: true, progress: { read.add($0) })
        let engine = pipeline.engine
        try await engine.prepare()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            let reporter = progress.map { tell in
                Task { await report(read, total: total, since: started, to: tell) }
            }
            defer { reporter?.cancel() }
            group.addTask {
                // Whatever happens to the source, the engine must come to its end.
                defer { engine.finish() }
                try await source.run(delivery: engine)
                _ = try await engine.endOfInput().wait()
            }
            try await group.waitForAll()
        }
        let judged = try await judge()
        return try await summary(files: files.count, bytes: read.value, started: started, judged)
    }

    /// What a detector that wants the whole recording says of it, stored as the engine's findings are.
    private func judge() async throws -> RecordingJudge.Result? {
        guard let rows, let name = options.detector.judge(pipeline.settings) else { return nil }
        var judge = try RecordingJudge(
            name: name, trainRows: options.trainRows, settings: pipeline.settings, table: pipeline.table)
        let result = try judge.judge(rows.take())
        try await pipeline.store.write([result.outcome])
        observe(result.outcome)
        return result
    }

    private func summary(
        files: Int, bytes: Int64, started: ContinuousClock.Instant, _ judged: RecordingJudge.Result?
    ) async throws -> ReplayReport {
        let elapsed = ContinuousClock.now - started
        let engine = pipeline.engine
        var metrics = engine.metrics.snapshot
        if let outcome = judged?.outcome { metrics.add(outcome) }
        let usage = ProcessUsage.current()
        let total = Int(metrics.alarmsRaised)
        let listed = try await pipeline.store.alarms(
            RecordQuery(limit: ReplayReport.alarmLimit, offset: max(0, total - ReplayReport.alarmLimit)), state: nil)
        let drawn = try pictures?.write()
        return ReplayReport(
            detector: options.detector.name, notes: judged?.notes ?? [], pictures: drawn, files: files, bytes: bytes,
            seconds: elapsed.inSeconds, metrics: metrics,
            sensors: engine.directory.sensorCount, series: engine.directory.seriesCount, alarms: listed.reversed(),
            alarmsTotal: total, labels: evaluation?.report(table: pipeline.table), cpuSeconds: usage?.cpuSeconds ?? 0,
            peakResidentBytes: usage?.peakResidentBytes ?? 0)
    }

    private func report(
        _ read: ByteCount, total: Int64, since started: ContinuousClock.Instant,
        to tell: @Sendable (ReplayProgress) -> Void
    ) async {
        while !Task.isCancelled {
            let seconds = (ContinuousClock.now - started).inSeconds
            let readings = pipeline.engine.metrics.snapshot.received
            tell(
                ReplayProgress(
                    bytesRead: read.value, bytesTotal: total, readings: readings,
                    readingsPerSecond: seconds > 0 ? Double(readings) / seconds : 0))
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}

/// Bytes read so far.
final class ByteCount: Sendable {
    private let count = Atomic<Int64>(0)
    var value: Int64 { count.load(ordering: .relaxed) }
    func add(_ bytes: Int) { count.add(Int64(bytes), ordering: .relaxed) }
}

/// Those who watch the outcomes are made with what the pipeline has opened, which wants to know them first.
private final class OpenedObservers: Sendable {
    private let observer = Mutex<(@Sendable (BatchOutcome) -> Void)?>(nil)
    func set(_ observer: @escaping @Sendable (BatchOutcome) -> Void) { self.observer.withLock { $0 = observer } }
    func tell(_ outcome: BatchOutcome) { observer.withLock { $0 }?(outcome) }
}

extension EngineMetrics.Snapshot {
    /// Findings that did not come through the engine.
    fileprivate mutating func add(_ outcome: BatchOutcome) {
        for anomaly in outcome.anomalies { anomaliesByKind[anomaly.kind, default: 0] += 1 }
        alarmsRaised += UInt64(outcome.alarmChanges.count { $0.step == .raised })
        alarmsCleared += UInt64(outcome.alarmChanges.count { $0.step == .cleared })
    }
}

/// The evaluation, shared between the writer and the summary.
final class EvaluationCell: Sendable {
    private let evaluation = Mutex(LabelEvaluation())
    func add(_ outcome: BatchOutcome) { evaluation.withLock { $0.add(outcome) } }
    func report(table: SeriesTable) -> LabelEvaluation.Report { evaluation.withLock { $0.report(table: table) } }
}
