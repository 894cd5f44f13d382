/// Bytes that are no MQTT packet, or not one that may come here.
public struct MalformedPacket: Error, Equatable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Reads the fields of a packet (MQTT 5.0, section 1.5) one after another; never beyond the end.
public struct PacketReader {
    private let bytes: UnsafeRawBufferPointer
    public private(set) var position = 0

    /// The bytes must outlive the reader.
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var remaining: Int { bytes.count - position }

    @inline(__always)
    private mutating func take(_ count: Int) throws(MalformedPacket) -> Int {
        guard count <= remaining else { throw MalformedPacket("a packet ends before its fields do") }
        defer { position += count }
        return position
    }

    public mutating func readByte() throws(MalformedPacket) -> UInt8 { bytes[try take(1)] }

    public mutating func readUInt16() throws(MalformedPacket) -> UInt16 {
        let start = try take(2)
        return UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
    }

    public mutating func readUInt32() throws(MalformedPacket) -> UInt32 {
        let high = try readUInt16()
        return UInt32(high) << 16 | UInt32(try readUInt16())
    }

    /// One to four bytes, seven bits each, the lowest first.
    public mutating func readVariableInteger() throws(MalformedPacket) -> Int {
        var value = 0
        for shift in [0, 7, 14, 21] {
            let byte = try readByte()
            value |= Int(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw MalformedPacket("a length of more than four bytes")
    }

    /// Where the next `count` bytes are.
    public mutating func readRange(_ count: Int) throws(MalformedPacket) -> Range<Int> {
        let start = try take(count)
        return start..<start + count
    }

    /// A text or binary field: where its bytes are.
    public mutating func readField() throws(MalformedPacket) -> Range<Int> {
        try readRange(Int(try readUInt16()))
    }

    /// A text field; what is not UTF-8 in it is replaced.
    public mutating func readText() throws(MalformedPacket) -> String {
        String(decoding: bytes[try readField()], as: UTF8.self)
    }
}
