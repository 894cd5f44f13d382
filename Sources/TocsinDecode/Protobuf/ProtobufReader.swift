/// Reads the Protobuf wire format out of a range of bytes; every read is checked against its end.
///
/// Encoding: protobuf.dev/programming-guides/encoding. The bytes are given to each call, so that the reader is a plain
/// pair of numbers; they must be the same each time.
struct ProtobufReader {
    /// How a field's value is written.
    enum Wire: UInt8 {
        case varint = 0, fixed64 = 1, delimited = 2, groupStart = 3, groupEnd = 4, fixed32 = 5
    }

    struct Field {
        var number: Int
        var wire: Wire
    }

    /// Nesting of groups and messages that is followed.
    static let deepest = 32

    private(set) var position: Int
    let end: Int

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position >= end }

    /// The next field's key, or nil at the end.
    @inline(__always)
    mutating func field(_ bytes: Span<UInt8>) throws(DecodeFault) -> Field? {
        if position >= end { return nil }
        let key = try varint(bytes)
        guard let wire = Wire(rawValue: UInt8(truncatingIfNeeded: key & 7)), key >> 3 > 0, key >> 32 == 0 else {
            throw Self.broken("a field has the key \(key)")
        }
        return Field(number: Int(truncatingIfNeeded: key >> 3), wire: wire)
    }

    @inline(__always)
    mutating func varint(_ bytes: Span<UInt8>) throws(DecodeFault) -> UInt64 {
        if position < end, bytes[position] < 0x80 {
            position += 1
            return UInt64(bytes[position - 1])
        }
        return try longVarint(bytes)
    }

    private mutating func longVarint(_ bytes: Span<UInt8>) throws(DecodeFault) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte < 2 else { throw Self.broken("a number has more than 64 bits") }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        throw Self.broken("a number breaks off")
    }

    mutating func fixed64(_ bytes: Span<UInt8>) throws(DecodeFault) -> UInt64 {
        guard end - position >= 8 else { throw Self.broken("a number breaks off") }
        defer { position += 8 }
        return bytes.littleEndian(at: position, as: UInt64.self)
    }

    mutating func fixed32(_ bytes: Span<UInt8>) throws(DecodeFault) -> UInt32 {
        guard end - position >= 4 else { throw Self.broken("a number breaks off") }
        defer { position += 4 }
        return bytes.littleEndian(at: position, as: UInt32.self)
    }

    /// The range of a text, of bytes, or of a message inside.
    mutating func delimited(_ bytes: Span<UInt8>) throws(DecodeFault) -> Range<Int> {
        let length = try varint(bytes)
        guard length <= UInt64(end - position) else {
            throw Self.broken("a field of \(length) bytes goes beyond the end")
        }
        let start = position
        position += Int(truncatingIfNeeded: length)
        return start..<position
    }

    /// Moves behind a value of any form, groups included.
    mutating func skip(_ field: Field, _ bytes: Span<UInt8>) throws(DecodeFault) {
        switch field.wire {
        case .varint: _ = try varint(bytes)
        case .fixed64: _ = try fixed64(bytes)
        case .fixed32: _ = try fixed32(bytes)
        case .delimited: _ = try delimited(bytes)
        case .groupEnd: throw Self.broken("a group ends that has not begun")
        case .groupStart: try skipGroup(field.number, bytes)
        }
    }

    private mutating func skipGroup(_ number: Int, _ bytes: Span<UInt8>) throws(DecodeFault) {
        var open = [number]
        while let last = open.last {
            guard let field = try field(bytes) else { throw Self.broken("a group is not closed") }
            switch field.wire {
            case .groupStart:
                guard open.count < Self.deepest else {
                    throw Self.broken("groups are nested deeper than \(Self.deepest) levels")
                }
                open.append(field.number)
            case .groupEnd:
                guard field.number == last else { throw Self.broken("a group is closed by another's end") }
                open.removeLast()
            default: try skip(field, bytes)
            }
        }
    }

    /// A field that has another wire form than its type asks for.
    static func wrongWire(_ name: String) -> DecodeFault {
        broken("the \(name) has another wire type than its own")
    }

    static func broken(_ fault: String) -> DecodeFault {
        .malformed("is no valid Protobuf: \(fault)")
    }

    /// Undoes the zigzag of `sint32` and `sint64`.
    static func signed(_ number: UInt64) -> Int64 {
        Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }
}

extension Span<UInt8> {
    /// The caller has made sure that the bytes are there.
    @inline(__always)
    func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(at position: Int, as type: Number.Type) -> Number {
        let size = MemoryLayout<Number>.size
        precondition(position >= 0 && position <= count - size, "a number lies within its bytes")
        return unsafe withUnsafeBytes { raw in
            unsafe Number(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: Number.self))
        }
    }
}
