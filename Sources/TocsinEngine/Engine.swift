internal import Synchronization
public import TocsinCore
internal import TocsinDetect
public import TocsinSpool

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
/// With `EngineDurability` what comes in is durable in the spool before it is judged, and the state is saved now and
/// then: `prepare` takes both up again, and `run` first works through what the last process left in the spool.
public final class Engine: BatchDelivery {
    public let metrics = EngineMetrics()
    public let hub: LiveHub
    public let directory: SensorDirectory

    let settings: EngineSettings
    let table: SeriesTable
    let store: any Store
    let clock: any WallClock
    let durability: EngineDurability?
    let saved: [String: SavedForest]
    let intake: Intake
    let conditionCell: ConditionCell
    let boards: [ShardBoard]
    let localSeries: [LocalSeries]
    /// What `prepare` found, until `run` takes it.
    let prepared = Mutex<EngineState?>(nil)
    let checkpoints: Checkpointer?
    private let listeners: [any AlarmListener]
    private let observer: (@Sendable (BatchOutcome) -> Void)?
    private let outlet: OutcomeOutlet?
    let onNote: @Sendable (EngineNote) -> Void
    private let receipts = ReceiptTimer()
    /// Sensors that have left the engine, and that nobody has taken yet.
    let leaving = Mutex<[SourceID: TransferRun]>([:])
    private let learningCell = Mutex<[LearningProgress]>([])
    /// By shard.
    private let memoryCell: Mutex<[[EngineMemory]]>

    /// - Parameters:
    ///   - durability: spool and checkpoints; nil acknowledges when the store has the batch, and begins anew each time.
    ///   - forests: saved models by name, newest of each.
    ///   - observer: shown every outcome after it is durable, in stream order; it holds up the writer.
    ///   - outlet: given every outcome after it is durable, in stream order, at its own pace.
    ///   - onConditionChange: told when work stops flowing and when it flows again, once each.
    ///   - onNote: told what a person may want to know of checkpoints and recovery, one sentence each.
    ///   - liveHistory: live events kept for browsers that reconnect.
    ///   - generation: distinguishes this process's live event ids from an earlier one's.
    public init(
        settings: EngineSettings, table: SeriesTable, store: any Store, clock: any WallClock,
        durability: EngineDurability? = nil,
        forests: [String: SavedForest] = [:], listeners: [any AlarmListener] = [],
        observer: (@Sendable (BatchOutcome) -> Void)? = nil, outlet: OutcomeOutlet? = nil,
        onConditionChange: @escaping @Sendable (EngineCondition) -> Void = { _ in },
        onNote: @escaping @Sendable (EngineNote) -> Void = { _ in }, liveHistory: Int = 2000,
        generation: UInt64 = 1
    ) {
        precondition(settings.shards > 0, "the number of shards is decided by the caller")
        self.settings = settings
        self.table = table
        self.store = store
        self.clock = clock
        self.listeners = listeners
        self.durability = durability
        saved = forests
        let cell = ConditionCell(hasSpool: durability != nil, tell: onConditionChange)
        conditionCell = cell
        self.observer = observer
        self.outlet = outlet
        intake = Intake(
            capacity: settings.inboxBatches, spool: durability?.spool, table: table,
            idleTimeout: settings.idleTimeout, started: clock.now())
        let metrics = metrics
        self.onNote = onNote
        checkpoints = durability.map {
            Checkpointer(durability: $0, metrics: metrics, clock: clock, shards: settings.shards, note: onNote)
        }
        memoryCell = Mutex(Array(repeating: [], count: settings.shards))
        boards = (0..<settings.shards).map { _ in ShardBoard() }
        localSeries = (0..<settings.shards).map { _ in LocalSeries() }
        hub = LiveHub(generation: generation, historyLimit: liveHistory)
        directory = SensorDirectory(table: table, boards: boards, localSeries: localSeries)
    }

    public var condition: EngineCondition { conditionCell.value }
    public var inboxCount: Int { intake.count }
    public var learning: [LearningProgress] { learningCell.withLock { $0 } }
    /// Bytes of state by part, as of some batches ago.
    public var memory: [EngineMemory] {
        let parts = memoryCell.withLock { $0 }
        var sums = parts.first ?? []
        for shard in parts.dropFirst() {
            for (index, part) in shard.enumerated() where index < sums.count { sums[index].bytes += part.bytes }
        }
        return sums
    }
    public var spool: Spool? { durability?.spool }

    public func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt { try await put(batch, waits: true) }

    /// The same for those who cannot wait until the engine has room: with a spool the batch stays there until its turn
    /// comes.
    public func accept(_ batch: Batch) async throws -> any DeliveryReceipt { try await put(batch, waits: false) }

