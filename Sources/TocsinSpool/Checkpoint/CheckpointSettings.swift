public import TocsinCore

/// How checkpoints are written and kept.
public struct CheckpointSettings: Sendable {
    /// Version of what stands in the sections; raise it with every change of their content and add a converter.
    public var version: UInt32 = 3
    /// From older versions, each one step.
    public var converters: [CheckpointConverter] = []
    /// So many older checkpoints are kept beside the newest, for the day the newest is damaged.
    public var keptOlder = 1
    /// All checkpoints together; the newest is kept whatever its length.
    public var maximumBytes: Int64 = 8 << 30
    /// False leaves out every forcing of the disk: for tests.
    public var isDurable = true

    public init() {}
}

/// What kind of state a piece holds; the numbers are the application's.
public struct SectionKind: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public init(_ rawValue: UInt8) { self.rawValue = rawValue }
}

/// A part of the state: its kind and the shard it belongs to.
public struct CheckpointSection: Hashable, Sendable {
    public var kind: SectionKind
    public var shard: UInt16

    public init(_ kind: SectionKind, shard: UInt16 = 0) {
        self.kind = kind
        self.shard = shard
    }
}

/// One appended portion of a section; a section has as many as were appended, in that order.
public struct CheckpointPiece: Hashable, Sendable {
    public var section: CheckpointSection
    public var bytes: [UInt8]

    public init(_ section: CheckpointSection, _ bytes: [UInt8]) {
        self.section = section
        self.bytes = bytes
    }
}

/// A step from one version of the content to the next, piece by piece.
public struct CheckpointConverter: Sendable {
    /// Reads this version and gives the next.
    public var version: UInt32
    /// May leave a piece out, change it, or give several.
    public var convert: @Sendable (CheckpointPiece) throws(TocsinError) -> [CheckpointPiece]

    public init(
        from version: UInt32, convert: @escaping @Sendable (CheckpointPiece) throws(TocsinError) -> [CheckpointPiece]
    ) {
        self.version = version
        self.convert = convert
    }
}

/// Which moment a checkpoint file holds.
public struct CheckpointInfo: Hashable, Sendable {
    /// All spool records up to this one are in it.
    public var sequence: UInt64
    public var createdAt: Timestamp
    public var version: UInt32
    public var path: String
    /// Length of the file.
    public var bytes: Int64
    public var pieces: UInt64
}
