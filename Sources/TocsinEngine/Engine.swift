internal import Synchronization
public import TocsinCore
internal import TocsinDetect

/// The streaming core: batches in, durable outcomes out. Route, shards, join, write: one task each, bounded inboxes
/// between them, the acknowledgement travelling with the batch.
///
/// ```swift
/// async let work: Void = engine.run()
/// let receipt = try await engine.enqueue(batch)
/// let summary = try await receipt.wait()      // durable now
/// engine.finish()
/// try await work
/// ```
public final class Engine: BatchDelivery {
    public let metrics = EngineMetrics()
    public let hub: LiveHub
    public let directory: SensorDirectory

    private let settings: EngineSettings
    private let table: SeriesTable
    private let store: any Store
    private let clock: any WallClock
    private let listeners: [any AlarmListener]
    private let observer: (@Sendable (BatchOutcome) -> Void)?
    private let saved: [String: SavedForest]
    private let inbox: Inbox<Admission>
    private let conditionCell: ConditionCell
    private let boards: [ShardBoard]
    private let localSeries: [LocalSeries]
    private let learningCell = Mutex<(events: [LearningProgress], windows: [LearningProgress])>(([], []))

    /// - Parameters:
    ///   - forests: saved models by name, newest of each.
    ///   - observer: shown every outcome after it is durable, in stream order; it holds up the writer.
    ///   - onConditionChange: told when the store stops taking work and when it takes it again, once each.
    ///   - liveHistory: live events kept for browsers that reconnect.
    ///   - generation: distinguishes this process's live event ids from an earlier one's.
    public init(
        settings: EngineSettings, table: SeriesTable, store: any Store, clock: any WallClock,
        forests: [String: SavedForest] = [:], listeners: [any AlarmListener] = [],
        observer: (@Sendable (BatchOutcome) -> Void)? = nil,
        onConditionChange: @escaping @Sendable (EngineCondition) -> Void = { _ in }, liveHistory: Int = 2000,
        generation: UInt64 = 1
    ) {
        precondition(settings.shards > 0, "the number of shards is decided by the caller")
        self.settings = settings
        self.table = table
        self.store = store
        self.clock = clock
        self.listeners = listeners
        saved = forests
        conditionCell = ConditionCell(tell: onConditionChange)
        self.observer = observer
        inbox = Inbox(capacity: settings.inboxBatches)
        boards = (0..<settings.shards).map { _ in ShardBoard() }
        localSeries = (0..<settings.shards).map { _ in LocalSeries() }
        hub = LiveHub(generation: generation, historyLimit: liveHistory)
        directory = SensorDirectory(table: table, boards: boards, localSeries: localSeries)
    }

    public var condition: EngineCondition { conditionCell.value }
    public var inboxCount: Int { inbox.count }
    public var learning: [LearningProgress] { learningCell.withLock { $0.events + $0.windows } }

