internal import Synchronization
public import TocsinCore
internal import TocsinSpool

extension Engine {
    /// Takes up the newest usable checkpoint and the names in the spool. To be called before any source decodes, so
    /// that names get the ids they had; `run` does it where nobody has.
    /// - Returns: how far files have been read, by path.
    /// - Throws: when the settings make no engine, or the store cannot be read.
    @discardableResult
    public func prepare() async throws -> [String: ReadPosition] {
        // Forests that were learnt in this spool's time are in the checkpoint, or are learnt again from the spool: those in
        // the store may be ahead of both.
        let isFirst = (durability?.lastFound ?? 0) == 0
        let trained = saved.filter { $0.value.origin == .trained }
        var state = try EngineState(settings: settings, table: table, saved: isFirst ? saved : trained)
        var isRestored = false
        if let durability, let checkpoints {
            let started = ContinuousClock.now
            isRestored = try await restore(&state, durability, checkpoints)
            if !isRestored, !isFirst, durability.spool.figures.oldestSequence > 1 {
                // Neither state nor the whole input is left: better a forest of some time ago than none.
                state = try EngineState(settings: settings, table: table, saved: saved)
            }
            try durability.spool.skip(through: state.sequence)
            state.lastRecovered = try await readSpool(durability, &state)
            checkpoints.prepare(fingerprint: settings.windowFingerprint, table: table, sequence: state.sequence)
            let waiting = state.lastRecovered - min(state.lastRecovered, state.sequence)
            if isRestored || waiting > 0 {
                let seconds = Sentence.duration((ContinuousClock.now - started).inSeconds)
                checkpoints.tell(
                    "The last run is taken up: \(isRestored ? "a checkpoint" : "no checkpoint") and "
                        + "\(table.withIndex { $0.seriesCount }) series, \(waiting) records in the spool to work through (\(seconds))."
                )
            }
        }
        if settings.isLive, isRestored || state.lastRecovered > 0 { try intake.putBegun(clock.now()) }
        if !isRestored, try await takeUpStore(&state, isFirst: isFirst) || (isFirst && trained.count < saved.count) {
            // The next process may find records in the spool and must still know what was there before the first.
            try await checkpoints?.saveFirst(state.joiner)
        }
        for alarm in state.joiner.openAlarms { directory.note(AlarmChange(step: .updated, alarm: alarm)) }
        intake.expect(state.router.knownSources + state.recoveredSources.map { SourceID($0) })
        metrics.expect(state.router.heldBySource.merging(state.waiting, uniquingKeysWith: +))
        let positions = state.positions.all
        prepared.withLock { $0 = state }
        return positions
    }

    func takePrepared() async throws -> EngineState {
        if let state = prepared.withLock({ $0.take() }) { return state }
        try await prepare()
        guard let state = prepared.withLock({ $0.take() }) else { preconditionFailure("prepare leaves a state") }
        return state
    }

    /// The alarms that are open in the store, and what people said of alarms, where no checkpoint tells of them and the
    /// spool will not raise them again: it does so where it holds the stream from its first record on, under the same
    /// ids and counted like any other, as a replay of files does.
    /// - Returns: true when there was something and the spool holds nothing yet.
    private func takeUpStore(_ state: inout EngineState, isFirst: Bool) async throws -> Bool {
        let isWhole = !isFirst && durability?.spool.figures.oldestSequence == 1
        guard settings.isLive, settings.sharing == .none, !isWhole else { return false }
        let since = clock.now().advanced(by: Span64(nanoseconds: -settings.alarms.feedback.decay.nanoseconds))
        let open: [Alarm]
        let feedback: [Feedback]
        do {
            // The program's own alarms are none of a sensor: they have a life beside the stream.
            open = try await store.openAlarms().filter { $0.kind != .system }
            feedback = try await store.feedback(since: since)
        } catch let error as TocsinError where error.isRetriable && durability != nil {
            // A server that is away must not keep the plant from being watched: input waits in the spool.
            checkpoints?.tell(
                "The store does not answer (\(error.message)): alarms that were left open in it are not taken up.",
                isProblem: true)
            return false
        }
        state.joiner.restore(open, feedback: feedback, table: table)
        return isFirst && !(open.isEmpty && feedback.isEmpty)
    }

