internal import Logging
internal import Synchronization
internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinEngine
internal import TocsinSpool

/// Opens spool and checkpoints as the configuration says.
enum Durability {
    static func open(
        _ configuration: TocsinConfiguration, table: SeriesTable, logger: Logger, relay: ConditionRelay
    ) throws -> EngineDurability {
        let wanted = configuration.spool
        var settings = SpoolSettings()
        settings.flushInterval = wanted.flushInterval
        settings.flushesEachBatch = wanted.flushInterval.nanoseconds == 0
        settings.flushBytes = wanted.flushBytes
        // Room is made by whole segments: a few must fit.
        settings.segmentBytes = Int64(min(wanted.segmentBytes, max(wanted.maxBytes / 8, 1 << 20)))
        settings.maximumBytes = Int64(wanted.maxBytes)
        try DataFolder.create(at: configuration.spoolPath)
        try DataFolder.create(at: configuration.checkpointPath)
        let (spool, recovery) = try Spool.open(
            folder: configuration.spoolPath, settings: settings,
            observer: SpoolObserver(onConditionChange: { relay.note($0) }))
        for problem in recovery.problems { logger.error("\(problem)") }
        var checkpoints = CheckpointSettings()
        checkpoints.keptOlder = wanted.checkpointKept
        return EngineDurability(
            spool: spool,
            checkpoints: try CheckpointFolder.open(configuration.checkpointPath, settings: checkpoints),
            interval: wanted.checkpointInterval, spoolBytes: wanted.maxBytes,
            decodeAgain: { [decoder = RepeatDecoder(configuration)] raw in decoder.decode(raw, table: table) })
    }
}

/// Tells the engine, which is made after the spool, of the spool's condition.
final class ConditionRelay: Sendable {
    private struct State {
        // The engine owns the spool, and the spool this.
        weak var engine: Engine?
    }

    private let state = Mutex(State())

    func connect(to engine: Engine) { state.withLock { $0.engine = engine } }
    func note(_ condition: SpoolCondition) { state.withLock { $0.engine }?.note(condition) }
}
