internal import Logging
internal import Synchronization
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
internal import TocsinLake
internal import TocsinS3
internal import TocsinServer

/// The lake of a running process: bronze written beside the engine, silver and gold now and then.
final class Lake: Sendable {
    let place: LakePlace
    let writer: LakeWriter
    /// Where the lake is in a bucket.
    let queue: UploadQueue?
    private let configuration: TocsinConfiguration
    private let store: any Store
    private let clock: any WallClock
    private let logger: Logger
    /// Released with this object.
    private let lock: LakeLock
    private let shown = Mutex(Shown())

    private struct Shown {
        var lastETL: JobRecord?
        var problems = 0
    }

    /// nil where the configuration wants none.
    /// - Throws: `TocsinError` where DuckDB is missing, another process writes this lake, or a folder cannot be used.
    init?(_ pipeline: Pipeline) async throws {
        configuration = pipeline.configuration
        guard configuration.lake.enabled, let durability = pipeline.durability else { return nil }
        (store, clock, logger) = (pipeline.store, pipeline.clock, pipeline.logger)
        try DataFolder.create(at: configuration.lakeStatePath)
        lock = try LakeLock(folder: configuration.lake.isS3 ? configuration.lakeStatePath : configuration.lakeLocation)
        place = try LakePlace(configuration, isOwner: true, clock: clock, logger: logger)
        let destination: LakeWriter.Destination
        if let folder = place.folder {
            queue = nil
            destination = .folder(folder)
        } else {
            var settings = UploadSettings()
            settings.maximumBytes = Int64(configuration.lake.waitingBytes)
            let queue = try UploadQueue(
                folder: configuration.lakeStatePath + "/outgoing", to: place.storage, settings: settings, clock: clock)
            self.queue = queue
            destination = .queue(queue)
        }
        var settings = LakeWriterSettings()
        settings.rollBytes = configuration.lake.rollBytes
        settings.rollAge = configuration.lake.rollAge
        settings.keepsPayload = configuration.lake.keepPayload
        if configuration.lake.threads > 0 { settings.threads = configuration.lake.threads }
        let observer = LakeObserver(tell: { [logger] note in
            logger.log(level: note.isProblem ? .error : .notice, "\(note.text)")
        })
        writer = try await LakeWriter(
            spool: durability.spool, destination: destination, stateFolder: configuration.lakeStatePath + "/bronze",
            duckdb: place.duckdb, settings: settings, lastFound: durability.lastFound, clock: clock,
            observer: observer, decodeAgain: durability.decodeAgain)
    }

    var status: LakeStatus {
        let figures = writer.figures
        let waiting = queue?.figures
        let (lastETL, problems) = shown.withLock { ($0.lastETL, $0.problems) }
        var condition: LakeStatus.Condition =
            switch figures.condition {
            case .writing: .working
            case .waitingForRoom: .waiting("too many files wait to be sent: messages wait in the spool")
            case .failing(let reason): .failing(reason)
            }
        if let waiting, condition == .working, waiting.lastError != nil || waiting.oldestSeconds > 5 {
            condition = .waiting(
                waiting.lastError ?? "a file has waited for \(Int(waiting.oldestSeconds)) s to be sent")
        }
        return LakeStatus(
            location: place.storage.location, condition: condition,
            layers: place.stock.sizes.map(Self.layers) ?? [], eventsWritten: figures.events,
            filesWritten: figures.files,
            problems: problems + figures.skippedRecords + (waiting?.failures ?? 0), lagRecords: figures.lagRecords,
            lagSeconds: figures.lagSeconds, waitingFiles: waiting?.files ?? 0, waitingBytes: waiting?.bytes ?? 0,
            lastETL: lastETL)
    }

    /// Brings silver and gold up to date; what goes wrong is told and shown, and tried again next time.
    func refresh() async {
        let runner = ETLJob(
            configuration, place: place, source: StoreGoldSource(store: store), store: store, clock: clock)
        do {
            let result = try await runner.run(onStart: { job in self.shown.withLock { $0.lastETL = job } })
            shown.withLock { $0.lastETL = result.job }
            for file in result.skipped {
                logger.error(
                    "the lake: \(file.name) cannot be read and is left out", metadata: ["reason": "\(file.reason)"])
            }
            for (_, sentence) in result.exceeded { logger.warning("the lake: \(sentence)") }
            if let error = result.job.error { note("ETL failed: \(error)") }
        } catch {
            note("ETL failed: \(error)")
        }
    }

    /// Puts small files together and deletes what is too old.
    func tidy() async {
        do {
            let found = try await LakeUpkeep(configuration, place: place, clock: clock).run()
            for file in found.skipped {
                logger.error(
                    "the lake: \(file.name) cannot be read and stays as it is", metadata: ["reason": "\(file.reason)"])
            }
        } catch is CancellationError {
        } catch {
            note("upkeep failed: \(error)")
        }
    }

    /// Looks whether the bucket is there, and gives up what a killed process had begun to send.
    func prepareBucket() async {
        do {
            try await place.bucket?.prepare(below: LakeLayer.allCases.map { $0.rawValue + "/" })
        } catch is CancellationError {
        } catch {
            note("the bucket cannot be used yet; files wait: \(error)")
        }
    }

    /// Looks how much there is.
    func takeStock() async {
        do {
            place.stock.note(try await LakeTableSize.all(of: place.storage))
        } catch {
            note("its files cannot be listed: \(error)")
        }
    }

    private static func layers(_ sizes: [LakeTableSize]) -> [LakeStatus.Layer] {
        LakeLayer.allCases.map { layer in
            let tables = sizes.filter { $0.layer == layer }
            return LakeStatus.Layer(
                name: layer.rawValue, files: tables.reduce(0) { $0 + $1.files },
                bytes: tables.reduce(0) { $0 + $1.bytes })
        }
    }

    func takeUpLastETL() async {
        guard let job = try? await store.jobs(name: ETLJob.name, limit: 1).first else { return }
        shown.withLock { $0.lastETL = $0.lastETL ?? job }
    }

    private func note(_ problem: String) {
        shown.withLock { $0.problems += 1 }
        logger.error("the lake: \(problem)")
    }
}