    private func put(_ batch: Batch, waits: Bool) async throws -> any DeliveryReceipt {
        let receipt = Receipt()
        metrics.admit(batch)
        let sequence: UInt64
        do {
            guard let taken = try await intake.put(batch, receipt, waits: waits) else { throw Self.stopped }
            sequence = taken
        } catch {
            metrics.withdraw(batch)
            throw error
        }
        guard let spool = durability?.spool else { return receipt }
        if case .spooling = conditionCell.value {
            // The store is away: nothing is known soon.
            receipt.fulfil(.success(Self.spooled(batch)))
        } else {
            receipts.add(receipt, Self.spooled(batch))
        }
        return SpooledReceipt(spool: spool, sequence: sequence, receipt: receipt)
    }

    /// What can be said of a batch that has not been judged.
    static func spooled(_ batch: Batch) -> DeliverySummary {
        var summary = DeliverySummary(deadLettered: batch.rejectCount, spooled: batch.readingCount)
        summary.refusals = batch.rejects.prefix(10).map { .init(reason: $0.reason, detail: $0.detail) }
        return summary
    }

    /// What a person says of an alarm; it counts from its place in the stream on.
    /// - Returns: when the receipt is fulfilled it is durable.
    /// - Throws: when the spool or the engine takes nothing.
    public func take(_ feedback: Feedback) throws -> any DeliveryReceipt {
        let receipt = Receipt()
        guard let sequence = try intake.put(feedback, receipt) else { throw Self.stopped }
        guard let spool = durability?.spool else { return receipt }
        receipts.add(receipt, DeliverySummary())
        return SpooledReceipt(spool: spool, sequence: sequence, receipt: receipt)
    }

    /// What a person does with an alarm; it counts from its place in the stream on.
    /// - Parameter alarm: as that person saw it: the store's word, where the engine knows the alarm no more.
    /// - Returns: when the receipt is fulfilled it is durable.
    /// - Throws: when the spool or the engine takes nothing.
    public func take(_ action: AlarmAction, on alarm: Alarm) throws -> any DeliveryReceipt {
        let receipt = Receipt()
        guard let sequence = try intake.put(action, on: alarm, receipt) else { throw Self.stopped }
        guard let spool = durability?.spool else { return receipt }
        receipts.add(receipt, DeliverySummary())
        return SpooledReceipt(spool: spool, sequence: sequence, receipt: receipt)
    }

    /// A source has come to its end: its sensors are not expected to go on.
    /// - Parameter source: nil = all input has ended, and every window closes as it is. Other sources' windows are left to
    ///   the stream's time.
    public func endOfInput(of source: SourceID? = nil) async throws -> any DeliveryReceipt {
        let receipt = Receipt()
        guard try intake.putEnd(of: source, receipt) else { throw Self.stopped }
        return receipt
    }

    /// The process wants to end: from now on a store that refuses is given ten seconds, then the input that waits fails.
    public func prepareToFinish() { conditionCell.end() }

    /// Begins a checkpoint, unless one is under way; what has come in so far will be in it.
    public func saveNow() { checkpoints?.begin(at: intake) }

    /// For the spool's observer: its disk fails, or works again.
    public func note(_ condition: SpoolCondition) {
        switch condition {
        case .working: conditionCell.noteSpool(nil)
        case .failing(let reason): conditionCell.noteSpool(reason)
        }
    }

    /// No more input. `run` returns when everything inside is durable, and with it a last checkpoint.
    public func finish() {
        conditionCell.end()
        checkpoints?.begin(at: intake, isLast: true)
        checkpoints?.finish()
        intake.finish()
    }

    /// Works until `finish` was called and everything is durable.
    /// - Throws: when the store fails for good.
    public func run() async throws {
        do {
            try await work()
        } catch {
            // Whoever waits for room or for a receipt must hear of it.
            finish()
            checkpoints?.cancel()
            while let admitted = await intake.next() {
                switch admitted.admission {
                case .batch(_, let receipt), .endOfInput(_, let receipt), .feedback(_, let receipt),
                    .action(_, _, let receipt):
                    receipt.fulfil(.failure(error))
                case .checkpoint(let run): run.cancel()
                case .leave(let run): run.receipt.fulfil(.failure(error))
                case .tick, .begun, .spooled, .adopt: break
                }
            }
            throw error
        }
    }

