/// Reads a flat JSON object of numbers (`{"temperature":21.4,"humidity":null}`) in its order; `null` is not-a-number.
///
/// Reads what this program wrote; of anything else as much as it understands.
struct FlatObject {
    private let bytes: [UInt8]
    private var place = 0

    static func numbers(_ text: [UInt8]) -> [(name: String, value: Double)] {
        var reader = FlatObject(bytes: text)
        return reader.read()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func read() -> [(name: String, value: Double)] {
        var result: [(name: String, value: Double)] = []
        guard take("{") else { return result }
        while let name = string(), take(":"), let value = number() {
            result.append((name, value))
            guard take(",") else { break }
        }
        return result
    }

    private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
        guard current == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func number() -> Double? {
        while current == 0x20 { place += 1 }
        let start = place
        while let byte = current, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte > 0x20 { place += 1 }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        return text == "null" ? .nan : Double(text)
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text: [UInt8] = []
        while let byte = current {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text.append(contentsOf: String(scalar).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = current else { return nil }
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"): return unicode()
        default: return Unicode.Scalar(byte)
        }
    }

    private mutating func unicode() -> Unicode.Scalar? {
        guard let first = hex() else { return nil }
        guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) ?? "\u{fffd}" }
        guard take("\\"), take("u"), let second = hex(), (0xdc00..<0xe000).contains(second) else { return "\u{fffd}" }
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    }

    private mutating func hex() -> UInt32? {
        guard place + 4 <= bytes.count else { return nil }
        defer { place += 4 }
        return UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
    }
}
