internal import Synchronization
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinDecode
internal import TocsinEngine
internal import TocsinMeasure
internal import TocsinSpool
internal import TocsinStore

/// Runs single stages over the same input, each with new state in every run.
struct StageBench {
    let files: ReadingFiles
    let configuration: TocsinConfiguration
    let repeats: Int
    let progress: ProgressLine?
    private static let outcomesPerWrite = 16
    private static let spooledInFlight: UInt64 = 16

    /// The stages in the order asked for, and how many readings they saw.
    func run(_ stages: [PipelineStage]) async throws -> (figures: [StageFigure], readings: Int) {
        let prepared = try await prepare(keepsOutcomes: stages.contains(.persist))
        var figures: [StageFigure] = []
        for stage in stages {
            var costs: [Cost] = []
            for number in 0..<repeats {
                progress?("\(stage.rawValue), run \(number + 1) of \(repeats)")
                costs.append(try await run(stage, prepared))
            }
            figures.append(.median(stage.rawValue, readings: prepared.readings, of: costs))
        }
        return (figures, prepared.readings)
    }

    /// One pass of all stages together, on one thread, up to each of them in turn.
    func runCumulative(persists: Bool) async throws -> [StageFigure] {
        let steps: [(name: String, depth: Int)] =
            [("decode", 1), ("+ validate", 2), ("+ shard", 3), ("+ join", 4)] + (persists ? [("+ persist", 5)] : [])
        var figures: [StageFigure] = []
        for step in steps {
            var costs: [Cost] = []
            var readings = 0
            for number in 0..<repeats {
                progress?("\(step.name), run \(number + 1) of \(repeats)")
                let (cost, count) = try await chain(depth: step.depth)
                costs.append(cost)
                readings = count
            }
            figures.append(.median(step.name, readings: readings, of: costs))
        }
        return figures
    }

    private struct Prepared {
        var batches: [Batch] = []
        var table: SeriesTable
        var readings = 0
        var outcomes: [BatchOutcome] = []
    }

    private var settings: EngineSettings { get throws { try EngineSettings(configuration, isLive: false) } }

    private func prepare(keepsOutcomes: Bool) async throws -> Prepared {
        progress?("reading and decoding the input")
        let table = SeriesTable(maxSeries: configuration.engine.maxSeries, seed: 1)
        var prepared = Prepared(table: table)
        try decode(table: table) { batch in
            prepared.readings += batch.readingCount
            prepared.batches.append(batch)
        }
        if keepsOutcomes {
            var probe = try EngineProbe(settings: settings, table: table)
            for batch in prepared.batches {
                let routed = probe.route(batch)
                let results = probe.shard(routed)
                prepared.outcomes.append(probe.join(routed, results))
            }
        }
        return prepared
    }

    private func run(_ stage: PipelineStage, _ prepared: Prepared) async throws -> Cost {
        switch stage {
        case .decode:
            return try decode(table: SeriesTable(maxSeries: configuration.engine.maxSeries, seed: 1)) { _ in }
        case .validate: return try probe(prepared, measures: .validate)
        case .shard: return try probe(prepared, measures: .shard)
        case .join: return try probe(prepared, measures: .join)
        case .deduplicate: return try loop(prepared) { $0.deduplicate($1) }
        case .bank: return try loop(prepared) { $0.assess($1) }
        case .windows: return try loop(prepared) { $0.window($1) }
        case .forest: return try forest(prepared)
        case .persist: return try await persist(prepared.outcomes, table: prepared.table)
        case .spool: return try await spool(prepared.batches)
        }
    }

    /// Only the cutting and decoding is measured, not the reading of the files.
    @discardableResult
    private func decode(table: SeriesTable, _ take: (Batch) throws -> Void) throws -> Cost {
        var watch = StopWatch()
        let received = Timestamp(nanoseconds: MachineClock.wall())
        for path in files.paths {
            let settings = DecoderSettings()
            var assembler = settings.makeAssembler()
            var decoder = settings.makeDecoder()
            let origin = Origin(source: SourceID(1), sourceName: "bench", position: 0, received: received)
            try ReadingFiles.read(path) { chunk in
                watch.start()
                let batches = assembler.append(chunk).map { decoder.decode($0, origin: origin, table: table) }
                watch.stop()
                for batch in batches where batch.inputCount > 0 { try take(batch) }
            }
            watch.start()
            let batches = assembler.finish().map { decoder.decode($0, origin: origin, table: table) }
            watch.stop()
            for batch in batches where batch.inputCount > 0 { try take(batch) }
        }
        return watch.cost
    }