    /// - Returns: false where there is no checkpoint that can be used; then the state is as it was.
    private func restore(
        _ state: inout EngineState, _ durability: EngineDurability, _ checkpointer: Checkpointer
    ) async throws -> Bool {
        let fresh = state
        var limit = UInt64.max
        while true {
            let (found, problems) = await durability.checkpoints.newestUsable(spool: durability.spool.id, before: limit)
            for problem in problems { checkpointer.tell(problem, isProblem: true) }
            guard let checkpoint = found else {
                if limit != .max {
                    checkpointer.tell(
                        "No older checkpoint can be taken up: the state begins anew, with what is in the spool.",
                        isProblem: true)
                }
                return false
            }
            do {
                try await EngineRestore(engine: self).restore(&state, from: checkpoint)
                state.sequence = checkpoint.info.sequence
                return true
            } catch {
                state = fresh
                limit = checkpoint.info.sequence
                for board in boards { board.rows.withLock { $0 = [] } }
                for series in localSeries { series.mapping.withLock { $0 = LocalSeries.Mapping() } }
                checkpointer.tell(
                    "The checkpoint \(checkpoint.info.path) cannot be taken up (\(error)); the one before it is tried.",
                    isProblem: true)
            }
        }
    }

    /// Interns the names in the spool under the ids they had, and notes how far files were read.
    /// - Returns: the number of the last record.
    private func readSpool(_ durability: EngineDurability, _ state: inout EngineState) async throws -> UInt64 {
        var last = state.sequence
        let reader = durability.spool.read(from: state.sequence + 1)
        while true {
            let records = try await reader.nextRecords(limit: 4 << 20)
            if records.isEmpty { return last }
            for record in records {
                if record.sequence > durability.lastFound { return last }
                last = max(last, record.sequence)
                read(record, &state)
            }
        }
    }

    private func read(_ record: SpoolRecord, _ state: inout EngineState) {
        var known = table.withIndex { KnownNames($0) }
        if state.namesEnd == nil, let entry = SpoolEntry(decoding: record.payload[...], known: &known) {
            switch entry {
            case .release(let source):
                state.positions.remove(source)
                state.recoveredSources.remove(source.index)
            case .adopt(let adopted):
                state.positions.note(adopted.transfer.position, of: adopted.source)
                state.recoveredSources.insert(adopted.source.index)
            case .batch, .tick, .endOfInput, .begun, .feedback, .action: break
            }
            guard case .batch(let batch, let names) = entry else { return }
            state.positions.note(batch.origin.resume, of: batch.origin.source)
            state.recoveredSources.insert(batch.origin.source.index)
            if names.map({ names in table.withIndex { names.intern(into: &$0) } }) ?? true {
                state.waiting[batch.origin.sourceName, default: 0] += UInt64(batch.inputCount)
                return
            }
        }
        guard let raw = SpoolEntry.rawInput(of: record.payload[...]) else { return }
        state.positions.note(raw.origin.resume, of: raw.origin.source)
        guard state.namesEnd == nil else { return }
        state.namesEnd = record.sequence
        checkpoints?.tell(
            "Names are missing in the spool before record \(record.sequence), because a record before it is damaged: the "
                + "input from there on is decoded again.", isProblem: true)
    }
}

/// Gives the sections of a checkpoint to the stages they belong to.
private struct EngineRestore {
    let engine: Engine

