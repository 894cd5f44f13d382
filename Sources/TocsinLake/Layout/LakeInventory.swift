public import TocsinCore

/// How much of the lake there is, by layer: lists everything, so now and then.
public struct LakeInventory: Sendable, Equatable {
    public struct Size: Sendable, Equatable {
        public var files = 0
        public var bytes: Int64 = 0
        public init(files: Int = 0, bytes: Int64 = 0) {
            self.files = files
            self.bytes = bytes
        }
    }

    public private(set) var tables: [LakeTable: Size] = [:]

    public init(of storage: any ObjectStorage) async throws {
        for table in LakeTable.allCases {
            var size = Size()
            for object in try await storage.list(prefix: LakeLayout.prefix(of: table))
            where LakeFile(path: object.name) != nil {
                size.files += 1
                size.bytes += object.bytes
            }
            tables[table] = size
        }
    }

    public subscript(layer: LakeLayer) -> Size {
        layer.tables.reduce(into: Size()) { sum, table in
            sum.files += tables[table]?.files ?? 0
            sum.bytes += tables[table]?.bytes ?? 0
        }
    }
}
