internal import Synchronization
public import TocsinCore

/// One pass from bronze over silver to gold: what is missing or was made of something else is made, the rest stays.
///
/// ```swift
/// let run = ETLRun(ETLSettings(workFolder: "state/etl"), storage: storage, source: operationalStore)
/// let result = await run.run { progress in print(progress.work) }
/// ```
/// It keeps no state of its own: the name of a file carries a hash of all that it was made of (names of its input files,
/// SQL, parameters, alarms), so a partition whose file has that name is done, and a second run makes the same files. It may
/// end at any moment: a file gets its name when it is complete, the one before it is deleted afterwards, and the next run
/// finishes both. Only one run at a time may work on a lake.
public final class ETLRun: Sendable {
    let settings: ETLSettings
    let storage: any ObjectStorage
    private let source: (any GoldSource)?
    private let clock: any WallClock
    let state: Mutex<ETLState>

    /// - Parameter source: the operational store; nil: anomalies, alarms and windows stay as they are in the lake.
    public init(
        _ settings: ETLSettings, storage: any ObjectStorage, source: (any GoldSource)? = nil,
        transforms folder: String? = nil, clock: any WallClock = SystemClock()
    ) {
        self.settings = settings
        self.storage = storage
        self.source = source
        self.clock = clock
        transformsFolder = folder
        state = Mutex(ETLState())
    }
    private let transformsFolder: String?

    /// Runs to the end; what goes wrong is in the result's job. Cancelling the task stops it.
    /// - Parameter onProgress: told before and after each file, from any thread.
    public func run(onProgress: @escaping @Sendable (ETLProgress) -> Void = { _ in }) async -> ETLResult {
        let started = clock.now()
        state.withLock { $0 = ETLState(onProgress: onProgress) }
        var failure: String?
        do {
            try await work()
        } catch is CancellationError {
            failure = "It was stopped; the next run goes on from there."
        } catch {
            failure = Task.isCancelled ? "It was stopped; the next run goes on from there." : "\(error)"
        }
        let finished = clock.now()
        return state.withLock { $0.result(settings, started: started, finished: finished, failure: failure) }
    }

    private func work() async throws {
        try LocalFiles.empty(settings.workFolder)
        defer { try? LocalFiles.empty(settings.workFolder) }
        let transformations = try Transformations(folder: transformsFolder)
        try await Compaction.recover(storage)
        let count = max(1, settings.workers)
        let workers = try (0..<count).map { try ETLWorker(settings, number: $0, location: storage.location) }
        try await Self.check(settings, transformations, workers[0])

        let bronze = try await LakeTableParts(storage, table: Transformation.bronze)
        let silver = try await LakeTableParts(storage, table: Transformation.silver)
        state.withLock { $0.parts[Transformation.silver] = silver }
        let verdicts = GoldRefresh(self, source: wants(.gold) ? source : nil, bronze: bronze, silver: silver)
        try await verdicts.alarms(workers[0])
        try await loadAlarms(workers)
        if wants(.silver) {
            let hours = bronze.partitions(from: settings.start, to: settings.end)
            let maker = SilverMaker(self, transformations, bronze)
            let sizes = hours.map { hour in bronze[hour].reduce(1) { $0 + $1.bytes } }
            try await parallel(workers, hours, sizes, share: 0...(wants(.gold) ? 0.75 : 1)) { worker, hour in
                try await maker.make(hour, worker)
            }
        }
        if !settings.maximumShares.isEmpty { try await judge(workers[0]) }
        guard wants(.gold) else { return }
        try await verdicts.anomaliesAndWindows(workers[0])
        let levels = Transformations.levels(wantedTables(transformations.gold))
        for (place, level) in levels.enumerated() {
            var units: [(maker: GoldMaker, partition: LakePartition, size: Int64)] = []
            for table in level {
                let maker = GoldMaker(self, table)
                units += try await maker.partitions().map { (maker, $0.partition, $0.bytes) }
            }
            // A day takes as long as its hours: begun last, it would leave the other workers without work.
            units.sort { $0.size > $1.size }
            let width = 0.25 / Double(levels.count)
            let share = (0.75 + width * Double(place))...(0.75 + width * Double(place + 1))
            try await parallel(workers, units, units.map(\.size), share: share) { worker, unit in
                try await unit.maker.make(unit.partition, worker)
            }
        }
    }

    /// Looks whether everything that a run needs to know is right, before anything is made.
    /// - Parameter folder: the user's SQL.
    /// - Throws: `TocsinError` naming the SQL file that is wrong, or the limit whose rule is not known.
    public static func check(_ settings: ETLSettings, transforms folder: String?, location: String) async throws {
        var own = settings
        own.workFolder += ".check"
        defer { LocalFiles.removeFolder(own.workFolder) }
        let worker = try ETLWorker(own, number: 0, location: location)
        try await check(settings, try Transformations(folder: folder), worker)
    }

    private static func check(_ settings: ETLSettings, _ transformations: Transformations, _ worker: ETLWorker)
        async throws
    {
        let known = try await worker.connection.run { try ETLWorker.check(transformations, $0) }
        let unknown = settings.maximumShares.keys.filter { !known.contains($0) }.sorted()
        guard unknown.isEmpty else {
            throw TocsinError(
                .usage,
                "There is no rule \(unknown.map { "'\($0.printable)'" }.joined(separator: ", ")) that could have a limit.",
                place: transformations.quality.place,
                remedy: "Known rules are \(known.joined(separator: ", ")).")
        }
    }

