internal import TocsinCore

/// The first 48 bytes of a checkpoint.
struct CheckpointHeader {
    static let size = 48
    private static let magic: StaticString = "TOCSINCK"
    private static let format: UInt32 = 1

    var version: UInt32
    var spool: UInt64
    var sequence: UInt64
    var createdAt: Timestamp

    func encoded() -> [UInt8] {
        var writer = StateWriter()
        writer.write(Self.magic)
        writer.write(Self.format)
        writer.write(version)
        writer.write(spool)
        writer.write(sequence)
        writer.write(createdAt)
        writer.write(UInt32(0))
        writer.write(CRC32C.of(writer.bytes.span))
        return writer.bytes
    }

    enum Reading {
        case header(CheckpointHeader)
        case format(UInt32)
        case damaged
    }

    static func decoded(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= size, bytes.prefix(8).elementsEqual("\(magic)".utf8) else { return .damaged }
        var reader = StateReader(bytes[8..<size])
        guard let format = reader.read(UInt32.self), let version = reader.read(UInt32.self),
            let spool = reader.read(UInt64.self), let sequence = reader.read(UInt64.self),
            let createdAt = reader.readTimestamp(), reader.read(UInt32.self) != nil,
            let sum = reader.read(UInt32.self), sum == CRC32C.of(bytes, 0..<size - 4),
            sequence <= Sequence64.highest
        else { return .damaged }
        guard format == Self.format else { return .format(format) }
        return .header(CheckpointHeader(version: version, spool: spool, sequence: sequence, createdAt: createdAt))
    }

    /// `checkpoint-00000000000000000001.tck`
    static func fileName(_ sequence: UInt64) -> String {
        let digits = String(sequence)
        return "checkpoint-" + String(repeating: "0", count: 20 - digits.count) + digits + ".tck"
    }

    static func sequence(ofFile name: String) -> UInt64? {
        guard name.utf8.count == 35, name.hasPrefix("checkpoint-"), name.hasSuffix(".tck") else { return nil }
        return UInt64(name.dropFirst(11).prefix(20))
    }
}

/// The 20 bytes before each piece.
struct PieceHeader {
    static let size = 20
    /// "TPCE"
    private static let marker: UInt32 = 0x4543_5054
    static let longest = 1 << 30

    var section: CheckpointSection
    var length: Int
    var sum: UInt32

    func write(to writer: inout StateWriter) {
        let start = writer.bytes.count
        writer.write(Self.marker)
        writer.write(section.kind.rawValue)
        writer.write(UInt8(0))
        writer.write(section.shard)
        writer.write(UInt32(length))
        writer.write(sum)
        writer.write(CRC32C.of(writer.bytes, start..<start + 16))
    }

    init(section: CheckpointSection, length: Int, sum: UInt32) {
        self.section = section
        self.length = length
        self.sum = sum
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        var reader = StateReader(bytes)
        guard bytes.count == Self.size, reader.read(UInt32.self) == Self.marker, let kind = reader.read(UInt8.self),
            reader.read(UInt8.self) != nil, let shard = reader.read(UInt16.self),
            let length = reader.read(UInt32.self), length <= Self.longest, let sum = reader.read(UInt32.self),
            reader.read(UInt32.self) == CRC32C.of(bytes.span.extracting(0..<16))
        else { return nil }
        self.init(section: CheckpointSection(SectionKind(kind), shard: shard), length: Int(length), sum: sum)
    }
}

/// The last 32 bytes: without them a checkpoint was not finished.
struct CheckpointFooter: Equatable {
    static let size = 32
    /// "TEND"
    private static let marker: UInt32 = 0x444e_4554

    var pieces: UInt64 = 0
    var bytes: UInt64 = 0
    /// Checksum over the file's header and those of all pieces, which hold the checksums of the content.
    var sum: UInt32 = 0

    func encoded() -> [UInt8] {
        var writer = StateWriter()
        writer.write(Self.marker)
        writer.write(UInt32(0))
        writer.write(pieces)
        writer.write(bytes)
        writer.write(sum)
        writer.write(CRC32C.of(writer.bytes.span))
        return writer.bytes
    }

    init() {}

    init?(_ bytes: ArraySlice<UInt8>) {
        var reader = StateReader(bytes)
        guard bytes.count == Self.size, reader.read(UInt32.self) == Self.marker, reader.read(UInt32.self) != nil,
            let pieces = reader.read(UInt64.self), let length = reader.read(UInt64.self),
            let sum = reader.read(UInt32.self),
            reader.read(UInt32.self) == CRC32C.of(bytes.span.extracting(0..<28))
        else { return nil }
        self.pieces = pieces
        self.bytes = length
        self.sum = sum
    }
}
