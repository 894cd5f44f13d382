public import TocsinCore

/// How long the layers of the lake are kept; a layer without an age is kept for ever.
public struct LakeRetention: Sendable, Equatable {
    /// From the end of a partition's day.
    public var ages: [LakeLayer: Span64]

    public init(ages: [LakeLayer: Span64] = [:]) { self.ages = ages }

    /// What went of a layer.
    public struct Deleted: Sendable, Equatable {
        public var files = 0
        public var bytes: Int64 = 0
    }

    /// Deletes whole days of event time, oldest first.
    /// - Returns: files and bytes deleted, by layer.
    public func apply(to storage: any ObjectStorage, now: Timestamp) async throws -> [LakeLayer: Deleted] {
        var deleted: [LakeLayer: Deleted] = [:]
        for layer in LakeLayer.allCases {
            guard let age = ages[layer] else { continue }
            let old = try await storage.list(prefix: layer.rawValue + "/").compactMap {
                object -> (LakePartition, StoredObject)? in
                let parts = object.name.split(separator: "/")
                guard parts.count > 3, let day = LakePartition(path: parts[2]), now.since(day.end) > age else {
                    return nil
                }
                return (day, object)
            }
            for (_, object) in old.sorted(by: { $0.0 < $1.0 }) {
                try Task.checkCancellation()
                try await storage.delete(object.name)
                deleted[layer, default: Deleted()].files += 1
                deleted[layer, default: Deleted()].bytes += object.bytes
            }
        }
        return deleted
    }
}

/// How much there is of one table, a user's own included.
public struct LakeTableSize: Sendable, Equatable {
    /// `gold/hourly`.
    public var table: String
    public var layer: LakeLayer
    public var files: Int
    public var bytes: Int64
    /// First moment of the oldest partition, end of the newest.
    public var oldest: Timestamp
    public var newest: Timestamp

    /// All tables that have a file, in the order of layers and names; lists the whole lake, so now and then.
    public static func all(of storage: any ObjectStorage) async throws -> [LakeTableSize] {
        var tables: [LakeTableSize] = []
        for layer in LakeLayer.allCases {
            var found: [String: LakeTableSize] = [:]
            for part in try await LakePart.list(storage, prefix: layer.rawValue + "/") {
                let (oldest, newest) = (part.partition.start, part.partition.end)
                var size =
                    found[part.table]
                    ?? LakeTableSize(
                        table: part.table, layer: layer, files: 0, bytes: 0, oldest: oldest, newest: newest)
                size.files += 1
                size.bytes += part.bytes
                size.oldest = min(size.oldest, oldest)
                size.newest = max(size.newest, newest)
                found[part.table] = size
            }
            tables += found.values.sorted { $0.table < $1.table }
        }
        return tables
    }
}