    /// Names, router and joiner first, then all shards at once, each reading the file for itself.
    func restore(_ state: inout EngineState, from checkpoint: Checkpoint) async throws {
        var hasWindows = true
        let whole = checkpoint.again()
        while true {
            let pieces = try await whole.nextPieces(limit: 4 << 20)
            if pieces.isEmpty { break }
            for piece in pieces {
                let section = EngineSection(rawValue: piece.section.kind.rawValue)
                try restore(piece.bytes[...], section, &state, &hasWindows)
            }
        }
        // The joiner hears of the sources' times what the router tells.
        for source in state.router.knownSources {
            state.joiner.follow(source, to: state.router.clocks[Int(source.index)].told)
        }
        let ids = engine.table.withIndex { index in
            SavedIDs(
                sensorCount: index.sensorCount,
                sensorOfSeries: (0..<UInt32(index.seriesCount)).map { index.sensor(of: SeriesID($0)).index })
        }
        state.shards = try await withThrowingTaskGroup(of: (Int, Shard).self) { [hasWindows] group in
            for number in 0..<engine.settings.shards {
                group.addTask {
                    (number, try await shard(number, from: checkpoint.again(), ids, withWindows: hasWindows))
                }
            }
            var shards: [(Int, Shard)] = []
            for try await shard in group { shards.append(shard) }
            return shards.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func shard(
        _ number: Int, from checkpoint: Checkpoint, _ ids: SavedIDs, withWindows: Bool
    ) async throws -> Shard {
        var shard = try Shard(
            number: number, of: engine.settings.shards, settings: engine.settings, table: engine.table)
        while true {
            let pieces = try await checkpoint.nextPieces(limit: 4 << 20)
            if pieces.isEmpty { return shard }
            for piece in pieces {
                switch EngineSection(rawValue: piece.section.kind.rawValue) {
                case .sensors:
                    var reader = StateReader(piece.bytes)
                    let isUsable = engine.localSeries[number].mapping.withLock { mapping in
                        shard.restoreProgress(from: &reader) && shard.restoreSensors(from: &reader, ids, &mapping)
                    }
                    guard isUsable else { throw Self.nonsense("sensors") }
                case .series:
                    let isUsable = engine.localSeries[number].mapping.withLock { mapping in
                        engine.boards[number].rows.withLock { rows in
                            shard.restoreSeries(piece.bytes[...], ids, withWindows: withWindows, &mapping, &rows)
                        }
                    }
                    guard isUsable else { throw Self.nonsense("series") }
                case .engine, .names, .router, .joiner, .care, .positions, nil: break
                }
            }
        }
    }

    private func restore(
        _ bytes: ArraySlice<UInt8>, _ section: EngineSection?, _ state: inout EngineState, _ hasWindows: inout Bool
    ) throws {
        var reader = StateReader(bytes)
        switch section {
        case .engine:
            guard let fingerprint = reader.read(UInt64.self) else { throw Self.nonsense("engine") }
            hasWindows = fingerprint == engine.settings.windowFingerprint
            if !hasWindows {
                engine.checkpoints?.tell("The windows are defined otherwise than before: they begin anew.")
            }
        // The names stand before everything that speaks of them.
        case .names:
            guard engine.table.withIndex({ $0.restore(from: &reader) }) else { throw Self.nonsense("names") }
        case .router: guard state.router.restore(from: &reader) else { throw Self.nonsense("router") }
        case .joiner: guard state.joiner.restore(from: &reader) else { throw Self.nonsense("joiner") }
        case .care: guard state.joiner.care.restore(from: &reader) else { throw Self.nonsense("care") }
        case .positions: guard state.positions.restore(from: &reader) else { throw Self.nonsense("positions") }
        // The shards' own; or a newer program's, of no use here.
        case .sensors, .series, nil: break
        }
    }

    private static func nonsense(_ section: String) -> TocsinError {
        TocsinError(.format, "its section '\(section)' cannot be read")
    }
}

extension EngineSettings {
    /// Changes when saved windows would not fit.
    var windowFingerprint: UInt64 {
        var hash = StableHash()
        hash.combine(UInt64(bitPattern: allowedLateness.nanoseconds))
        for window in windows {
            hash.combine(UInt64(bitPattern: window.size.nanoseconds))
            hash.combine(UInt64(bitPattern: window.slide.nanoseconds))
        }
        return hash.value
    }
}
