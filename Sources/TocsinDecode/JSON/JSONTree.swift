internal import CSimdJSON

/// A JSON text (RFC 8259) as a flat list of its values in the order of the text: for forms whose structure the column
/// parser does not know. Its memory is reused; about 10 ns a value.
struct JSONTree {
    enum Kind: UInt8 {
        case object, array, string, number, yes, no, null
    }

    struct Node {
        var kind: Kind
        /// The text has escapes.
        var isEscaped = false
        var isKeyEscaped = false
        /// Of a member of an object: between the quotes.
        var key = 0..<0
        /// Strings without their quotes; numbers.
        var text = 0..<0
        /// Objects and arrays with their brackets.
        var whole = 0..<0
        /// Behind the last node inside this one.
        var next = 0
    }

    static let deepest = 64

    private(set) var nodes: [Node] = []
    private var position = 0
    private var end = 0

    /// Parses a range that holds exactly one value.
    mutating func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeFault) {
        nodes.removeAll(keepingCapacity: true)
        position = range.lowerBound
        end = range.upperBound
        guard Self.isUTF8(bytes, range) else { throw .malformed("is not valid JSON: it is not UTF-8") }
        var open: [Int] = []
        var key = 0..<0
        var isKeyEscaped = false
        while true {
            // A value stands here.
            skipBlanks(bytes)
            let place = nodes.count
            var node = Node(kind: .null)
            node.key = key
            node.isKeyEscaped = isKeyEscaped
            try readValue(bytes, &node)
            node.next = place + 1
            nodes.append(node)
            if node.kind == .object || node.kind == .array {
                guard open.count < Self.deepest else { throw fault("it is nested deeper than \(Self.deepest) levels") }
                nodes[place].whole = position - 1..<position
                open.append(place)
                skipBlanks(bytes)
                let close = node.kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")
                if peek(bytes) != close {
                    (key, isKeyEscaped) = try readKey(bytes, inside: node.kind)
                    continue
                }
            }
            // It is over: so may be those around it.
            var goesOn = false
            while let last = open.last, !goesOn {
                skipBlanks(bytes)
                let kind = nodes[last].kind
                switch peek(bytes) {
                case UInt8(ascii: ",") where nodes.count > last + 1:
                    position += 1
                    (key, isKeyEscaped) = try readKey(bytes, inside: kind)
                    goesOn = true
                case UInt8(ascii: "}") where kind == .object, UInt8(ascii: "]") where kind == .array:
                    position += 1
                    nodes[last].next = nodes.count
                    nodes[last].whole = nodes[last].whole.lowerBound..<position
                    open.removeLast()
                default: throw fault("a comma or a closing bracket is missing")
                }
            }
            if !goesOn { break }
        }
        skipBlanks(bytes)
        guard position == end else { throw fault("text stands behind its end") }
    }

    private func peek(_ bytes: Span<UInt8>) -> UInt8 { position < end ? bytes[position] : 0 }

    private mutating func skipBlanks(_ bytes: Span<UInt8>) {
        while position < end, Text.isBlank(bytes[position]) || bytes[position] == UInt8(ascii: "\n") { position += 1 }
    }

    private mutating func readKey(
        _ bytes: Span<UInt8>, inside kind: Kind
    ) throws(DecodeFault) -> (Range<Int>, Bool) {
        guard kind == .object else { return (0..<0, false) }
        skipBlanks(bytes)
        guard peek(bytes) == UInt8(ascii: "\"") else { throw fault("a field name is missing") }
        let key = try readString(bytes)
        skipBlanks(bytes)
        guard peek(bytes) == UInt8(ascii: ":") else { throw fault("a colon is missing") }
        position += 1
        return key
    }

    private mutating func readValue(_ bytes: Span<UInt8>, _ node: inout Node) throws(DecodeFault) {
        switch peek(bytes) {
        case UInt8(ascii: "{"):
            node.kind = .object
            position += 1
        case UInt8(ascii: "["):
            node.kind = .array
            position += 1
        case UInt8(ascii: "\""):
            node.kind = .string
            (node.text, node.isEscaped) = try readString(bytes)
        case UInt8(ascii: "t"): try readWord("true", .yes, bytes, &node)
        case UInt8(ascii: "f"): try readWord("false", .no, bytes, &node)
        case UInt8(ascii: "n"): try readWord("null", .null, bytes, &node)
        default:
            node.kind = .number
            node.text = try readNumber(bytes)
        }
    }

    private mutating func readWord(
        _ word: StaticString, _ kind: Kind, _ bytes: Span<UInt8>, _ node: inout Node
    ) throws(DecodeFault) {
        guard end - position >= word.utf8CodeUnitCount else { throw fault("a value is unknown") }
        for offset in 0..<word.utf8CodeUnitCount where unsafe bytes[position + offset] != word.utf8Start[offset] {
            throw fault("a value is unknown")
        }
        position += word.utf8CodeUnitCount
        node.kind = kind
    }

    private mutating func readString(_ bytes: Span<UInt8>) throws(DecodeFault) -> (Range<Int>, Bool) {
        position += 1
        let start = position
        var isEscaped = false
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return (start..<position - 1, isEscaped)
            case UInt8(ascii: "\\"):
                isEscaped = true
                position += 2
            case 0..<0x20: throw fault("a string holds a control character")
            default: position += 1
            }
        }
        throw fault("a quote is missing")
    }

    private mutating func readNumber(_ bytes: Span<UInt8>) throws(DecodeFault) -> Range<Int> {
        let start = position
        if peek(bytes) == UInt8(ascii: "-") { position += 1 }
        let digits = position
        skipDigits(bytes)
        guard position > digits, position == digits + 1 || bytes[digits] != UInt8(ascii: "0") else {
            throw fault("a value is missing or unknown")
        }
        if peek(bytes) == UInt8(ascii: ".") {
            position += 1
            let fraction = position
            skipDigits(bytes)
            guard position > fraction else { throw fault("a number is broken") }
        }
        if peek(bytes) | 0x20 == UInt8(ascii: "e") {
            position += 1
            if peek(bytes) == UInt8(ascii: "-") || peek(bytes) == UInt8(ascii: "+") { position += 1 }
            let exponent = position
            skipDigits(bytes)
            guard position > exponent else { throw fault("a number is broken") }
        }
        return start..<position
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) {
        while position < end, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
    }

    private func fault(_ what: String) -> DecodeFault { .malformed("is not valid JSON: \(what)") }

    private static func isUTF8(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var isASCII = true
        for position in range where bytes[position] >= 0x80 { isASCII = false }
        if isASCII { return true }
        return unsafe bytes.extracting(range).withUnsafeBufferPointer { text in
            unsafe String(validating: text, as: UTF8.self) != nil
        }
    }
}
