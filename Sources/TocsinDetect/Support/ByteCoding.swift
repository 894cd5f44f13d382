/// Writes fixed-width little-endian numbers and short texts: the body of saved models.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ text: StaticString) { bytes.append(contentsOf: "\(text)".utf8) }

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number
        for _ in 0..<Number.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = Number.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    mutating func write(_ number: Double) { write(number.bitPattern) }
    mutating func write(_ number: Float) { write(number.bitPattern) }

    /// At most 65,535 bytes of UTF-8.
    mutating func write(name: String) {
        let text = Array(name.utf8.prefix(Int(UInt16.max)))
        write(UInt16(text.count))
        bytes.append(contentsOf: text)
    }
}

/// Reads what `ByteWriter` wrote; nil instead of a trap at the end of the bytes.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - position }

    mutating func read<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        let size = Number.bitWidth / 8
        guard remaining >= size else { return nil }
        var number: Number = 0
        for place in 0..<size {
            number |= Number(truncatingIfNeeded: bytes[position + place]) << (8 * place)
        }
        position += size
        return number
    }

    mutating func readDouble() -> Double? { read(UInt64.self).map(Double.init(bitPattern:)) }
    mutating func readFloat() -> Float? { read(UInt32.self).map(Float.init(bitPattern:)) }

    mutating func readName() -> String? {
        guard let count = read(UInt16.self), remaining >= Int(count) else { return nil }
        let text = bytes[position..<position + Int(count)]
        position += Int(count)
        return String(validating: text, as: UTF8.self)
    }
}
