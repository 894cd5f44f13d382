internal import TocsinCore
internal import TocsinSpool

/// The router with what feeds it: the spool's rest from before the start, then the intake, and the spool again for
/// batches that had no room in memory.
struct RouteStage: Sendable {
    var router: Router
    private var positions: SourcePositions
    private var cursor: SpoolCursor?
    private var nextRecovered: UInt64
    private let lastRecovered: UInt64
    /// Of the readings that were waiting at the start, by source: those that have not had their turn.
    private var expected: [String: UInt64]
    private let table: SeriesTable
    private let windows: UInt64
    private let metrics: EngineMetrics
    private let clock: any WallClock
    private let tell: @Sendable (EngineNote) -> Void

    init(
        _ state: EngineState, durability: EngineDurability?, settings: EngineSettings, table: SeriesTable,
        metrics: EngineMetrics, clock: any WallClock, tell: @escaping @Sendable (EngineNote) -> Void
    ) {
        self.tell = tell
        self.table = table
        windows = settings.windowFingerprint
        router = state.router
        positions = state.positions
        cursor = durability.map { SpoolCursor(durability: $0, table: table, namesEnd: state.namesEnd) }
        nextRecovered = state.sequence + 1
        lastRecovered = state.lastRecovered
        self.metrics = metrics
        self.clock = clock
        expected = state.waiting
    }

    /// What the last process left in the spool, in order; nil when all has been taken.
    mutating func nextRecovered() async throws -> Admitted? {
        while nextRecovered <= lastRecovered {
            let sequence = nextRecovered
            nextRecovered += 1
            // What is damaged was named when the spool was opened.
            guard let entry = try await cursor?.entry(sequence) else { continue }
            switch entry {
            case .batch(let batch, _):
                metrics.admit(recovered: batch, of: &expected)
                return Admitted(sequence: sequence, admission: .batch(batch, Receipt()), isRecovered: true)
            case .tick(let time): return Admitted(sequence: sequence, admission: .tick(time), isRecovered: true)
            case .begun(let time): return Admitted(sequence: sequence, admission: .begun(time), isRecovered: true)
            case .feedback(let feedback):
                return Admitted(sequence: sequence, admission: .feedback(feedback, Receipt()), isRecovered: true)
            case .release(let source):
                let run = TransferRun(source: source, isGivenUp: true, isWanted: false)
                return Admitted(sequence: sequence, admission: .leave(run), isRecovered: true)
            case .adopt(let adopted):
                return Admitted(sequence: sequence, admission: .adopt(adopted), isRecovered: true)
            case .action(let action, let alarm):
                return Admitted(
                    sequence: sequence, admission: .action(action, alarm, Receipt()), isRecovered: true)
            case .endOfInput(let source):
                return Admitted(sequence: sequence, admission: .endOfInput(source, Receipt()), isRecovered: true)
            }
        }
        metrics.withdraw(expected)
        expected = [:]
        return nil
    }

    /// The batch of an admission that is in the spool alone.
    mutating func readBack(_ admitted: Admitted) async throws -> Admitted {
        guard case .spooled(let readings) = admitted.admission else { return admitted }
        guard case .batch(let batch, _)? = try await cursor?.entry(admitted.sequence) else {
            return Admitted(
                sequence: admitted.sequence, admission: .batch(Self.lost(readings, admitted.sequence, clock), Receipt())
            )
        }
        return Admitted(sequence: admitted.sequence, admission: .batch(batch, Receipt()))
    }

    mutating func route(_ admitted: Admitted, watched: Set<UInt32>) -> [RoutedBatch] {
        switch admitted.admission {
        case .batch(let batch, let receipt):
            positions.note(batch.origin.resume, of: batch.origin.source)
            let routed = router.route(batch, from: admitted, receipt: receipt, watched: watched)
            return [routed] + router.takeEnds(from: admitted, now: batch.origin.received)
        case .tick(let now):
            return router.advance(now: now, from: admitted) + router.takeEnds(from: admitted, now: now)
        case .endOfInput(let source, let receipt):
            let now = clock.now()
            return router.end(source, from: admitted, receipt: receipt, now: now)
                + router.takeEnds(from: admitted, now: now)
        case .checkpoint(let run):
            save(into: run)
            return [router.barrier(run, now: clock.now())]
        case .feedback(let feedback, let receipt):
            return [router.pass(feedback, from: admitted, receipt: receipt, now: clock.now())]
        case .action(let action, let alarm, let receipt):
            return [router.pass(action, on: alarm, from: admitted, receipt: receipt, now: clock.now())]
        case .begun(let now):
            router.begin(at: now)
            return []
        case .leave(let run): return [leave(run, admitted)]
        case .adopt(let adopted): return adopt(adopted, admitted)
        case .spooled: return []
        }
    }

