internal import TocsinCore

/// Finds fields of a JSON object by their names, without reading the rest. About 1 ns a byte; any bytes may come.
struct JSONFields {
    let bytes: [UInt8]
    let range: Range<Int>

    /// Where the value of the first-ranked of some names stands, quotes included.
    ///
    /// - Parameter names: in lower case; case does not count in the object.
    func value(of names: [[UInt8]]) -> Range<Int>? {
        var best: (rank: Int, value: Range<Int>)?
        each { key, value in
            for rank in 0..<(best?.rank ?? names.count) where isName(key, names[rank]) {
                best = (rank, value)
                break
            }
        }
        return best?.value
    }

    /// Where the value at a path of names stands.
    func value(at path: [[UInt8]]) -> Range<Int>? {
        guard let first = path.first, let found = value(of: [first]) else { return nil }
        guard path.count > 1 else { return found }
        return JSONFields(bytes: bytes, range: found).value(at: Array(path.dropFirst()))
    }

    /// Behind the opening bracket; nil where there is no object.
    var inside: Int? {
        var position = range.lowerBound
        while position < range.upperBound, Self.isBlank(bytes[position]) { position += 1 }
        return position < range.upperBound && bytes[position] == UInt8(ascii: "{") ? position + 1 : nil
    }

    private func each(_ body: (_ key: Range<Int>, _ value: Range<Int>) -> Void) {
        guard var position = inside else { return }
        while true {
            skip(&position) { Self.isBlank($0) || $0 == UInt8(ascii: ",") }
            guard position < range.upperBound, bytes[position] == UInt8(ascii: "\"") else { return }
            let keyStart = position + 1
            skipValue(&position)
            guard position > keyStart else { return }
            let key = keyStart..<position - 1
            skip(&position) { Self.isBlank($0) || $0 == UInt8(ascii: ":") }
            let start = position
            skipValue(&position)
            guard position > start else { return }
            body(key, start..<position)
        }
    }

    private func skipValue(_ position: inout Int) {
        guard position < range.upperBound else { return }
        switch bytes[position] {
        case UInt8(ascii: "\""): skipString(&position)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            var depth = 0
            while position < range.upperBound {
                let byte = bytes[position]
                if byte == UInt8(ascii: "\"") {
                    skipString(&position)
                    continue
                }
                if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { depth += 1 }
                if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { depth -= 1 }
                position += 1
                if depth == 0 { return }
            }
        default:
            skip(&position) { !Self.isBlank($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}") }
        }
    }

    private func skipString(_ position: inout Int) {
        position += 1
        while position < range.upperBound {
            let byte = bytes[position]
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { break }
        }
        position = min(position, range.upperBound)
    }

    private func skip(_ position: inout Int, while matches: (UInt8) -> Bool) {
        while position < range.upperBound, matches(bytes[position]) { position += 1 }
    }

    private func isName(_ key: Range<Int>, _ name: [UInt8]) -> Bool {
        guard key.count == name.count else { return false }
        for (place, byte) in zip(key, name) {
            let found = bytes[place]
            let lower = (0x41...0x5a).contains(found) ? found | 0x20 : found
            if lower != byte { return false }
        }
        return true
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
