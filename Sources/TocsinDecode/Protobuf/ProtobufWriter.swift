/// Writes the Protobuf wire format: for the few messages that are sent back.
struct ProtobufWriter {
    /// Number and length of a field take no more.
    static let mostTagBytes = 20

    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: Int, _ number: UInt64) {
        append(UInt64(field) << 3)
        append(number)
    }

    mutating func double(_ field: Int, _ number: Double) {
        append(UInt64(field) << 3 | 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
        }
    }

    mutating func text(_ field: Int, _ text: String) { data(field, Array(text.utf8)) }

    mutating func data(_ field: Int, _ content: [UInt8]) {
        append(UInt64(field) << 3 | 2)
        append(UInt64(content.count))
        bytes += content
    }

    mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        data(field, inner.bytes)
    }

    private mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
