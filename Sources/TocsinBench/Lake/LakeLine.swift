internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinEngine
internal import TocsinLake
internal import TocsinMeasure
internal import TocsinSpool
internal import TocsinStore

/// The whole line from files to stored verdicts, with the spool on as `tocsin replay --spool` has it, in this process:
/// alone, and with the lake's writer beside it as `tocsin run` has it.
struct LakeLine {
    let files: ReadingFiles
    let folder: String
    let repeats: Int
    let configuration: TocsinConfiguration
    let duckdb: DuckDBSettings
    let writer: LakeWriterSettings
    let progress: ProgressLine?

    /// In turn, the other first every second time: what else the machine does meets both.
    func run() async throws -> LakeLineFigure {
        var figure = LakeLineFigure()
        progress?("whole line, warming up")
        _ = try await once(hasLake: false)
        for number in 0..<repeats {
            var (alone, beside) = (LakeLineRun(), LakeLineRun())
            for hasLake in number % 2 == 0 ? [false, true] : [true, false] {
                progress?("whole line \(hasLake ? "with" : "without") the lake, run \(number + 1) of \(repeats)")
                let run = try await once(hasLake: hasLake)
                if hasLake { beside = run } else { alone = run }
            }
            figure.add(alone: alone, beside: beside)
        }
        return figure
    }

    private func once(hasLake: Bool) async throws -> LakeLineRun {
        let place = try DataFolder.temporary(in: folder)
        defer { DataFolder.removeTemporary(place) }
        let table = SeriesTable(maxSeries: configuration.engine.maxSeries, seed: 1)
        let store = try SQLiteStore(
            path: place + "/bench.sqlite", table: table,
            settings: SQLiteSettings(storesEvents: configuration.store.storeEvents, windows: configuration.windows))
        let (spool, _) = try Spool.open(folder: place + "/spool", settings: spoolSettings)
        let durability = EngineDurability(
            spool: spool, checkpoints: try CheckpointFolder.open(place + "/checkpoints"),
            interval: configuration.spool.checkpointInterval, spoolBytes: configuration.spool.maxBytes)
        let engine = Engine(
            settings: try EngineSettings(configuration, isLive: false), table: table, store: store,
            clock: SystemClock(), durability: durability)
        let lake = try await hasLake ? lakeWriter(spool, in: place) : nil
        try await engine.prepare()
        let source = try FileSource(
            name: "bench", paths: files.paths, follows: false, decoding: DecoderSettings(), table: table,
            identity: SourceID(1), clock: SystemClock())
        let run = try await drive(engine, source, lake, table)
        await spool.close()
        try await store.close()
        return run
    }

    private var spoolSettings: SpoolSettings {
        var settings = SpoolSettings()
        settings.flushInterval = configuration.spool.flushInterval
        settings.flushesEachBatch = configuration.spool.flushInterval.nanoseconds == 0
        settings.flushBytes = configuration.spool.flushBytes
        settings.segmentBytes = Int64(configuration.spool.segmentBytes)
        settings.maximumBytes = Int64(configuration.spool.maxBytes)
        return settings
    }

    private func lakeWriter(_ spool: Spool, in place: String) async throws -> LakeWriter {
        try await LakeWriter(
            spool: spool, destination: .folder(try FolderStorage(place + "/lake")), stateFolder: place + "/state",
            duckdb: duckdb, settings: writer, decodeAgain: { _ in nil })
    }

    private func drive(
        _ engine: Engine, _ source: FileSource, _ lake: LakeWriter?, _ table: SeriesTable
    ) async throws -> LakeLineRun {
        var (line, rest) = (StopWatch(), StopWatch())
        // Awaited below, when the line is through.
        let writing = Task { await lake?.run(table) }
        line.start()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await engine.run() }
                group.addTask {
                    // Whatever happens to the source, the engine must come to its end.
                    defer { engine.finish() }
                    try await source.run(delivery: engine)
                    _ = try await engine.endOfInput().wait()
                }
                try await group.waitForAll()
            }
        } catch {
            writing.cancel()
            await writing.value
            throw error
        }
        line.stop()
        let written = lake?.figures.readings ?? 0
        rest.start()
        writing.cancel()
        await writing.value
        try await lake?.flush(table)
        rest.stop()
        let readings = Int(clamping: engine.metrics.snapshot.received)
        let lakeReadings = lake?.figures.readings ?? readings
        guard lakeReadings == readings else {
            throw TocsinError(.lake, "bronze has \(lakeReadings) of \(readings) readings")
        }
        return LakeLineRun(
            readings: readings, seconds: Double(line.cost.wallNanoseconds) / 1e9,
            cpuSeconds: Double(line.cost.cpuNanoseconds + rest.cost.cpuNanoseconds) / 1e9,
            secondsBehind: Double(rest.cost.wallNanoseconds) / 1e9,
            shareWritten: Double(written) / Double(max(1, readings)))
    }
}

/// One way through the line.
struct LakeLineRun: Sendable {
    var readings = 0
    /// Until all was stored.
    var seconds = 0.0
    /// Until the lake had caught up.
    var cpuSeconds = 0.0
    /// That the lake took to catch up when all was stored.
    var secondsBehind = 0.0
    /// Of the readings in bronze when all was stored, 0 to 1.
    var shareWritten = 0.0

    var readingsPerSecond: Double { seconds > 0 ? Double(readings) / seconds : 0 }
}

/// What the lake's writer costs the line.
struct LakeLineFigure: Sendable {
    private(set) var readings = 0
    private(set) var alone = Spread()
    private(set) var beside = Spread()
    /// Of each pair of runs: how much of the line's speed was lost, 0 to 1.
    private(set) var loss = Spread()
    private(set) var cpuAlone = Spread()
    private(set) var cpuBeside = Spread()
    private(set) var shareWritten = Spread()
    private(set) var secondsBehind = Spread()

    mutating func add(alone first: LakeLineRun, beside second: LakeLineRun) {
        readings = first.readings
        alone.add(first.readingsPerSecond)
        beside.add(second.readingsPerSecond)
        loss.add(1 - second.readingsPerSecond / max(first.readingsPerSecond, 1))
        cpuAlone.add(first.cpuSeconds)
        cpuBeside.add(second.cpuSeconds)
        shareWritten.add(second.shareWritten)
        secondsBehind.add(second.secondsBehind)
    }
}
