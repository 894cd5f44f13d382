/// Reads CBOR (RFC 8949) item by item out of a range of bytes; every well-formed item can be skipped.
///
/// As `ProtobufReader`, it is a plain pair of numbers: the bytes are given to each call.
struct CBORReader {
    /// The start of an item.
    enum Head: Equatable {
        case unsigned(UInt64)
        /// -1 - n.
        case negative(UInt64)
        /// Count of bytes, nil for pieces up to a break.
        case bytes(Int?)
        case text(Int?)
        /// Count of items, nil up to a break.
        case array(Int?)
        case map(Int?)
        case tag(UInt64)
        case simple(UInt8)
        case float(Double)
        case end
    }

    static let deepest = 64

    private(set) var position: Int
    let end: Int

    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position >= end }

    mutating func head(_ bytes: Span<UInt8>) throws(DecodeFault) -> Head {
        guard position < end else { throw Self.broken("an item is missing") }
        let first = bytes[position]
        position += 1
        let info = first & 31
        if first >> 5 == 7 { return try simple(info, bytes) }
        var argument: UInt64? = nil
        switch info {
        case 0..<24: argument = UInt64(info)
        case 24...27: argument = try number(1 << (info - 24), bytes)
        case 31: break
        default: throw Self.broken("a length has the reserved form \(info)")
        }
        switch first >> 5 {
        case 2: return .bytes(try count(argument, of: 1))
        case 3: return .text(try count(argument, of: 1))
        case 4: return .array(try count(argument, of: 1))
        case 5: return .map(try count(argument, of: 2))
        default:
            guard let argument else { throw Self.broken("a number has no end") }
            return first >> 5 == 0 ? .unsigned(argument) : first >> 5 == 1 ? .negative(argument) : .tag(argument)
        }
    }

    private mutating func simple(_ info: UInt8, _ bytes: Span<UInt8>) throws(DecodeFault) -> Head {
        switch info {
        case 0..<24: return .simple(info)
        case 24:
            let value = try number(1, bytes)
            guard value >= 32 else { throw Self.broken("a simple value is written too long") }
            return .simple(UInt8(truncatingIfNeeded: value))
        case 25: return .float(Self.half(UInt16(truncatingIfNeeded: try number(2, bytes))))
        case 26: return .float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try number(4, bytes)))))
        case 27: return .float(Double(bitPattern: try number(8, bytes)))
        case 31: return .end
        default: throw Self.broken("a simple value has the reserved form \(info)")
        }
    }

    /// Big-endian.
    private mutating func number(_ size: Int, _ bytes: Span<UInt8>) throws(DecodeFault) -> UInt64 {
        guard end - position >= size else { throw Self.broken("a number breaks off") }
        var number: UInt64 = 0
        for offset in 0..<size { number = number << 8 | UInt64(bytes[position + offset]) }
        position += size
        return number
    }

    /// A count of things of at least `size` bytes that are still to come.
    private func count(_ argument: UInt64?, of size: Int) throws(DecodeFault) -> Int? {
        guard let argument else { return nil }
        guard argument <= UInt64((end - position) / size) else {
            throw Self.broken("\(argument) elements are announced, and fewer are there")
        }
        return Int(truncatingIfNeeded: argument)
    }

    /// The content of a byte or text string behind its head; pieces are put together.
    mutating func content(
        _ count: Int?, isText: Bool, _ bytes: Span<UInt8>, _ columns: inout MessageColumns
    ) throws(DecodeFault) -> TextRef {
        if let count {
            position += count
            return TextRef(position - count..<position)
        }
        let start = columns.side.count
        while true {
            let piece: Int?
            switch try head(bytes) {
            case .end: return .side(start..<columns.side.count)
            case .text(let length) where isText: piece = length
            case .bytes(let length) where !isText: piece = length
            default: throw Self.broken("a string in pieces holds something else")
            }
            guard let piece else { throw Self.broken("a piece of a string is in pieces itself") }
            _ = columns.keep(bytes.extracting(position..<position + piece))
            position += piece
        }
    }

    /// Moves behind an item of any form.
    mutating func skip(_ bytes: Span<UInt8>) throws(DecodeFault) {
        // By level: items still to come, nil up to a break; for maps without a count, whether a value is awaited.
        var open: [(left: Int?, isMap: Bool, isOdd: Bool)] = []
        repeat {
            if open.last?.left == 0 {
                open.removeLast()
                continue
            }
            let head = try head(bytes)
            if head == .end {
                guard let last = open.popLast(), last.left == nil, !last.isOdd else {
                    throw Self.broken("a break stands where none can")
                }
                continue
            }
            if let last = open.indices.last {
                open[last].left = open[last].left.map { $0 - 1 }
                if open[last].isMap { open[last].isOdd.toggle() }
            }
            try enter(head, &open, bytes)
        } while !open.isEmpty
    }

    private mutating func enter(
        _ head: Head, _ open: inout [(left: Int?, isMap: Bool, isOdd: Bool)], _ bytes: Span<UInt8>
    ) throws(DecodeFault) {
        switch head {
        case .bytes(let count), .text(let count):
            if let count {
                position += count
            } else {
                var unused = MessageColumns()
                var isText = false
                if case .text = head { isText = true }
                _ = try content(nil, isText: isText, bytes, &unused)
            }
        case .array(let count): open.append((count, false, false))
        case .map(let count):
            // Twice a count that fits the bytes does too.
            open.append((count.map { $0 * 2 }, count == nil, false))
        case .tag: open.append((1, false, false))
        case .unsigned, .negative, .simple, .float, .end: break
        }
        guard open.count <= Self.deepest else {
            throw Self.broken("items are nested deeper than \(Self.deepest) levels")
        }
    }

    /// IEEE 754 binary16, as in RFC 8949 appendix D.
    static func half(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 31)
        let fraction = Double(bits & 0x3ff)
        let magnitude: Double
        switch exponent {
        case 0: magnitude = fraction * 0x1p-24
        case 31: magnitude = fraction == 0 ? .infinity : .nan
        default: magnitude = Double(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
        }
        return bits & 0x8000 == 0 ? magnitude : -magnitude
    }

    static func broken(_ fault: String) -> DecodeFault { .malformed("is no valid CBOR: \(fault)") }
}
