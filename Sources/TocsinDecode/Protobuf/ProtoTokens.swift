/// The words, numbers, texts and signs of a `.proto` file, without its comments.
struct ProtoTokens {
    static let mostTokens = 200_000

    private var tokens: [String] = []
    private var position = 0

    init(_ text: String) throws(DecodeFault) {
        let bytes = Array(text.utf8)
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            let next = place + 1 < bytes.count ? bytes[place + 1] : 0
            if byte <= UInt8(ascii: " ") {
                place += 1
            } else if byte == UInt8(ascii: "/"), next == UInt8(ascii: "/") {
                while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
            } else if byte == UInt8(ascii: "/"), next == UInt8(ascii: "*") {
                place += 2
                while place + 1 < bytes.count,
                    bytes[place] != UInt8(ascii: "*") || bytes[place + 1] != UInt8(ascii: "/")
                {
                    place += 1
                }
                place += 2
            } else {
                let end = Self.end(of: place, bytes)
                guard tokens.count < Self.mostTokens else {
                    throw .malformed("is longer than \(Self.mostTokens) words")
                }
                tokens.append(String(decoding: bytes[place..<end], as: UTF8.self))
                place = end
            }
        }
    }

    private static func end(of start: Int, _ bytes: [UInt8]) -> Int {
        var place = start + 1
        if bytes[start] == UInt8(ascii: "\"") || bytes[start] == UInt8(ascii: "'") {
            while place < bytes.count, bytes[place] != bytes[start] {
                place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
            }
            return min(place + 1, bytes.count)
        }
        guard isWord(bytes[start]) else { return place }
        while place < bytes.count, isWord(bytes[place]) { place += 1 }
        return place
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "+"), 0x80...0xff:
            true
        default: false
        }
    }

    var isAtEnd: Bool { position >= tokens.count }
    var peek: String { position < tokens.count ? tokens[position] : "" }

    mutating func next() throws(DecodeFault) -> String {
        guard position < tokens.count else { throw .malformed("breaks off") }
        position += 1
        return tokens[position - 1]
    }

    mutating func expect(_ word: String) throws(DecodeFault) {
        let found = try next()
        guard found == word else {
            throw .malformed("has `\(Text.excerpt(found.utf8.span))` where `\(word)` is expected")
        }
    }

    /// True, and moves on, where the next word is this one.
    mutating func take(_ word: String) -> Bool {
        guard peek == word else { return false }
        position += 1
        return true
    }

    /// Behind the semicolon, or the braces, that end a declaration of no interest.
    mutating func skipDeclaration() throws(DecodeFault) {
        var depth = 0
        while true {
            switch try next() {
            case "{", "[", "(": depth += 1
            case "}", ")":
                depth -= 1
                if depth == 0, tokens[position - 1] == "}" { return }
                if depth < 0 { throw .malformed("has a bracket that closes what is not open") }
            case "]": depth -= 1
            case ";": if depth == 0 { return }
            default: break
            }
        }
    }

    /// Behind the options of a field.
    mutating func skipOptions() throws(DecodeFault) {
        guard take("[") else { return }
        var depth = 1
        while depth > 0 {
            switch try next() {
            case "[": depth += 1
            case "]": depth -= 1
            default: break
            }
        }
    }
}
