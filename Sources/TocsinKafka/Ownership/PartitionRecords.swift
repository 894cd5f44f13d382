public import TocsinCore

/// Where the state of partitions is kept between processes: a folder, a database, all of them reach the same.
public struct PartitionRecords: Sendable {
    /// Writes over a record of the same name and sequence; keeps the newest.
    public var save: @Sendable (CheckpointRecord) async throws -> Void
    /// The one of that name with the highest sequence.
    public var newest: @Sendable (_ name: String) async throws -> CheckpointRecord?

    public init(
        save: @escaping @Sendable (CheckpointRecord) async throws -> Void,
        newest: @escaping @Sendable (_ name: String) async throws -> CheckpointRecord?
    ) {
        self.save = save
        self.newest = newest
    }

    /// In the operational store: one that all processes of the group share.
    public init(_ store: any Store) {
        self.init(
            save: { try await store.saveCheckpoint($0) }, newest: { try await store.checkpoint(name: $0) })
    }
}

/// Who went on with a partition last. Written before the first batch of an ownership reaches the engine.
struct PartitionClaim: Sendable, Equatable {
    /// Rises with every owner: a count above, 20 random bits below, so that two that meet never have the same.
    var generation: UInt64
    /// For people: host and process.
    var owner: String

    static let format = "kafka-owner/1"

    static func name(group: String, _ partition: TopicPartition) -> String {
        PartitionTransfer.name(group: group, partition) + "/owner"
    }

    static func nextGeneration(after generations: [UInt64]) -> UInt64 {
        let newest = generations.max() ?? 0
        return (min(newest >> 20, (1 << 43) - 2) + 1) << 20 | .random(in: 0..<1 << 20)
    }

    func record(name: String, created: Timestamp) -> CheckpointRecord {
        var writer = StateWriter()
        writer.write(text: owner)
        return CheckpointRecord(
            name: name, sequence: Int64(clamping: generation), created: created, format: Self.format,
            data: writer.bytes)
    }

    init(generation: UInt64, owner: String) {
        self.generation = generation
        self.owner = owner
    }

    /// Of a damaged record, or one of a newer program, the generation is known all the same.
    init(_ record: CheckpointRecord) {
        var reader = StateReader(record.data)
        let owner = record.format == Self.format ? reader.readText() : nil
        self.init(generation: UInt64(max(0, record.sequence)), owner: owner ?? "another process")
    }
}

/// The state of a partition's sensors with its place in the partition.
struct PartitionTransfer: Sendable {
    var generation: UInt64
    /// Its owner has let go of it; otherwise it is a copy for the case that the owner never comes back.
    var isGivenUp: Bool
    var owner: String
    var state: SensorTransfer

    static let format = "kafka-partition/1"

    static func name(group: String, _ partition: TopicPartition) -> String { "kafka/\(group)/\(partition)" }

    func record(name: String, created: Timestamp) -> CheckpointRecord {
        var writer = StateWriter()
        writer.write(isGivenUp)
        writer.write(text: owner)
        writer.write(state.position != nil)
        state.position?.save(to: &writer)
        writer.write(blob: state.bytes)
        return CheckpointRecord(
            name: name, sequence: Int64(clamping: generation), created: created, format: Self.format,
            data: writer.bytes)
    }

    init(generation: UInt64, isGivenUp: Bool, owner: String, state: SensorTransfer) {
        self.generation = generation
        self.isGivenUp = isGivenUp
        self.owner = owner
        self.state = state
    }

    init(_ record: CheckpointRecord) throws {
        var reader = StateReader(record.data)
        guard record.format == Self.format, record.sequence >= 0, let isGivenUp = reader.readFlag(),
            let owner = reader.readText(), let hasPosition = reader.readFlag()
        else { throw Self.unreadable(record) }
        var position: ReadPosition?
        if hasPosition {
            guard let found = ReadPosition(restoring: &reader), found.next >= 0 else {
                throw Self.unreadable(record)
            }
            position = found
        }
        guard let bytes = reader.readBlob() else { throw Self.unreadable(record) }
        self.init(
            generation: UInt64(record.sequence), isGivenUp: isGivenUp, owner: owner,
            state: SensorTransfer(position: position, bytes: Array(bytes)))
    }

    static func unreadable(_ record: CheckpointRecord) -> TocsinError {
        TocsinError(
            .format, "the record is damaged, or of a newer version of the program (\(record.format))",
            place: record.name, remedy: "Use the newest version in all processes of the group.")
    }
}