    public func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        let receipt = Receipt()
        metrics.admit(batch)
        do {
            guard try await inbox.offer(.batch(batch, receipt)) else { throw Self.stopped }
        } catch {
            metrics.withdraw(batch)
            throw error
        }
        return receipt
    }

    /// A source has come to its end: its sensors are not expected to go on.
    /// - Parameter source: nil = all input has ended, and every window closes as it is. Other sources' windows are left to
    ///   the stream's time.
    public func endOfInput(of source: SourceID? = nil) async throws -> any DeliveryReceipt {
        let receipt = Receipt()
        guard try await inbox.offer(.endOfInput(source, receipt)) else { throw Self.stopped }
        return receipt
    }

    /// The process wants to end: from now on a store that refuses is given ten seconds, then the input that waits fails.
    public func prepareToFinish() { conditionCell.end() }

    /// No more input. `run` returns when everything inside is durable.
    public func finish() {
        conditionCell.end()
        inbox.finish()
    }

    /// Works until `finish` was called and everything is durable.
    /// - Throws: when the store fails for good.
    public func run() async throws {
        do {
            try await work()
        } catch {
            // Whoever waits for room or for a receipt must hear of it.
            finish()
            while let admission = await inbox.receive() {
                switch admission {
                case .batch(_, let receipt), .endOfInput(_, let receipt): receipt.fulfil(.failure(error))
                case .tick: break
                }
            }
            throw error
        }
    }

    private func work() async throws {
        // A replay raises its own alarms again, under the same ids.
        let open = settings.isLive ? try await store.openAlarms() : []
        var joiner = Joiner(table: table, settings: settings, shardCount: settings.shards, saved: saved)
        joiner.restore(open, table: table)
        for alarm in open { directory.note(AlarmChange(step: .updated, alarm: alarm)) }
        let shardInboxes = (0..<settings.shards).map { _ in Inbox<RoutedBatch>(capacity: settings.inboxBatches) }
        let shardOutputs = (0..<settings.shards).map { _ in Inbox<ShardResult>(capacity: settings.inboxBatches) }
        let routed = Inbox<RoutedBatch>(capacity: settings.inboxBatches)
        let jobs = Inbox<WriteJob>(capacity: settings.inboxBatches * 2)
        let writer = Writer(
            jobs: jobs, store: store, metrics: metrics, hub: hub, directory: directory, listeners: listeners,
            observer: observer, clock: clock, condition: conditionCell, onFailure: { self.finish() })
        let readyJoiner = joiner
        // Before any stage runs: settings that make no sense are an error here, not a stage that never answers.
        let shards = try (0..<settings.shards).map {
            try Shard(number: $0, of: settings.shards, settings: settings, table: table)
        }

        try await withThrowingTaskGroup(of: Void.self) { group in
            let router = Router(table: table, settings: settings, saved: saved)
            group.addTask { await self.route(router, to: shardInboxes, and: routed) }
            for number in 0..<settings.shards {
                let shard = shards[number]
                group.addTask { await self.work(shard, number, from: shardInboxes[number], to: shardOutputs[number]) }
            }
            group.addTask { await self.join(readyJoiner, routed, shardOutputs, to: jobs) }
            group.addTask { try await writer.run() }
            let ticker = settings.isLive ? Task { await self.tick() } : nil
            defer { ticker?.cancel() }
            try await group.waitForAll()
        }
    }

    private func route(_ start: Router, to shards: [Inbox<RoutedBatch>], and routed: Inbox<RoutedBatch>) async {
        var router = start
        while let admission = await inbox.receive() {
            let batch: RoutedBatch =
                switch admission {
                case .batch(let batch, let receipt):
                    router.route(batch, receipt: receipt, watched: hub.watchedSensors)
                case .tick(let now): router.advance(now: now)
                case .endOfInput(let source, let receipt): router.end(source, receipt: receipt, now: clock.now())
                }
            let learning = router.learning
            learningCell.withLock { $0.events = learning }
            _ = await routed.send(batch)
            for shard in shards { _ = await shard.send(batch) }
        }
        for shard in shards { shard.finish() }
        routed.finish()
    }

    private func work(
        _ start: Shard, _ number: Int, from inbox: Inbox<RoutedBatch>, to output: Inbox<ShardResult>
    ) async {
        var shard = start
        while let batch = await inbox.receive() {
            let result = localSeries[number].mapping.withLock { mapping in
                boards[number].rows.withLock { rows in shard.process(batch, series: &mapping, board: &rows) }
            }
            if result.readings > 0 {
                let perReading = result.seconds / Double(result.readings)
                metrics.update {
                    $0.inference.record(seconds: perReading, times: UInt64(result.readings))
                }
            }
            _ = await output.send(result)
        }
        output.finish()
    }

    private func join(
        _ start: Joiner, _ routed: Inbox<RoutedBatch>, _ outputs: [Inbox<ShardResult>], to jobs: Inbox<WriteJob>
    ) async {
        var joiner = start
        while let batch = await routed.receive() {
            var results: [ShardResult] = []
            for output in outputs {
                guard let result = await output.receive() else { preconditionFailure("a shard ended early") }
                results.append(result)
            }
            let (job, modelRuns) = joiner.join(batch, results, now: clock.now())
            metrics.update { $0.modelRuns += UInt64(modelRuns) }
            let learning = joiner.learning
            learningCell.withLock { $0.windows = learning }
            _ = await jobs.send(job)
        }
        jobs.finish()
    }

    /// Lets time go by while nothing comes in. Ended by `run`, which owns it.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            guard !Task.isCancelled, await inbox.send(.tick(clock.now())) else { return }
        }
    }

    private static let stopped = TocsinError(
        .store, "the engine has stopped and takes no more input", isRetriable: false)
}
