internal import Synchronization
public import TocsinCore
public import TocsinSpool

/// Writes bronze: reads the spool at its own pace and makes one Parquet file per hour of event time of what has gathered.
///
/// ```swift
/// let writer = try LakeWriter(spool: spool, storage: .folder(storage), stateFolder: "data/lake", duckdb: settings)
/// try await engine.prepare()           // ids of names are known from here on
/// try await writer.run(table)          // until cancelled
/// ```
/// Nothing on the engine's path waits for it: the spool keeps what it has not read yet. A roll is the records behind the
/// position up to some record; its intent is on disk before its first file, so that after a crash exactly the same roll is
/// made again over itself: nothing is missing, nothing is there twice.
public actor LakeWriter {
    /// Where finished files go.
    public enum Destination: Sendable {
        /// A folder on this machine: by a rename.
        case folder(FolderStorage)
        /// Elsewhere: through a queue on local disk, which somebody has to run.
        case queue(UploadQueue)
    }

    /// What a step came to.
    public enum Step: Sendable, Equatable {
        /// Records were read; there may be more.
        case gathered
        /// A roll is in bronze.
        case rolled
        /// Nothing to do before something comes in or becomes old enough.
        case idle
        /// The queue has no room.
        case waitingForRoom
    }

    /// The name under which the spool keeps records for this reader.
    public static let holdName = "lake"

    public let settings: LakeWriterSettings
    let spool: Spool
    let destination: Destination
    let files: LakeStateFolder
    let clock: any WallClock
    let observer: LakeObserver
    let maker: BronzeFileMaker
    private let lastFound: UInt64
    private let decodeAgain: @Sendable (RawInput) -> Batch?
    // Reading the spool and decoding is work too: none of it may take time from the pipeline.
    private let executor = PatientExecutor("tocsin.lake.writer")
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    let sorting = BlockingQueue.patient("tocsin.lake.sorting")
    let shown: Mutex<Shown>

    /// What others may look at while a step is under way.
    struct Shown: Sendable {
        var figures = LakeWriterFigures()
        /// When the oldest gathered message arrived.
        var oldest: Timestamp?
        var isRunning = false
        /// Somebody wants everything up to here in bronze now.
        var wanted: UInt64 = 0
        /// Up to here there is nothing to be written.
        var passed: UInt64 = 0
    }

    // What the steps change, one at a time.
    private var intake: SpoolIntake?
    var position: LakePosition
    var intent: LakeIntent?
    var roll: LakeRoll
    var names = NameBook()
    /// Records of the roll at work are damaged or gone: its files may come out smaller than those that an earlier
    /// attempt has placed.
    var hasLostRecords: Bool
    private var attempts = 0
    private var isStepping = false

    /// Takes up what an earlier process left, and makes the spool keep what is not in bronze yet: to be called before
    /// anybody releases records.
    /// - Parameters:
    ///   - stateFolder: for position, intent and files in the making; best on the file system of a folder lake, never
    ///     inside of it.
    ///   - lastFound: the last record in the spool when it was opened, see `EngineDurability.lastFound`.
    ///   - decodeAgain: see `EngineDurability.decodeAgain`.
    /// - Throws: `TocsinError` where DuckDB is missing, or the state's folder cannot be used.
    public init(
        spool: Spool, destination: Destination, stateFolder: String, duckdb: DuckDBSettings,
        settings: LakeWriterSettings = LakeWriterSettings(), lastFound: UInt64? = nil,
        clock: any WallClock = SystemClock(), observer: LakeObserver = LakeObserver(),
        decodeAgain: @escaping @Sendable (RawInput) -> Batch?
    ) async throws {
        self.spool = spool
        self.destination = destination
        self.settings = settings
        self.clock = clock
        self.observer = observer
        self.lastFound = lastFound ?? spool.figures.nextSequence - 1
        self.decodeAgain = decodeAgain
        maker = try BronzeFileMaker(duckdb, threads: settings.threads)
        files = try LakeStateFolder(stateFolder)
        let found = try await files.takeUp(spool: spool, destination: destination, settings)
        for note in found.notes { observer.tell(note) }
        position = found.position
        intent = found.intent
        roll = LakeRoll(
            first: found.position.record + 1, keepsPayload: found.intent?.keepsPayload ?? settings.keepsPayload)
        var shown = Shown()
        shown.figures.position = found.position.record
        self.shown = Mutex(shown)
        let last = max(found.position.record, found.intent?.last ?? 0)
        let there = spool.figures.nextSequence - 1
        hasLostRecords = there < last
        if let intent = found.intent, there < intent.last {
            observer.tell(
                LakeNote(
                    "The spool ends at record \(there), and files of bronze were begun up to \(intent.last): what it has "
                        + "lost is in the lake only where its files are complete.", isProblem: true))
        }
        // These numbers are in file names: a record that got one of them again would be taken for written.
        try spool.skip(through: last)
        spool.hold(Self.holdName, after: found.position.record)
    }

    /// Cheap: for every scrape.
    public nonisolated var figures: LakeWriterFigures {
        let durable = spool.durableSequence
        let now = clock.now()
        return shown.withLock { shown in
            var figures = shown.figures
            figures.lagRecords = durable - min(durable, max(figures.position, shown.passed))
            figures.lagSeconds = figures.lagRecords == 0 ? 0 : shown.oldest.map { max(0, now.since($0).seconds) } ?? 0
            return figures
        }
    }

    /// Writes until it is cancelled; failures are told, shown in `figures`, and tried again. What is in the spool then
    /// stays there for the next run, unless `flush` was called.
    /// - Parameter table: as it is after the engine's `prepare`.
    public func run(
        _ table: SeriesTable,
        sleep: @Sendable (Span64) async throws -> Void = { try await Task.sleep(for: .nanoseconds($0.nanoseconds)) }
    ) async {
        shown.withLock { $0.isRunning = true }
        defer { shown.withLock { $0.isRunning = false } }
        while !Task.isCancelled {
            do {
                switch try await step(table) {
                case .gathered, .rolled: attempts = 0
                case .idle, .waitingForRoom: try await sleep(settings.pollInterval)
                }
            } catch {
                guard !Task.isCancelled, !(error is CancellationError) else { return }
                try? await sleep(fail(error))
            }
        }
    }

    /// Everything that is in the spool now is in bronze (or in the queue) when it returns. Beside `run` it waits for it,
    /// otherwise it does the work itself.
    /// - Throws: what keeps it from being written; beside `run` only on cancellation.
    public nonisolated func flush(
        _ table: SeriesTable,
        sleep: @Sendable (Span64) async throws -> Void = { try await Task.sleep(for: .nanoseconds($0.nanoseconds)) }
    ) async throws {
        try await spool.flush()
        let last = spool.durableSequence
        shown.withLock { $0.wanted = max($0.wanted, last) }
        while true {
            let (isRunning, reached) = shown.withLock { ($0.isRunning, $0.figures.position) }
            if reached >= last { return }
            switch isRunning ? .idle : try await step(table) {
            case .gathered, .rolled: continue
            case .idle: try await sleep(.milliseconds(20))
            case .waitingForRoom:
                throw TocsinError(
                    .lake, "The queue of files to be sent is full; what is left stays in the spool.", isRetriable: true)
            }
        }
    }

    /// Reads some records, or makes a roll that is due. For tests and for those who drive it by hand: `run` and `flush` call
    /// it; one at a time.
    public func step(_ table: SeriesTable) async throws -> Step {
        // `run` and `flush` at the same moment: the other one does it.
        if isStepping { return .idle }
        isStepping = true
        defer { isStepping = false }
        if intake == nil {
            intake = SpoolIntake(
                spool, after: position.record, names: position.names, lastFound: lastFound, table: table,
                decodeAgain: decodeAgain)
        }
        if case .queue(let queue) = destination, intent == nil, !queue.hasRoom {
            show { $0.condition = .waitingForRoom }
            return .waitingForRoom
        }
        let hasMore = try await gather()
        guard isDue(hasMore) else {
            if !hasMore { show { $0.condition = .writing } }
            return hasMore ? .gathered : .idle
        }
        try await writeRoll(table, names: intake?.names ?? NameAgreement())
        show { $0.condition = .writing }
        return .rolled
    }

    /// - Returns: whether something was read.
    private func gather() async throws -> Bool {
        let limit = intent?.last ?? .max
        var isNew = false
        let (start, durable) = (roll.columns.size, spool.durableSequence)
        let skippedBefore = intake?.skippedRecords ?? 0
        while !isFull, roll.columns.size - start < 4 << 20, var intake = self.intake.take() {
            let item: SpoolIntake.Item?
            do {
                item = try await intake.next(through: limit)
                self.intake = intake
            } catch {
                self.intake = intake
                throw error
            }
            for note in self.intake?.takeNotes() ?? [] { observer.tell(note) }
            guard let item else {
                // Numbers without a record: unused, or damaged. A roll that was begun ends at its last record and not
                // before: only what was on disk before the reader looked, and was not found, is known to be missing.
                if intent != nil, roll.last < min(limit, durable) { hasLostRecords = true }
                roll.pass(through: min(limit, durable))
                break
            }
            isNew = true
            roll.add(item, now: clock.now())
        }
        let (oldest, count, last) = (roll.oldest, roll.columns.eventCount, roll.last)
        let skipped = intake?.skippedRecords ?? 0
        if skipped > skippedBefore { hasLostRecords = true }
        shown.withLock { shown in
            shown.oldest = oldest
            shown.passed = count == 0 ? last : 0
            shown.figures.gatheredEvents = count
            shown.figures.skippedRecords = skipped
        }
        return isNew
    }

    var isFull: Bool {
        if let intent { return roll.last >= intent.last }
        return roll.columns.size >= min(settings.rollBytes, 1 << 30) || roll.columns.eventCount >= settings.rollEvents
    }

    private func isDue(_ hasMore: Bool) -> Bool {
        guard roll.last >= roll.first else { return false }
        if isFull { return true }
        // A roll that was begun has all that it had, or none of it is written.
        if intent != nil { return false }
        let (wanted, seconds) = shown.withLock { ($0.wanted, $0.figures.lastRollSeconds) }
        if !hasMore, wanted > position.record { return true }
        guard let begun = roll.begun else { return false }
        // So early that it is written in time.
        let reserve = min(settings.rollAge.seconds / 2, 2 * seconds + settings.pollInterval.seconds)
        return clock.now().since(begun).seconds >= settings.rollAge.seconds - reserve
    }

    private func fail(_ error: any Error) -> Span64 {
        attempts += 1
        let reason = (error as? TocsinError)?.message ?? "\(error)"
        let isFirst = shown.withLock { shown in
            defer { shown.figures.condition = .failing("\(error)") }
            return shown.figures.condition != .failing("\(error)")
        }
        if isFirst {
            observer.tell(LakeNote("The lake cannot be written: \(reason) It is tried again.", isProblem: true))
        }
        let seconds = settings.firstRetryDelay.seconds * Double(1 << min(attempts - 1, 30))
        return .milliseconds(Int64(min(seconds, settings.longestRetryDelay.seconds) * 1000))
    }

    func show(_ change: (inout LakeWriterFigures) -> Void) { shown.withLock { change(&$0.figures) } }
}
