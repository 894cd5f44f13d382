internal import TocsinCore

/// The 24 bytes before each payload: marker, length, sequence, checksum of the payload, checksum of this header.
///
/// The header's checksum starts from the spool's random id: a payload that happens to hold, or maliciously holds, bytes
/// of a record is not taken for one when a scan runs over it.
struct RecordHeader {
    static let size = 24
    /// "TREC"
    static let dataMarker: UInt32 = 0x4345_5254
    /// "TVOI": no payload; says that no record has a number up to this one that is not before it.
    static let voidMarker: UInt32 = 0x494f_5654
    /// Larger payloads are refused.
    static let longestPayload = 1 << 30

    var isVoid: Bool
    var length: Int
    var sequence: UInt64
    var payloadSum: UInt32

    /// Bytes of the whole record: the next one starts at a multiple of 8.
    static func stride(_ length: Int) -> Int { size + (length + 7) & ~7 }
    var stride: Int { Self.stride(length) }

    /// What a header's checksum starts from.
    static func salt(spool: UInt64) -> UInt32 {
        var writer = StateWriter()
        writer.write(spool)
        return CRC32C.of(writer.bytes.span)
    }

    func write(to bytes: inout [UInt8], salt: UInt32) {
        let start = bytes.count
        Self.append(isVoid ? Self.voidMarker : Self.dataMarker, to: &bytes)
        Self.append(UInt32(length), to: &bytes)
        Self.append(sequence, to: &bytes)
        Self.append(payloadSum, to: &bytes)
        Self.append(CRC32C.of(bytes, start..<start + 20, after: salt), to: &bytes)
    }

    /// nil where no sound header stands at `place` (24 bytes must be there).
    static func read(_ bytes: Span<UInt8>, at place: Int, salt: UInt32) -> RecordHeader? {
        let marker = bytes.number(at: place)
        guard marker == dataMarker || marker == voidMarker else { return nil }
        let sum = bytes.number(at: place + 20)
        guard sum == CRC32C.of(bytes.extracting(place..<place + 20), after: salt) else { return nil }
        let length = bytes.number(at: place + 4)
        let low = UInt64(bytes.number(at: place + 8))
        let high = UInt64(bytes.number(at: place + 12))
        guard length <= longestPayload else { return nil }
        return RecordHeader(
            isVoid: marker == voidMarker, length: Int(length), sequence: high << 32 | low,
            payloadSum: bytes.number(at: place + 16))
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        for shift in 0..<Number.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(8 * shift)))
        }
    }
}

extension Span<UInt8> {
    /// The little-endian 32 bits at a place.
    fileprivate func number(at place: Int) -> UInt32 {
        UInt32(self[place]) | UInt32(self[place + 1]) << 8 | UInt32(self[place + 2]) << 16
            | UInt32(self[place + 3]) << 24
    }
}