    private func work() async throws {
        let state = try await takePrepared()
        let shardInboxes = (0..<settings.shards).map { _ in Inbox<RoutedBatch>(capacity: settings.inboxBatches) }
        let shardOutputs = (0..<settings.shards).map { _ in Inbox<ShardResult>(capacity: settings.inboxBatches) }
        let routed = Inbox<RoutedBatch>(capacity: settings.inboxBatches)
        let jobs = Inbox<WriteJob>(capacity: settings.inboxBatches * 2)
        let writer = Writer(
            jobs: jobs, store: store, metrics: metrics, hub: hub, directory: directory, listeners: listeners,
            observer: observer, outlet: outlet, clock: clock, condition: conditionCell, spool: durability?.spool,
            onFailure: { self.finish() })

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.route(state, to: shardInboxes, and: routed) }
            for (number, shard) in state.shards.enumerated() {
                group.addTask { await self.work(shard, number, from: shardInboxes[number], to: shardOutputs[number]) }
            }
            group.addTask { await self.join(state.joiner, routed, shardOutputs, to: jobs) }
            group.addTask {
                var writer = writer
                try await writer.run()
            }
            if let checkpoints { group.addTask { await checkpoints.run() } }
            // Ended here: time alone goes by in them.
            let timers = [Task { await self.tick() }, Task { await self.receipts.run() }]
            defer { for timer in timers { timer.cancel() } }
            try await group.waitForAll()
        }
    }

    private func route(
        _ state: EngineState, to shards: [Inbox<RoutedBatch>], and routed: Inbox<RoutedBatch>
    ) async throws {
        var stage = RouteStage(
            state, durability: durability, settings: settings, table: table, metrics: metrics, clock: clock,
            tell: onNote)
        // Whatever happens here, the stages behind come to their end.
        defer {
            for shard in shards { shard.finish() }
            routed.finish()
        }
        await send(stage.releaseFormer(), to: shards, and: routed)
        while let admitted = try await stage.nextRecovered() {
            await send(stage.route(admitted, watched: []), to: shards, and: routed)
        }
        while let admitted = await intake.next() {
            let batches = try await stage.route(stage.readBack(admitted), watched: hub.watchedSensors)
            await send(batches, to: shards, and: routed)
        }
        await send([stage.releaseRest()], to: shards, and: routed)
    }

    private func send(
        _ batches: [RoutedBatch?], to shards: [Inbox<RoutedBatch>], and routed: Inbox<RoutedBatch>
    ) async {
        for case let batch? in batches {
            _ = await routed.send(batch)
            for shard in shards { _ = await shard.send(batch) }
        }
    }

    private func work(
        _ start: Shard, _ number: Int, from inbox: Inbox<RoutedBatch>, to output: Inbox<ShardResult>
    ) async {
        var shard = start
        var batches = 0
        while let batch = await next(inbox, &shard, number) {
            batches += 1
            let result = localSeries[number].mapping.withLock { mapping in
                boards[number].rows.withLock { rows in
                    let result = shard.process(batch, series: &mapping, board: &rows)
                    _ = shard.stepSweep(mapping, rows, for: .milliseconds(1))
                    if batches % Self.batchesPerLook == 1 {
                        let memory = shard.memory(mapping, rows)
                        memoryCell.withLock { $0[number] = memory }
                    }
                    return result
                }
            }
            if result.readings > 0 {
                let perReading = result.seconds / Double(result.readings)
                metrics.update {
                    $0.inference.record(seconds: perReading, times: UInt64(result.readings))
                }
            }
            _ = await output.send(result)
        }
        localSeries[number].mapping.withLock { mapping in
            boards[number].rows.withLock { shard.finishSweep(mapping, $0) }
        }
        output.finish()
    }

    /// The next batch; while there is none, a checkpoint under way goes on.
    private func next(_ inbox: Inbox<RoutedBatch>, _ shard: inout Shard, _ number: Int) async -> RoutedBatch? {
        while shard.sweep != nil {
            if let batch = inbox.receiveIfAny() { return batch }
            let isCrowded = shard.sweep?.run.isCrowded ?? false
            if isCrowded { try? await Task.sleep(for: .milliseconds(5)) }
            localSeries[number].mapping.withLock { mapping in
                boards[number].rows.withLock { _ = shard.stepSweep(mapping, $0, for: .milliseconds(2)) }
            }
            await Task.yield()
        }
        return await inbox.receive()
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
            // Not held back until the store has them: a screen shows what is happening, the store what has happened.
            for result in results {
                hub.add(points: result.points)
                directory.note(turned: result.turned)
            }
            var (job, modelRuns) = joiner.join(batch, results)
            if !store.keepsRawInput { job.outcome.batch.bytes = [] }
            metrics.update { $0.modelRuns += UInt64(modelRuns) }
            if job.handover?.isNonsense == true {
                onNote(EngineNote("The sensors of another process cannot be read: they begin anew.", isProblem: true))
            }
            let learning = joiner.learning
            learningCell.withLock { $0 = learning }
            if let checkpoint = batch.checkpoint {
                let started = ContinuousClock.now
                var writer = StateWriter()
                joiner.save(to: &writer)
                checkpoint.add(.joiner, writer.bytes)
                writer.removeAll()
                joiner.care.save(to: &writer)
                checkpoint.add(.care, writer.bytes)
                checkpoint.finishStage()
                checkpoint.notePause((ContinuousClock.now - started).inSeconds)
            }
            _ = await jobs.send(job)
        }
        jobs.finish()
    }

    /// Lets time go by while nothing comes in, and checkpoints be made. Ended by `run`, which owns it.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            guard !Task.isCancelled else { return }
            if settings.isLive {
                // A spool that is full has been told already; the next tick may find room.
                guard (try? intake.putTick(clock.now())) ?? true else { return }
            }
            checkpoints?.beginIfDue(at: intake)
        }
    }

    /// Batches between two looks at the memory in use.
    private static let batchesPerLook = 64
    static let stopped = TocsinError(
        .store, "the engine has stopped and takes no more input", isRetriable: false)
}