    private mutating func leave(_ run: TransferRun, _ admitted: Admitted) -> RoutedBatch {
        run.note(positions.position(of: run.source))
        if run.isGivenUp { positions.remove(run.source) }
        let before = UInt64(router.heldReadings)
        let routed = router.leave(run, from: admitted, now: clock.now())
        let left = before - UInt64(router.heldReadings)
        metrics.update {
            $0.spooled -= left
            $0.handedOver += left
        }
        return routed
    }

    private mutating func adopt(_ adopted: AdoptedSensors, _ admitted: Admitted) -> [RoutedBatch] {
        // Both worked when it came; not so, perhaps, after a restart with other settings.
        guard let contents = try? TransferContents(adopted.transfer.bytes),
            let interned = try? table.withIndex({ (index) throws(TocsinError) in
                try contents.names.intern(into: &index)
            })
        else {
            tell(
                EngineNote(
                    "The sensors that came from another process have no room here any more, or are of a newer program: "
                        + "they begin anew.", isProblem: true))
            return []
        }
        positions.note(adopted.transfer.position, of: adopted.source)
        let (batches, waiting) = router.adopt(
            adopted, contents, interned, hasWindows: contents.windows == windows, from: admitted)
        metrics.update { $0.take(waiting) }
        return batches
    }

    /// Before the first admission: what waited under other settings.
    mutating func releaseFormer() -> [RoutedBatch] { router.releaseFormer(now: clock.now()) }

    /// After the last admission: nothing takes up what waits, where there is no spool.
    mutating func releaseRest() -> RoutedBatch? { cursor == nil ? router.releaseAll(now: clock.now()) : nil }

    private func save(into run: CheckpointRun) {
        let started = ContinuousClock.now
        var writer = StateWriter()
        router.save(to: &writer)
        run.add(.router, writer.bytes)
        writer.removeAll()
        positions.save(to: &writer)
        run.add(.positions, writer.bytes)
        run.notePause((ContinuousClock.now - started).inSeconds)
    }

    /// Stands for readings that were acknowledged and that the disk has lost: counted and named, not forgotten.
    private static func lost(_ readings: Int, _ sequence: UInt64, _ clock: any WallClock) -> Batch {
        var batch = Batch(
            origin: Origin(
                source: SourceID(0), sourceName: "spool", position: Int64(clamping: sequence), received: clock.now()))
        for _ in 0..<readings {
            batch.rejects.append(
                Reject(
                    reason: .malformed, detail: "record \(sequence) of the spool is damaged",
                    payload: ByteRange(offset: 0, length: 0)))
        }
        return batch
    }
}

/// Reads entries of the spool by number, mostly one after the other.
struct SpoolCursor: Sendable {
    private let durability: EngineDurability
    private let table: SeriesTable
    /// From this record on the ids in it have lost their names: batches are decoded again.
    private let namesEnd: UInt64?
    private var reader: SpoolReader?
    private var records: [SpoolRecord] = []
    private var nextRecord = 0
    private static let readBytes = 4 << 20

    init(durability: EngineDurability, table: SeriesTable, namesEnd: UInt64?) {
        self.durability = durability
        self.table = table
        self.namesEnd = namesEnd
    }

    /// nil where the record is damaged or gone.
    mutating func entry(_ sequence: UInt64) async throws -> SpoolEntry? {
        if reader == nil || (nextRecord < records.count && records[nextRecord].sequence > sequence) {
            reader = durability.spool.read(from: sequence)
            records = []
            nextRecord = 0
        }
        while true {
            while nextRecord < records.count, records[nextRecord].sequence < sequence { nextRecord += 1 }
            if nextRecord < records.count {
                guard records[nextRecord].sequence == sequence else { return nil }
                defer { nextRecord += 1 }
                return decode(records[nextRecord])
            }
            records = try await reader?.nextRecords(limit: Self.readBytes) ?? []
            nextRecord = 0
            guard !records.isEmpty else {
                reader = nil
                return nil
            }
        }
    }

    private func decode(_ record: SpoolRecord) -> SpoolEntry? {
        if let namesEnd, record.sequence >= namesEnd, record.sequence <= durability.lastFound,
            let raw = SpoolEntry.rawInput(of: record.payload[...])
        {
            return durability.decodeAgain(raw).map { .batch($0, names: nil) }
        }
        // Every name in the spool has been interned before anything is read back.
        var known = table.withIndex { KnownNames($0) }
        return SpoolEntry(decoding: record.payload[...], known: &known)
    }
}
