internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

/// Decides when a checkpoint is made, writes its parts as they come, and then lets go of what the spool need not keep.
final class Checkpointer: Sendable {
    private struct State {
        var isUnderWay = false
        var lastBegun: ContinuousClock.Instant = .now
        var lastSequence: UInt64 = 0
        /// When the last one was begun.
        var lastSpoolBytes: Int64 = 0
        /// Seconds that the last one took.
        var lastDuration = 0.0
        var isOver = false
    }

    private let durability: EngineDurability
    private let metrics: EngineMetrics
    private let clock: any WallClock
    private let shards: Int
    private let note: @Sendable (EngineNote) -> Void
    private let runs = Inbox<CheckpointRun>(capacity: 4)
    private let state = Mutex(State())
    private let context = Mutex<(fingerprint: UInt64, table: SeriesTable)?>(nil)

    init(
        durability: EngineDurability, metrics: EngineMetrics, clock: any WallClock, shards: Int,
        note: @escaping @Sendable (EngineNote) -> Void
    ) {
        self.durability = durability
        self.metrics = metrics
        self.clock = clock
        self.shards = shards
        self.note = note
    }

    func tell(_ text: String, isProblem: Bool = false) { note(EngineNote(text, isProblem: isProblem)) }

    /// What every checkpoint of this process carries.
    func prepare(fingerprint: UInt64, table: SeriesTable, sequence: UInt64) {
        context.withLock { $0 = (fingerprint, table) }
        state.withLock { $0.lastSequence = sequence }
    }

    /// Writes what was known before the spool's first record, and returns when it is on disk.
    func saveFirst(_ joiner: Joiner) async throws {
        guard let (fingerprint, table) = context.withLock({ $0 }) else { return }
        let file = try await durability.checkpoints.begin(
            sequence: 0, spool: durability.spool.id, createdAt: clock.now())
        do {
            try await writeHead(of: file, fingerprint, table)
            var writer = StateWriter()
            joiner.save(to: &writer)
            try await file.append(.init(.joiner), writer.bytes)
            writer.removeAll()
            joiner.care.save(to: &writer)
            try await file.append(.init(.care), writer.bytes)
            _ = try await file.finish()
        } catch {
            await file.cancel()
            throw error
        }
    }

    /// Begins one when the interval is over or the spool has grown a lot.
    func beginIfDue(at intake: Intake) {
        let grown = durability.spool.figures.bytes
        let isDue = state.withLock { state in
            // What was let go since the last one makes room.
            state.lastSpoolBytes = min(state.lastSpoolBytes, grown)
            guard !state.isUnderWay, !state.isOver else { return false }
            let pause = max(durability.interval.seconds, state.lastDuration * 10)
            let limit = Int64(durability.spoolBytes)
            let hasGrown = grown - state.lastSpoolBytes >= limit / 4 || grown >= limit / 4 * 3
            return hasGrown || (ContinuousClock.now - state.lastBegun).inSeconds >= pause
        }
        if isDue { begin(at: intake) }
    }

    /// Puts a barrier behind everything that has come in. Nothing happens while one is under way, except for the last
    /// one: that waits its turn.
    func begin(at intake: Intake, isLast: Bool = false) {
        let figures = durability.spool.figures
        let isNew = state.withLock { state in
            guard !state.isOver, isLast || !state.isUnderWay, figures.nextSequence > state.lastSequence + 1 else {
                return false
            }
            state.isUnderWay = true
            state.lastBegun = .now
            state.lastSpoolBytes = figures.bytes
            return true
        }
        guard isNew, let run = intake.putCheckpoint({ CheckpointRun(sequence: $0, shards: shards) }) else { return }
        // Never waits: there is at most one of the interval and one of the end. Nobody takes it after the end.
        if !runs.push({ run }) { run.cancel() }
    }

    /// The engine has failed: what is under way will never be whole.
    func cancel() {
        state.withLock { $0.isOver = true }
        runs.finish()
        while let run = runs.receiveIfAny() { run.cancel() }
    }

    /// No further checkpoint will be begun.
    func finish() {
        state.withLock { $0.isOver = true }
        runs.finish()
    }

    /// Writes the checkpoints that are begun, one after the other, until `finish` or `cancel`.
    func run() async {
        while let run = await runs.receive() {
            let started = ContinuousClock.now
            do {
                let bytes = try await write(run)
                let seconds = (ContinuousClock.now - started).inSeconds
                if let bytes { noteDone(run, bytes: bytes, seconds: seconds) }
            } catch {
                run.cancel()
                metrics.update { $0.checkpointErrors += 1 }
                tell(
                    "The checkpoint could not be written: \(error). The one before it stays in force.", isProblem: true)
            }
            let seconds = (ContinuousClock.now - started).inSeconds
            state.withLock { state in
                state.isUnderWay = false
                state.lastDuration = seconds
            }
        }
    }

    private func noteDone(_ run: CheckpointRun, bytes: Int, seconds: Double) {
        let pause = run.longestPause
        metrics.update {
            $0.checkpoints += 1
            $0.lastCheckpoint = (bytes, seconds, pause)
        }
        state.withLock { $0.lastSequence = max($0.lastSequence, run.sequence) }
    }

    /// - Returns: nil where the engine ended before the checkpoint was whole.
    private func write(_ run: CheckpointRun) async throws -> Int? {
        guard let (fingerprint, table) = context.withLock({ $0 }) else { return nil }
        let file = try await durability.checkpoints.begin(
            sequence: run.sequence, spool: durability.spool.id, createdAt: clock.now())
        do {
            try await writeHead(of: file, fingerprint, table)
            while let parts = await run.nextParts() {
                for part in parts { try await file.append(.init(part.section), part.bytes) }
            }
            guard !run.isCancelled else {
                await file.cancel()
                return nil
            }
            // A state must not be ahead of the spool.
            let isOnDisk = try await durability.spool.durable(
                run.sequence, patience: Self.endPatience, isEnding: { self.state.withLock { $0.isOver } })
            guard isOnDisk else {
                throw TocsinError(.store, "the spool could not be written before the process had to end")
            }
            let info = try await file.finish()
            let isCrowded = durability.spool.figures.bytes > Int64(durability.spoolBytes / 2)
            _ = try await durability.checkpoints.prune(keptOlder: isCrowded ? 0 : nil)
            let oldest = try await durability.checkpoints.sequences().last
            durability.spool.release(through: oldest ?? run.sequence)
            return Int(info.bytes)
        } catch {
            await file.cancel()
            throw error
        }
    }

    private func writeHead(of file: CheckpointWriter, _ fingerprint: UInt64, _ table: SeriesTable) async throws {
        var header = StateWriter()
        header.write(fingerprint)
        try await file.append(.init(.engine), header.bytes)
        // First, because the other parts speak of them; all of those are in the table by now.
        var cursor = SeriesCursor()
        while true {
            var names = StateWriter()
            guard table.withIndex({ $0.savePart(after: &cursor, limit: 10_000, to: &names) }) else { break }
            try await file.append(.init(.names), names.bytes)
        }
    }

    private static let endPatience = Duration.seconds(10)
}
