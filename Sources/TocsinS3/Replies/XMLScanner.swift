/// XML of a service that cannot be read.
public struct XMLError: Error, Equatable, CustomStringConvertible {
    public var description: String
}

/// Elements and text out of bytes, one token at a time: as much of XML as services of S3 write.
///
/// Attributes, comments, processing instructions and prefixes of names are passed over; document types are refused, and
/// with them entities of one's own. Any bytes give tokens or an error.
struct XMLScanner {
    enum Token: Equatable {
        case start(String)
        case end(String)
        /// Without escapes; one element may have several.
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    /// `<name/>` is a start and an end.
    private var pendingEnd: String?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// Nil at the end of the input.
    mutating func next() throws(XMLError) -> Token? {
        if let name = pendingEnd {
            pendingEnd = nil
            return .end(name)
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else { return .text(try text()) }
            if skip("<!--") {
                try skip(past: "-->", in: "a comment")
            } else if skip("<![CDATA[") {
                let start = position
                try skip(past: "]]>", in: "a CDATA section")
                return .text(try string(start..<position - 3))
            } else if skip("<?") {
                try skip(past: "?>", in: "a processing instruction")
            } else if skip("</") {
                let name = try name()
                skipSpace()
                guard skip(">") else { throw XMLError(description: "the end tag of \(name) is broken") }
                return .end(name)
            } else if skip("<!") {
                throw XMLError(description: "it has a document type")
            } else {
                position += 1
                return try startTag()
            }
        }
        return nil
    }

    private mutating func startTag() throws(XMLError) -> Token {
        let name = try name()
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: ">"): return .start(name)
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                guard let end = bytes[position...].firstIndex(of: byte) else { throw Self.truncated("an attribute") }
                position = end + 1
            case UInt8(ascii: "/"):
                guard skip(">") else { throw XMLError(description: "the tag of \(name) is broken") }
                pendingEnd = name
                return .start(name)
            case UInt8(ascii: "<"): throw XMLError(description: "the tag of \(name) is broken")
            default: break
            }
        }
        throw Self.truncated("a tag")
    }

    /// Without its prefix.
    private mutating func name() throws(XMLError) -> String {
        var start = position
        loop: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), 0x80...:
                position += 1
            case UInt8(ascii: ":"):
                position += 1
                start = position
            default: break loop
            }
        }
        guard position > start else { throw XMLError(description: "a tag has no name") }
        return try string(start..<position)
    }

    private mutating func text() throws(XMLError) -> String {
        var plain: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            if bytes[position] == UInt8(ascii: "&") {
                plain.append(contentsOf: try entity().utf8)
            } else {
                plain.append(bytes[position])
                position += 1
            }
        }
        guard let text = String(validating: plain, as: UTF8.self) else { throw Self.notText }
        return text
    }

    private mutating func entity() throws(XMLError) -> String {
        let start = position + 1
        guard let end = bytes[start...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw XMLError(description: "an & begins no escape")
        }
        position = end + 1
        let name = try string(start..<end)
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { throw XMLError(description: "the escape &\(name); is unknown") }
            let isHexadecimal = name.hasPrefix("#x")
            guard let number = UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10),
                let scalar = Unicode.Scalar(number)
            else { throw XMLError(description: "the escape &\(name); is no character") }
            return String(Character(scalar))
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length,
            word.withUTF8Buffer({ bytes[position..<position + length].elementsEqual($0) })
        else { return false }
        position += length
        return true
    }

    private mutating func skip(past word: StaticString, in what: String) throws(XMLError) {
        while position < bytes.count {
            if skip(word) { return }
            position += 1
        }
        throw Self.truncated(what)
    }

    private func string(_ range: Range<Int>) throws(XMLError) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else { throw Self.notText }
        return text
    }

    private static let notText = XMLError(description: "it is not UTF-8")

    private static func truncated(_ what: String) -> XMLError {
        XMLError(description: "it ends in the midst of \(what)")
    }
}
