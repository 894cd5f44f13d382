internal import Synchronization
public import TocsinCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Reads topics of Kafka as a member of a consumer group.
///
/// Messages of one partition without a gap become one batch; a position is committed when its batch is durable, never
/// earlier. Several processes of one group share the partitions; with a handover and records the state of the sensors
/// goes along with them, so that every message is judged by one process, behind all that were before it.
///
/// A batch's source is named "<name>:<topic>/<partition>", its coordinate is the offset. Brokers that are away, topics
/// that do not exist and logins that fail are waited for and shown in `status`; `run` throws only what waiting cannot
/// help: a bad setting, an instance id in use, an engine that has stopped. When its task is cancelled it finishes what is
/// under way, leaves the partitions' states for the next process, commits and leaves the group, before it returns.
public final class KafkaSource: Source {
    public let name: String
    private let settings: KafkaSourceSettings
    private let ownership: PartitionOwnership
    private let makeDecoder: @Sendable () -> any MessageDecoding
    private let table: SeriesTable
    private let clock: any WallClock
    private let board: StatusBoard
    private let positions: [String: ReadPosition]

    /// - Parameters:
    ///   - identify: the id of a partition in this process: the same each time, unique among all sources, so that each
    ///     has a watermark of its own.
    ///   - positions: how far an earlier process on this data folder has come, by path (`positionPath`).
    ///   - handover, records: nil where no other process can take a partition over.
    public init(
        name: String, settings: KafkaSourceSettings, table: SeriesTable, clock: any WallClock,
        positions: [String: ReadPosition] = [:], handover: (any SensorHandover)? = nil,
        records: PartitionRecords? = nil, observer: KafkaObserver = KafkaObserver(),
        identify: @escaping @Sendable (TopicPartition) -> SourceID,
        makeDecoder: @escaping @Sendable () -> any MessageDecoding
    ) {
        self.name = name
        self.settings = settings
        self.table = table
        self.clock = clock
        self.positions = positions
        self.makeDecoder = makeDecoder
        board = StatusBoard(name: name, settings: settings, observer: observer, clock: clock)
        ownership = PartitionOwnership(
            group: settings.group, sourceName: name, owner: Self.processName(), handover: handover, records: records,
            identify: identify, clock: clock, board: board)
    }

    /// Cheap: for every scrape.
    public var status: KafkaSourceStatus { board.status }

    /// Under which name a partition's position is kept in spool and checkpoints.
    public static func positionPath(source: String, _ partition: TopicPartition) -> String {
        "kafka:\(source)/\(partition)"
    }

    /// The partition of such a path; nil for another source's.
    static func partition(source: String, path: String) -> TopicPartition? {
        let prefix = "kafka:\(source)/"
        guard path.hasPrefix(prefix), let slash = path.lastIndex(of: "/"),
            let number = Int32(path[path.index(after: slash)...])
        else { return nil }
        let topic = path.dropFirst(prefix.count)[..<slash]
        return topic.isEmpty ? nil : TopicPartition(String(topic), number)
    }

    public func run(delivery: any BatchDelivery) async throws {
        let client = try ConsumerClient(settings, observer: board.observer)
        let loop = ConsumerLoop(client: client, settings: settings, board: board, clock: clock)
        do {
            try client.subscribe(settings.topics)
        } catch {
            client.destroy()
            throw error
        }
        loop.start()
        let coordinator = ConsumerCoordinator(
            name: name, settings: settings, loop: loop, ownership: ownership, board: board, table: table, clock: clock,
            makeDecoder: makeDecoder, positions: positions, delivery: delivery)
        // A task of its own, awaited right here: the end must be orderly although this one is cancelled by then.
        let work = Task.detached { try await coordinator.run() }
        try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            loop.stop()
        }
        try Task.checkCancellation()
    }

    private static func processName() -> String {
        var host = [CChar](repeating: 0, count: 256)
        _ = gethostname(&host, host.count - 1)
        return "\(KafkaConfiguration.string(host)):\(getpid()):\(StableHash.hex(.random(in: 0 ... .max)).prefix(6))"
    }
}
