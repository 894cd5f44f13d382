package import TocsinCore

/// The engine's stages without tasks, inboxes and store, one batch at a time on the caller's thread: what benchmarks
/// and the allocation gate measure. The stages are the engine's own.
package struct EngineProbe {
    private var router: Router
    private var shards: [Shard]
    private var series: [LocalSeries.Mapping]
    private var boards: [[SeriesSnapshot]]
    private var joiner: Joiner

    /// A batch after the first stage.
    package struct Routed {
        let batch: RoutedBatch
    }

    /// What all shards found in one batch.
    package struct Results {
        let results: [ShardResult]
    }

    /// - Throws: `TocsinError(.configuration)` for windows that cannot be.
    package init(settings: EngineSettings, table: SeriesTable) throws(TocsinError) {
        router = Router(table: table, settings: settings)
        shards = []
        for number in 0..<settings.shards {
            shards.append(try Shard(number: number, of: settings.shards, settings: settings, table: table))
        }
        series = Array(repeating: LocalSeries.Mapping(), count: settings.shards)
        boards = Array(repeating: [], count: settings.shards)
        joiner = Joiner(table: table, settings: settings, shardCount: settings.shards, saved: [:])
    }

    /// Validates, follows the stream's time, runs the event forests.
    package mutating func route(_ batch: Batch) -> Routed {
        Routed(
            batch: router.route(
                batch, from: Admitted(admission: .tick(batch.origin.received)), receipt: nil, watched: []))
    }

    /// Duplicates, clocks, bank and windows of every shard in turn.
    package mutating func shard(_ routed: Routed) -> Results {
        var results: [ShardResult] = []
        results.reserveCapacity(shards.count)
        for number in shards.indices {
            results.append(
                shards[number].process(routed.batch, series: &series[number], board: &boards[number]))
        }
        return Results(results: results)
    }

    /// Window forests, alarms, names: what the store is given.
    package mutating func join(_ routed: Routed, _ results: Results) -> BatchOutcome {
        joiner.join(routed.batch, results.results).job.outcome
    }
}
