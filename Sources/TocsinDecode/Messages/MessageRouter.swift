internal import TocsinCore

/// Who decodes a message.
enum MessageRoute: UInt8 {
    case json, csv, number, senmlJSON, senmlCBOR, sparkplug, influx, schema, otlpProtobuf, otlpJSON, refused

    /// Neighbours of one family are decoded together.
    var family: MessageRoute {
        switch self {
        case .json, .csv, .refused: self
        default: .schema
        }
    }
}

/// Tells by the form, the first bytes and the topic of a message who decodes it.
struct MessageRouter {
    let form: PayloadForm
    let longest: Int
    let hasRegistry: Bool
    let store: SchemaStore

    func check(_ payload: ByteRange, _ count: Int) throws(DecodeFault) {
        guard payload.length > 0 else {
            throw .malformed("is empty: it has no payload (on Kafka a tombstone), and so no reading")
        }
        guard payload.range.upperBound <= count else { throw .malformed("lies outside its batch") }
        guard Int(payload.length) <= longest else {
            throw DecodeFault(.tooLong, "is longer than \(longest) bytes: it has \(payload.length)")
        }
    }

    /// Who decodes a message; moves the start of `content` behind what says nothing to its decoder.
    func route(_ bytes: Span<UInt8>, _ content: inout ByteRange, isSparkplug: Bool) throws(DecodeFault) -> MessageRoute
    {
        switch form {
        case .auto: return try guess(bytes, &content, isSparkplug: isSparkplug)
        case .json:
            let start = try Self.firstByte(bytes, &content)
            if Text.opensJSON(bytes[start]) { return .json }
            return PlainNumber.isOne(bytes, start..<content.range.upperBound) ? .number : .json
        case .csv:
            _ = try Self.firstByte(bytes, &content)
            return .csv
        case .number: return .number
        case .senmlJSON: return .senmlJSON
        case .senmlCBOR: return .senmlCBOR
        case .sparkplugB: return .sparkplug
        case .influx: return .influx
        case .otlpProtobuf: return .otlpProtobuf
        case .otlpJSON: return .otlpJSON
        case .confluentJSON:
            _ = try SchemaFraming.id(bytes, content.range)
            Self.skip(SchemaFraming.length, &content)
            _ = try Self.firstByte(bytes, &content)
            return .json
        case .avro: return try framed(bytes, &content, only: .avro)
        case .protobuf: return try framed(bytes, &content, only: .protobuf)
        }
    }

    private func guess(
        _ bytes: Span<UInt8>, _ content: inout ByteRange, isSparkplug: Bool
    ) throws(DecodeFault) -> MessageRoute {
        if isSparkplug { return .sparkplug }
        let first = bytes[content.range.lowerBound]
        if first == UInt8(ascii: "{") { return .json }
        if first == 0, content.length >= 5 {
            guard hasRegistry else {
                throw .malformed("starts as with a schema registry's framing, but no registry is configured")
            }
            return try framed(bytes, &content, only: nil)
        }
        // An array with a map in it: the start of a SenML pack, and of no text.
        if content.length >= 2, 0x80...0x9f ~= first, 0xa0...0xbf ~= bytes[content.range.lowerBound + 1] {
            return .senmlCBOR
        }
        let start = try Self.firstByte(bytes, &content)
        let rest = start..<content.range.upperBound
        switch bytes[start] {
        case UInt8(ascii: "{"): return .json
        case UInt8(ascii: "["): return SenMLDecoder.isPack(bytes, rest) ? .senmlJSON : .json
        default: return PlainNumber.isOne(bytes, rest) ? .number : .csv
        }
    }

    /// Framed messages of JSON go with the other JSON.
    private func framed(
        _ bytes: Span<UInt8>, _ content: inout ByteRange, only kind: RegisteredSchema.Kind?
    ) throws(DecodeFault) -> MessageRoute {
        let id = try SchemaFraming.id(bytes, content.range)
        let found = try store.kind(of: id)
        if let kind, kind != found {
            throw .malformed("has the schema id \(id), which is \(found.rawValue) where \(kind.rawValue) is expected")
        }
        guard found == .json else { return .schema }
        Self.skip(SchemaFraming.length, &content)
        _ = try Self.firstByte(bytes, &content)
        return .json
    }

    /// The place of the first byte of a text that is not blank; a byte order mark is left out of `content`.
    private static func firstByte(_ bytes: Span<UInt8>, _ content: inout ByteRange) throws(DecodeFault) -> Int {
        if content.length > 0, bytes[content.range.lowerBound] == 0xef {
            skip(Text.skipByteOrderMark(bytes.extracting(content.range)), &content)
        }
        let range = content.range
        var start = range.lowerBound
        while start < range.upperBound, Text.isBlank(bytes[start]) || bytes[start] == UInt8(ascii: "\n") { start += 1 }
        guard start < range.upperBound else { throw .malformed("is empty: it holds nothing but blanks") }
        return start
    }

    private static func skip(_ count: Int, _ content: inout ByteRange) {
        content.offset += UInt32(truncatingIfNeeded: count)
        content.length -= UInt32(truncatingIfNeeded: count)
    }
}
