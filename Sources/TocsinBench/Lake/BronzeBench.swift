internal import TocsinApp
internal import TocsinCore
internal import TocsinDecode
internal import TocsinLake
internal import TocsinMeasure
internal import TocsinSpool

/// The lake's writer alone: from records in a spool to Parquet files.
struct BronzeBench {
    let files: ReadingFiles
    let folder: String
    let repeats: Int
    let duckdb: DuckDBSettings
    let writer: LakeWriterSettings
    let progress: ProgressLine?
    private static let inFlight: UInt64 = 16

    /// With the message as received, then without.
    func run() async throws -> [BronzeFigure] {
        let spoolFolder = folder + "/spool"
        var settings = SpoolSettings()
        settings.maximumBytes = .max
        let (spool, _) = try Spool.open(folder: spoolFolder, settings: settings)
        defer { DataFolder.removeTemporary(spoolFolder) }
        let table = SeriesTable(maxSeries: max(LakeBenchSettings.sensors, 1) * 16, seed: 1)
        try await fill(spool, table)
        var figures: [BronzeFigure] = []
        for keepsPayload in [true, false] {
            var figure = BronzeFigure(keepsPayload: keepsPayload)
            for number in 0..<repeats {
                progress?(
                    "bronze \(keepsPayload ? "with" : "without") the message, run \(number + 1) of \(repeats)")
                try await write(spool, table, &figure)
            }
            figures.append(figure)
        }
        await spool.close()
        return figures
    }

    /// The records that the engine makes of these files.
    private func fill(_ spool: Spool, _ table: SeriesTable) async throws {
        let settings = DecoderSettings()
        for (number, path) in files.paths.enumerated() {
            progress?("filling the spool, file \(number + 1) of \(files.paths.count)")
            var decoder = settings.makeDecoder()
            var assembler = settings.makeAssembler()
            let origin = Origin(
                source: SourceID(1), sourceName: "bench", position: 0,
                received: Timestamp(nanoseconds: MachineClock.wall()))
            var batches: [Batch] = []
            try ReadingFiles.read(path) { chunk in
                batches += assembler.append(chunk).map { decoder.decode($0, origin: origin, table: table) }
            }
            batches += assembler.finish().map { decoder.decode($0, origin: origin, table: table) }
            var writer = StateWriter()
            for batch in batches where batch.inputCount > 0 {
                writer.removeAll()
                SpoolEntry.encode(batch, names: nil, into: &writer)
                let sequence = try spool.append(writer)
                if sequence > Self.inFlight { try await spool.durable(sequence - Self.inFlight) }
            }
        }
        try await spool.flush()
    }

    private func write(_ spool: Spool, _ table: SeriesTable, _ figure: inout BronzeFigure) async throws {
        let place = try DataFolder.temporary(in: folder)
        defer { DataFolder.removeTemporary(place) }
        var settings = writer
        settings.keepsPayload = figure.keepsPayload
        // No record comes from an earlier process: names are those of the table.
        let writer = try await LakeWriter(
            spool: spool, destination: .folder(try FolderStorage(place + "/lake")), stateFolder: place + "/state",
            duckdb: duckdb, settings: settings, lastFound: 0, decodeAgain: { _ in nil })
        var watch = StopWatch()
        watch.start()
        try await writer.flush(table)
        watch.stop()
        let found = writer.figures
        figure.readings = found.readings
        figure.files = found.files
        figure.bytesPerReading = Double(found.bytes) / Double(max(1, found.readings))
        figure.readingsPerSecond.add(Double(found.readings) / Double(max(1, watch.cost.wallNanoseconds)) * 1e9)
        figure.cpuSeconds.add(Double(watch.cost.cpuNanoseconds) / 1e9)
    }
}

/// What writing bronze came to.
struct BronzeFigure: Sendable {
    /// Whether each message is kept as received.
    let keepsPayload: Bool
    /// Of one run.
    var readings = 0
    var files = 0
    var bytesPerReading = 0.0
    var readingsPerSecond = Spread()
    var cpuSeconds = Spread()

    init(keepsPayload: Bool) { self.keepsPayload = keepsPayload }
}
