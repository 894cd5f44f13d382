internal import TocsinCore

/// A Parquet file of any table of the lake, a user's own included.
struct LakePart: Hashable, Sendable {
    /// `gold/hourly`.
    var table: String
    var partition: LakePartition
    /// Below the lake's location.
    var path: String
    var bytes: Int64
    var changed: Timestamp

    /// nil for what is no part: temporary files, other folders.
    init?(_ object: StoredObject) {
        let parts = object.name.split(separator: "/", omittingEmptySubsequences: false)
        guard (4...5).contains(parts.count), let last = parts.last, LakeLayout.isPart(last),
            LakeLayer(rawValue: String(parts[0])) != nil,
            let partition = LakePartition(path: parts[2..<parts.count - 1].joined(separator: "/")),
            (partition.hour == nil) == (parts.count == 4)
        else { return nil }
        table = "\(parts[0])/\(parts[1])"
        self.partition = partition
        path = object.name
        bytes = object.bytes
        changed = object.changed
    }

    var name: Substring { path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...] }

    /// Parts below a prefix, in the order of paths.
    static func list(_ storage: any ObjectStorage, prefix: String) async throws -> [LakePart] {
        try await storage.list(prefix: prefix).compactMap(LakePart.init)
    }
}

/// The parts of one table by partition.
struct LakeTableParts: Sendable {
    private(set) var byPartition: [LakePartition: [LakePart]] = [:]

    init(_ storage: any ObjectStorage, table: String) async throws {
        for part in try await LakePart.list(storage, prefix: table + "/") {
            byPartition[part.partition, default: []].append(part)
        }
    }

    init() {}

    subscript(partition: LakePartition) -> [LakePart] {
        get { byPartition[partition] ?? [] }
        set { byPartition[partition] = newValue }
    }

    /// Those of an hour, or of all hours of a day, or of a day; in the order of time.
    func within(_ partition: LakePartition) -> [LakePart] {
        (partition.hour == nil ? [partition] : []).flatMap { self[$0] } + partition.hours.flatMap { self[$0] }
    }

    /// Those that a range of event time touches, in the order of time.
    func partitions(from start: Timestamp?, to end: Timestamp?) -> [LakePartition] {
        byPartition.keys.filter { partition in
            (start.map { partition.end > $0 } ?? true) && (end.map { partition.start < $0 } ?? true)
        }.sorted()
    }
}

/// What a set of files holds, as one number: the sum of their names' hashes, whatever their order.
///
/// A compacted file's name carries the sum of those that it took the place of, so that compaction makes nothing anew.
enum PartIdentity {
    /// `part-compacted-<identity>-<content>.parquet`
    static let compacted = "part-compacted-"

    static func of(_ name: some StringProtocol) -> UInt64 {
        if name.hasPrefix(compacted), let identity = UInt64(name.dropFirst(compacted.count).prefix(16), radix: 16) {
            return identity
        }
        var hash = StableHash()
        hash.combine(Array(name.utf8))
        return hash.value
    }

    static func of(_ parts: [LakePart]) -> UInt64 { parts.reduce(0) { $0 &+ of($1.name) } }
}
