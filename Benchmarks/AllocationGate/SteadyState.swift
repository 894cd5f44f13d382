internal import CAllocationCounter
internal import TocsinBench
internal import TocsinCore
internal import TocsinDecode
internal import TocsinEngine
internal import TocsinSimulator

/// The stages after everything has grown to its size: all sensors known, all windows turned over, the forest trained.
enum SteadyState {
    private static let sensors = 2000
    private static let batchReadings = 5000
    /// Event time before counting begins: longer than the longest window and the allowed lateness.
    private static let warmUpReadings = sensors * 400
    private static let measuredBatches = 40

    static func measure() throws -> [StageCount] {
        let input = try readings()
        let table = SeriesTable(seed: 1)
        var decoder = EventDecoder()
        let origin = Origin(
            source: SourceID(1), sourceName: "gate", position: 0, received: Timestamp(nanoseconds: .max / 2))
        var loops = try StageLoops()
        var forest = try StageLoops()
        var engine = try EngineProbe(settings: EngineSettings(shards: 2, isLive: false), table: table)
        var rows: [Double] = []
        var counts = Counts()
        for (number, bytes) in input.enumerated() {
            counts.isCounting = number * batchReadings >= warmUpReadings
            let run = InputRun(bytes: bytes, position: 0, layout: .lines)
            let batch = counts.count("decode") { decoder.decode(run, origin: origin, table: table) }
            counts.begin(batch.readingCount)
            counts.count("deduplicate") { loops.deduplicate(batch) }
            counts.count("windows") { _ = loops.window(batch) }
            counts.count("bank") { loops.assess(batch) }
            rows.removeAll(keepingCapacity: true)
            loops.appendFeatures(to: &rows)
            counts.count("forest") { forest.score(rows) }
            let routed = counts.count("route") { engine.route(batch) }
            let results = counts.count("shard") { engine.shard(routed) }
            _ = counts.count("join") { engine.join(routed, results) }
        }
        precondition(!forest.isLearning, "the forest must have been trained")
        return counts.stages
    }

    /// The same bytes in every run.
    private static func readings() throws -> [[UInt8]] {
        var settings = SimulatorSettings(profile: .fleet, seed: 1)
        settings.sensors = sensors
        settings.injections = []
        settings.anomalyRate = 0
        var simulator = try Simulator(settings)
        return (0..<warmUpReadings / batchReadings + measuredBatches).map { _ in
            var bytes: [UInt8] = []
            simulator.next(into: &bytes, maxEvents: batchReadings)
            return bytes
        }
    }
}

/// Adds up allocations by stage, in the order in which the stages first come.
private struct Counts {
    var isCounting = false
    private var batches = 0
    private var readings = 0
    private var order: [String] = []
    private var allocations: [String: UInt64] = [:]

    var stages: [StageCount] {
        order.map { StageCount(stage: $0, allocations: allocations[$0] ?? 0, batches: batches, readings: readings) }
    }

    mutating func begin(_ readings: Int) {
        guard isCounting else { return }
        batches += 1
        self.readings += readings
    }

    mutating func count<Result>(_ stage: String, _ body: () -> Result) -> Result {
        let before = tk_allocation_count()
        let result = body()
        let made = tk_allocation_count() - before
        if isCounting {
            if allocations[stage] == nil { order.append(stage) }
            allocations[stage, default: 0] += made
        }
        return result
    }
}