    private func loop(_ prepared: Prepared, _ body: (inout StageLoops, Batch) -> Void) throws -> Cost {
        var loops = try StageLoops(definitions: configuration.windows, lateness: configuration.engine.allowedLateness)
        var watch = StopWatch()
        watch.start()
        for batch in prepared.batches { body(&loops, batch) }
        watch.stop()
        return watch.cost
    }

    private func forest(_ prepared: Prepared) throws -> Cost {
        var loops = try StageLoops(definitions: configuration.windows, lateness: configuration.engine.allowedLateness)
        var watch = StopWatch()
        var rows: [Double] = []
        for batch in prepared.batches {
            loops.window(batch)
            loops.assess(batch)
            rows.removeAll(keepingCapacity: true)
            loops.appendFeatures(to: &rows)
            watch.start()
            loops.score(rows)
            watch.stop()
        }
        return watch.cost
    }

    private func probe(_ prepared: Prepared, measures stage: PipelineStage) throws -> Cost {
        var probe = try EngineProbe(settings: settings, table: prepared.table)
        var (route, shard, join) = (StopWatch(), StopWatch(), StopWatch())
        for batch in prepared.batches {
            route.start()
            let routed = probe.route(batch)
            route.stop()
            if stage == .validate { continue }
            shard.start()
            let results = probe.shard(routed)
            shard.stop()
            if stage == .shard { continue }
            join.start()
            _ = probe.join(routed, results)
            join.stop()
        }
        return (stage == .validate ? route : stage == .shard ? shard : join).cost
    }

    private func persist(_ outcomes: [BatchOutcome], table: SeriesTable) async throws -> Cost {
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        let store = try openStore(in: folder, table: table)
        var watch = StopWatch()
        watch.start()
        for start in stride(from: 0, to: outcomes.count, by: Self.outcomesPerWrite) {
            let end = min(outcomes.count, start + Self.outcomesPerWrite)
            _ = try await store.write(Array(outcomes[start..<end]))
        }
        watch.stop()
        try await store.close()
        return watch.cost
    }

    /// As the engine does it: append, and wait for the disk with a few batches on their way.
    private func spool(_ batches: [Batch]) async throws -> Cost {
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        let (spool, _) = try Spool.open(folder: folder)
        var watch = StopWatch()
        watch.start()
        var writer = StateWriter()
        for batch in batches {
            writer.removeAll()
            SpoolEntry.encode(batch, names: nil, into: &writer)
            let number = try spool.append(writer)
            guard number > Self.spooledInFlight else { continue }
            let durable = number - Self.spooledInFlight
            try await spool.durable(durable)
            spool.release(through: durable)
        }
        try await spool.flush()
        watch.stop()
        await spool.close()
        return watch.cost
    }

    private func openStore(in folder: String, table: SeriesTable) throws -> SQLiteStore {
        try SQLiteStore(
            path: folder + "/bench.sqlite", table: table,
            settings: SQLiteSettings(storesEvents: configuration.store.storeEvents, windows: configuration.windows))
    }

    private func chain(depth: Int) async throws -> (cost: Cost, readings: Int) {
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        let table = SeriesTable(maxSeries: configuration.engine.maxSeries, seed: 1)
        let store = try openStore(in: folder, table: table)
        var probe = try EngineProbe(settings: settings, table: table)
        var outcomes: [BatchOutcome] = []
        var readings = 0
        var rest = StopWatch()
        // The store is asynchronous, the decoder is not: batches of one file at a time.
        var cost = Cost()
        for path in files.paths {
            let file = try ReadingFiles(at: path)
            let bench = StageBench(files: file, configuration: configuration, repeats: 1, progress: nil)
            let decoded = try bench.decode(table: table) { batch in
                readings += batch.readingCount
                guard depth > 1 else { return }
                rest.start()
                defer { rest.stop() }
                let routed = probe.route(batch)
                guard depth > 2 else { return }
                let results = probe.shard(routed)
                guard depth > 3 else { return }
                let outcome = probe.join(routed, results)
                if depth > 4 { outcomes.append(outcome) }
            }
            cost.add(decoded)
            rest.start()
            for start in stride(from: 0, to: outcomes.count, by: Self.outcomesPerWrite) {
                let end = min(outcomes.count, start + Self.outcomesPerWrite)
                _ = try await store.write(Array(outcomes[start..<end]))
            }
            outcomes.removeAll(keepingCapacity: true)
            rest.stop()
        }
        try await store.close()
        cost.add(rest.cost)
        return (cost, readings)
    }
}

extension Cost {
    mutating func add(_ other: Cost) {
        wallNanoseconds += other.wallNanoseconds
        cpuNanoseconds += other.cpuNanoseconds
        if let count = other.allocations { allocations = (allocations ?? 0) + count }
    }
}
