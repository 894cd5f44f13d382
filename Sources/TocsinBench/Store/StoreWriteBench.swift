internal import TocsinApp
internal import TocsinCore
internal import TocsinMeasure
internal import TocsinPostgres

/// Writes the same events again and again, each time into a new store.
struct StoreWriteBench {
    let settings: StoreBenchSettings
    let folder: String
    let progress: ProgressLine?

    func run() async throws -> StoreWriteFigure {
        var figure = StoreWriteFigure(rowsPerWrite: settings.rowsPerWrite)
        let peer = try psql()
        for number in 0..<settings.repeats {
            let label = "writing, run \(number + 1) of \(settings.repeats)"
            try await StorePlace.lend(settings, in: folder, name: "written_\(number)") { place in
                guard let peer else {
                    _ = try await write(to: place, label, &figure)
                    return
                }
                try await StorePlace.lend(settings, in: folder, name: "psql_\(number)") { other in
                    try await compare(place, other, peer, label, &figure)
                }
            }
        }
        return figure
    }

    private func psql() throws -> PsqlPeer? {
        guard settings.comparesPsql,
            case .postgres(let server) = try StorePlace(settings, in: folder, name: "none")
        else { return nil }
        return try PsqlPeer(server, file: folder + "/rows.copy")
    }

    /// Both in one run, the other first every second time: what else the machine does meets both.
    private func compare(
        _ place: StorePlace, _ other: StorePlace, _ peer: PsqlPeer, _ label: String,
        _ figure: inout StoreWriteFigure
    ) async throws {
        guard case .postgres(let server) = other else { return }
        let done = figure.rowsPerSecond.values.count
        let isTurned = done % 2 == 1
        var loaded = isTurned ? try await load(other, server.schema, peer, label) : 0
        let ours = try await write(to: place, label, &figure)
        if done == 0, case .postgres(let written) = place {
            progress?("writing the rows to a file for psql")
            try peer.export(from: written.schema)
        }
        if !isTurned { loaded = try await load(other, server.schema, peer, label) }
        let theirs = Double(figure.rows) / Double(max(1, loaded)) * 1e9
        figure.psqlRowsPerSecond.add(theirs)
        figure.psqlRatio.add(ours / theirs)
    }

    private func load(
        _ place: StorePlace, _ schema: String, _ peer: PsqlPeer, _ label: String
    ) async throws -> Int64 {
        let fleet = EventFleet(sensors: StoreBenchSettings.sensors, total: settings.writtenRows)
        try await prepare(place, fleet).close()
        progress?("\(label): psql \\copy")
        return try peer.load(into: schema)
    }

    /// Tables with all names and today's partition, and nothing else to do for the server.
    private func prepare(_ place: StorePlace, _ fleet: EventFleet) async throws -> any Store {
        let store = try await place.open(fleet.table)
        try await store.write([fleet.first()])
        if let store = store as? PostgresStore {
            try await store.execute("TRUNCATE sensor_events")
            // Only some users may; without it what was there before costs a little more on the way.
            try? await store.execute("CHECKPOINT")
        }
        return store
    }

    /// - Returns: rows a second.
    private func write(
        to place: StorePlace, _ label: String, _ figure: inout StoreWriteFigure
    ) async throws -> Double {
        var fleet = EventFleet(sensors: StoreBenchSettings.sensors, total: settings.writtenRows)
        let store = try await prepare(place, fleet)
        var watch = StopWatch()
        var (done, rows) = (0, 0)
        var slowest: Int64 = 0
        while done < settings.writtenRows {
            let size = min(settings.rowsPerWrite, settings.writtenRows - done)
            // Making them is not the store's work.
            let outcomes = fleet.next(size, batch: StoreBenchSettings.batchRows)
            let before = watch.cost.wallNanoseconds
            watch.start()
            try await store.write(outcomes)
            watch.stop()
            slowest = max(slowest, watch.cost.wallNanoseconds - before)
            done += size
            rows += outcomes.reduce(0) { $0 + $1.batch.eventCount }
            progress?("\(label), \(Figure.grouped(done)) of \(Figure.grouped(settings.writtenRows))")
        }
        try await store.close()
        let cost = watch.cost
        let speed = Double(rows) / Double(max(1, cost.wallNanoseconds)) * 1e9
        figure.rows = rows
        figure.rowsPerSecond.add(speed)
        figure.rowsPerCPUSecond.add(Double(rows) / Double(max(1, cost.cpuNanoseconds)) * 1e9)
        figure.slowestWrite = max(figure.slowestWrite, slowest)
        // Those that stood there before are in the file, and have left a server's table.
        let held = rows + (settings.engine == .sqlite ? StoreBenchSettings.sensors : 0)
        figure.bytesPerEvent = Double(try await place.bytes(fleet.table)) / Double(max(1, held))
        return speed
    }
}

/// What writing came to.
struct StoreWriteFigure: Sendable {
    var rowsPerWrite: Int
    /// Events of one run.
    var rows = 0
    var rowsPerSecond = Spread()
    /// Of this process: a server's time is its own.
    var rowsPerCPUSecond = Spread()
    var bytesPerEvent = 0.0
    /// Of all runs, nanoseconds.
    var slowestWrite: Int64 = 0
    /// Empty where psql was not asked for.
    var psqlRowsPerSecond = Spread()
    /// Of each run: ours by psql's.
    var psqlRatio = Spread()
}
