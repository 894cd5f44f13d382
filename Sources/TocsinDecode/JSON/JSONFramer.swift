/// Tells JSON messages apart by their brackets, one byte at a time: for arrays of messages, messages spread over
/// lines, and messages without anything between them. About 1 ns a byte.
///
/// What stands between messages (blanks, commas, the brackets of the array around them) belongs to none. Text that
/// cannot be a message, and a message that breaks off, last until the next `{` at which a message can start.
struct JSONFramer: Sendable {
    enum Step {
        case nothing
        /// A message, or text that is none, starts at this byte.
        case begins
        /// It ends behind this byte.
        case ends
        /// It ended before this byte, at which a message starts.
        case restarts
    }

    private enum Phase {
        case outside, inside, broken
    }

    private var phase = Phase.outside
    private(set) var isInString = false
    private var isEscaped = false
    private var depth = 0
    /// Bit n: the bracket at depth n + 1 is that of an object.
    private var objects: UInt64 = 0
    /// The last byte that is not blank.
    private var previous: UInt8 = 0
    private var isLineStart = false

    var isOutside: Bool { phase == .outside }

    mutating func consume(_ byte: UInt8) -> Step {
        switch phase {
        case .inside: isInString ? consumeInString(byte) : consumeInside(byte)
        case .outside: consumeOutside(byte)
        case .broken: consumeBroken(byte)
        }
    }

    private mutating func consumeOutside(_ byte: UInt8) -> Step {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"), UInt8(ascii: ","),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            return .nothing
        case UInt8(ascii: "{"): open()
        default:
            phase = .broken
            previous = byte
        }
        return .begins
    }

    private mutating func open() {
        phase = .inside
        isInString = false
        depth = 1
        objects = 1
        previous = UInt8(ascii: "{")
        isLineStart = false
    }

    private mutating func consumeInString(_ byte: UInt8) -> Step {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            previous = byte
        }
        // No string goes over a line end: a quote is missing.
        if byte == UInt8(ascii: "\n") { fail() }
        return .nothing
    }

    private mutating func consumeInside(_ byte: UInt8) -> Step {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\r"), UInt8(ascii: "\t"): return .nothing
        case UInt8(ascii: "\n"):
            isLineStart = true
            return .nothing
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{") where isLineStart && !expectsValue:
            // The message before broke off with its line.
            open()
            return .restarts
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < 64 else {
                fail()
                return .nothing
            }
            let bit = UInt64(1) << UInt64(depth)
            objects = byte == UInt8(ascii: "{") ? objects | bit : objects & ~bit
            depth += 1
        case UInt8(ascii: "}") where !isInObject, UInt8(ascii: "]") where isInObject: fail()
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            if depth == 0 {
                phase = .outside
                return .ends
            }
        default: break
        }
        previous = byte
        isLineStart = false
        return .nothing
    }

    private var isInObject: Bool { objects >> UInt64(depth - 1) & 1 == 1 }

    private var expectsValue: Bool {
        previous == UInt8(ascii: ":") || previous == UInt8(ascii: "[")
            || (previous == UInt8(ascii: ",") && !isInObject)
    }

    private mutating func fail() {
        phase = .broken
        isInString = false
        isEscaped = false
    }

    private mutating func consumeBroken(_ byte: UInt8) -> Step {
        if Text.isBlank(byte) || byte == UInt8(ascii: "\n") { return .nothing }
        // Behind a colon stands a part of the broken message, not a new one.
        if byte == UInt8(ascii: "{"), previous != UInt8(ascii: ":") {
            open()
            return .restarts
        }
        previous = byte
        return .nothing
    }
}

extension JSONFramer {
    /// The messages of bytes that hold whole ones; what breaks off at the end counts too.
    static func messages(in bytes: Span<UInt8>, _ body: (Range<Int>) -> Void) {
        var framer = JSONFramer()
        var start = 0
        for position in bytes.indices {
            switch framer.consume(bytes[position]) {
            case .nothing: break
            case .begins: start = position
            case .ends: body(start..<position + 1)
            case .restarts:
                body(start..<position)
                start = position
            }
        }
        if !framer.isOutside { body(start..<bytes.count) }
    }
}
