internal import TocsinCore

/// The state of all stages at one place in the stream.
struct EngineState: Sendable {
    var router: Router
    var shards: [Shard]
    var joiner: Joiner
    var positions = SourcePositions()
    /// Of which something stands in the spool behind the checkpoint.
    var recoveredSources: Set<UInt16> = []
    /// Of the last admission that is in it.
    var sequence: UInt64 = 0
    /// Up to here the spool holds what the last process has not finished.
    var lastRecovered: UInt64 = 0
    /// Readings in the spool behind the checkpoint, by the name of their source.
    var waiting: [String: UInt64] = [:]
    /// The first record whose names have a gap before them: a record with names was damaged.
    var namesEnd: UInt64?

    /// Before the first reading.
    init(settings: EngineSettings, table: SeriesTable, saved: [String: SavedForest]) throws(TocsinError) {
        router = Router(table: table, settings: settings)
        joiner = Joiner(table: table, settings: settings, shardCount: settings.shards, saved: saved)
        shards = []
        for number in 0..<settings.shards {
            shards.append(try Shard(number: number, of: settings.shards, settings: settings, table: table))
        }
    }
}
