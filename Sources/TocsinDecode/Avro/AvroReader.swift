/// Reads Avro's binary encoding (Apache Avro 1.12 specification, "Binary Encoding") out of a range of bytes.
struct AvroReader {
    private(set) var position: Int
    let end: Int
    /// Values that may still be read: types without bytes could otherwise be read for ever.
    private var budget: Int

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
        budget = 65_536 + 4 * range.count
    }

    var isAtEnd: Bool { position >= end }

    mutating func spend() throws(DecodeFault) {
        budget -= 1
        guard budget > 0 else { throw Self.broken("it holds more values than its length allows") }
    }

    /// A zigzag varint of at most 64 bits.
    @inline(__always)
    mutating func long(_ bytes: Span<UInt8>) throws(DecodeFault) -> Int64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte < 2 else { throw Self.broken("a number has more than 64 bits") }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return ProtobufReader.signed(number) }
            shift += 7
        }
        throw Self.broken("it breaks off")
    }

    mutating func int(_ bytes: Span<UInt8>) throws(DecodeFault) -> Int64 {
        let number = try long(bytes)
        guard Int32(exactly: number) != nil else { throw Self.broken("an int has more than 32 bits") }
        return number
    }

    mutating func boolean(_ bytes: Span<UInt8>) throws(DecodeFault) -> Bool {
        let byte = bytes[try fixed(1).lowerBound]
        guard byte < 2 else { throw Self.broken("a boolean is neither 0 nor 1") }
        return byte == 1
    }

    mutating func float(_ bytes: Span<UInt8>) throws(DecodeFault) -> Double {
        Double(Float(bitPattern: bytes.littleEndian(at: try fixed(4).lowerBound, as: UInt32.self)))
    }

    mutating func double(_ bytes: Span<UInt8>) throws(DecodeFault) -> Double {
        Double(bitPattern: bytes.littleEndian(at: try fixed(8).lowerBound, as: UInt64.self))
    }

    /// The content of bytes or a string.
    mutating func delimited(_ bytes: Span<UInt8>) throws(DecodeFault) -> Range<Int> {
        let length = try long(bytes)
        guard length >= 0, length <= Int64(end - position) else {
            throw Self.broken("a text of \(length) bytes goes beyond the end")
        }
        return try fixed(Int(length))
    }

    mutating func fixed(_ count: Int) throws(DecodeFault) -> Range<Int> {
        guard count <= end - position else { throw Self.broken("it breaks off") }
        defer { position += count }
        return position..<position + count
    }

    /// The number of items of the next block of an array or a map; 0 at its end.
    mutating func block(_ bytes: Span<UInt8>) throws(DecodeFault) -> Int64 {
        let count = try long(bytes)
        if count >= 0 { return count }
        // The size in bytes, for readers that pass over the block.
        guard try long(bytes) >= 0, count > .min else { throw Self.broken("a block has a negative size") }
        return -count
    }

    static func broken(_ fault: String) -> DecodeFault { .malformed("is no valid Avro of its schema: \(fault)") }
}
