internal import TocsinCore

/// The first 40 bytes of a segment: magic, version, spool id, first sequence, checksum.
struct SegmentHeader {
    static let size: Int64 = 40
    static let version: UInt32 = 1
    private static let magic: StaticString = "TOCSINSP"

    var spool: UInt64
    var firstSequence: UInt64

    func encoded() -> [UInt8] {
        var writer = StateWriter()
        writer.write(Self.magic)
        writer.write(Self.version)
        writer.write(UInt32(0))
        writer.write(spool)
        writer.write(firstSequence)
        writer.write(UInt32(0))
        writer.write(CRC32C.of(writer.bytes.span))
        return writer.bytes
    }

    /// What stands at the start of a segment file.
    enum Reading {
        case header(SegmentHeader)
        /// Sound, but of a newer program.
        case version(UInt32)
        case damaged
    }

    static func decoded(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= Int(size), bytes.prefix(8).elementsEqual("\(magic)".utf8) else { return .damaged }
        var reader = StateReader(bytes[8...])
        guard let version = reader.read(UInt32.self), reader.read(UInt32.self) != nil,
            let spool = reader.read(UInt64.self), let first = reader.read(UInt64.self),
            reader.read(UInt32.self) != nil, let sum = reader.read(UInt32.self),
            sum == CRC32C.of(bytes, 0..<Int(size) - 4), first > 0, first <= Sequence64.highest
        else { return .damaged }
        guard version == Self.version else { return .version(version) }
        return .header(SegmentHeader(spool: spool, firstSequence: first))
    }

    /// `segment-00000000000000000001.spool`: the first sequence once more, for the day the header is damaged.
    static func fileName(first: UInt64) -> String {
        let digits = String(first)
        return "segment-" + String(repeating: "0", count: 20 - digits.count) + digits + ".spool"
    }

    static func firstSequence(ofFile name: String) -> UInt64? {
        guard name.utf8.count == 34, name.hasPrefix("segment-"), name.hasSuffix(".spool"),
            let first = UInt64(name.dropFirst(8).prefix(20)), first > 0, first <= Sequence64.highest
        else { return nil }
        return first
    }
}

/// Bounds of record numbers.
enum Sequence64 {
    /// Numbers above this can only come from damage: at 10 M records a second it would be reached in 14,000 years.
    static let highest: UInt64 = 1 << 62
}