    /// The figures of all hours of the range, from the files that stand there now.
    private func judge(_ worker: ETLWorker) async throws {
        let hours = try await parts(of: Transformation.silver)
        for hour in hours.partitions(from: settings.start, to: settings.end) {
            try Task.checkCancellation()
            let parts = hours[hour]
            let counts = try await worker.connection.run { _ in
                parts.compactMap { ReportedFigures.counts(try? worker.metadata(ReportedFigures.key, of: $0)) }.last
            }
            state.withLock { state in
                var judged = state.judged ?? [:]
                for (rule, rows) in counts?.rows ?? [] { judged[rule, default: 0] += rows }
                state.judged = judged
                if counts == nil { state.unjudged.append("\(Transformation.silver)/\(hour.path)") }
            }
        }
    }

    func wants(_ layer: LakeLayer) -> Bool { settings.layers.contains(layer) }

    /// The tables that were asked for, and those that they are made of.
    private func wantedTables(_ all: [Transformation]) -> [Transformation] {
        guard var names = settings.tables else { return all }
        for one in all.reversed() where names.contains(one.table) { names.insert(one.input) }
        return all.filter { names.contains($0.table) }
    }

    /// All alarms up to the end of the range, in each worker's table `all_alarms`.
    private func loadAlarms(_ workers: [ETLWorker]) async throws {
        let parts = try await LakePart.list(storage, prefix: GoldTable.alarms.path + "/").filter { part in
            settings.end.map { part.partition.start < $0 } ?? true
        }
        for (index, worker) in workers.enumerated() {
            for part in parts {
                let skipped = try await worker.connection.run { connection -> [SkippedFile] in
                    do {
                        try connection.execute(
                            "INSERT INTO all_alarms BY NAME FROM read_parquet(\(DuckDB.literal(worker.url(of: part.path))), "
                                + "hive_partitioning = false)")
                        return []
                    } catch {
                        let damaged = try worker.damaged([part])
                        if damaged.isEmpty { throw error }
                        return damaged
                    }
                }
                if index == 0 { state.withLock { $0.skipped += skipped } }
            }
        }
    }

    /// Hands units to workers, each the next as soon as it is free.
    private func parallel<Unit: Sendable>(
        _ workers: [ETLWorker], _ units: [Unit], _ sizes: [Int64], share: ClosedRange<Double>,
        _ body: @escaping @Sendable (ETLWorker, Unit) async throws -> Void
    ) async throws {
        let queue = ETLQueue(sizes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers.prefix(max(1, units.count)) {
                group.addTask {
                    while let index = queue.next() {
                        try Task.checkCancellation()
                        try await body(worker, units[index])
                        self.progress(share.lowerBound + queue.finish(index) * (share.upperBound - share.lowerBound))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Tells how far it is; never less than before.
    func progress(_ fraction: Double? = nil, work: String? = nil) {
        let (tell, progress) = state.withLock { state in
            state.progress.fraction = max(state.progress.fraction, min(fraction ?? 0, 1))
            if let work { state.progress.work = work }
            return (state.onProgress, state.progress)
        }
        tell(progress)
    }

    /// Gives a local file its name in the lake and deletes the parts that it takes the place of.
    func place(_ path: String, _ table: String, _ partition: LakePartition, name: String, insteadOf older: [LakePart])
        async throws
    {
        let target = "\(table)/\(partition.path)/\(name)"
        let bytes = LocalFiles.size(path) ?? 0
        if let folder = storage as? FolderStorage {
            try await folder.move(file: path, as: target)
        } else {
            try await storage.put(file: path, as: target)
            try LocalFiles.remove(path)
        }
        try await settled(target, table, partition, bytes: bytes, older: older, isNew: true)
    }

    /// Deletes what stands beside a partition's file, and remembers that file.
    func settled(
        _ path: String, _ table: String, _ partition: LakePartition, bytes: Int64, older: [LakePart], isNew: Bool
    ) async throws {
        for part in older where part.path != path { try await storage.delete(part.path) }
        let object = StoredObject(name: path, bytes: bytes, changed: clock.now())
        state.withLock { state in
            if isNew {
                state.made[table, default: 0] += 1
                state.bytesWritten += bytes
                state.changed.insert(partition)
            } else {
                state.unchanged[table, default: 0] += 1
            }
            state.parts[table, default: LakeTableParts()][partition] = LakePart(object).map { [$0] } ?? []
        }
    }

    /// The parts of a table as they are now; listed on first use.
    func parts(of table: String) async throws -> LakeTableParts {
        if let known = state.withLock({ $0.parts[table] }) { return known }
        let listed = try await LakeTableParts(storage, table: table)
        return state.withLock { state in
            state.parts[table] = state.parts[table] ?? listed
            return state.parts[table] ?? listed
        }
    }

    var now: Timestamp { clock.now() }
}

/// The units of a phase, in turn.
private final class ETLQueue: Sendable {
    private let sizes: [Int64]
    private let state = Mutex((next: 0, done: Int64(0)))

    init(_ sizes: [Int64]) { self.sizes = sizes }

    /// nil when all are handed out.
    func next() -> Int? {
        state.withLock { state in
            guard state.next < sizes.count else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    /// The part of the phase that is done, by size.
    func finish(_ index: Int) -> Double {
        state.withLock { state in
            state.done += sizes[index]
            return Double(state.done) / Double(max(1, sizes.reduce(0, +)))
        }
    }
}
