internal import TocsinApp
internal import TocsinCore
internal import TocsinLake
internal import TocsinMeasure

/// Bronze to silver and hourly aggregates, from nothing each time.
struct ETLBench {
    let settings: LakeBenchSettings
    let folder: String
    let duckdb: DuckDBSettings
    /// Working threads, and bytes for all of them.
    let workers: Int
    let memory: Int64
    let progress: ProgressLine?
    /// So small that start-up counts: what such jobs usually see.
    private static let fewMessages = 25_000

    func run() async throws -> ETLFigures {
        let peer = try settings.python.map { try PandasPeer(python: $0) }
        var figures = ETLFigures()
        for kind in ETLInput.Kind.allCases {
            let lake = try DataFolder.temporary(in: folder)
            defer { DataFolder.removeTemporary(lake) }
            let input = ETLInput(kind: kind, readings: settings.etlReadings, folder: lake)
            let connection = try DuckDB.open(duckdb).connect()
            try await connection.run { [progress] in try input.make($0, progress: progress) }
            figures.kinds.append(try await measure(lake, name: "\(kind.rawValue) messages"))
            guard let peer, kind == .wide else { continue }
            let small = try DataFolder.temporary(in: folder)
            defer { DataFolder.removeTemporary(small) }
            try await connection.run { try ETLInput.extract(Self.fewMessages, of: input, to: small, $0) }
            try await compare(small, peer, &figures)
        }
        return figures
    }

    private func measure(_ lake: String, name: String) async throws -> ETLFigure {
        var figure = ETLFigure(name: name)
        for number in 0..<settings.repeats {
            progress?("ETL of \(name), run \(number + 1) of \(settings.repeats)")
            try await once(lake, &figure)
        }
        return figure
    }

    /// The same file for both, in turn.
    private func compare(_ lake: String, _ peer: PandasPeer, _ figures: inout ETLFigures) async throws {
        let input = ETLInput(kind: .wide, readings: 0, folder: lake).firstFile
        var (ours, theirs) = (ETLFigure(name: "a small file"), ETLFigure(name: "pandas \(peer.version)"))
        for number in 0..<settings.repeats {
            progress?("ETL of a small file beside pandas, run \(number + 1) of \(settings.repeats)")
            try await once(lake, &ours)
            try peer.run(input, output: lake, &theirs)
        }
        figures.small = ours
        figures.pandas = theirs
    }

    private func once(_ lake: String, _ figure: inout ETLFigure) async throws {
        for layer in ["silver", "gold"] { DataFolder.removeTemporary("\(lake)/\(layer)") }
        var etl = ETLSettings(workFolder: lake + "/.work")
        etl.tables = ["gold/hourly"]
        etl.ranges = [PlausibleRange(metric: "temperature", low: -50, high: 60)]
        etl.workers = workers
        etl.memoryBytes = memory
        etl.duckdb = duckdb
        let storage = try FolderStorage(lake)
        var watch = StopWatch()
        watch.start()
        let result = await ETLRun(etl, storage: storage).run()
        watch.stop()
        if let error = result.job.error { throw TocsinError(.lake, "the ETL failed: \(error)") }
        let rows = result.rows["rows_in"] ?? 0
        guard rows > 0, result.made["gold/hourly"] ?? 0 > 0 else {
            throw TocsinError(.lake, "the ETL made nothing of \(rows) rows")
        }
        figure.rows = rows
        figure.rowsPerSecond.add(Double(rows) / Double(max(1, watch.cost.wallNanoseconds)) * 1e9)
        figure.cpuSeconds.add(Double(watch.cost.cpuNanoseconds) / 1e9)
    }
}

/// What one job came to.
struct ETLFigure: Sendable {
    var name: String
    /// Readings that went in, of one run.
    var rows = 0
    var rowsPerSecond = Spread()
    /// Empty where nobody counted.
    var cpuSeconds = Spread()

    init(name: String) { self.name = name }
}

/// What all of them came to.
struct ETLFigures: Sendable {
    var kinds: [ETLFigure] = []
    /// Of a small file: ours and pandas'; nil unless asked for.
    var small: ETLFigure?
    var pandas: ETLFigure?
}
