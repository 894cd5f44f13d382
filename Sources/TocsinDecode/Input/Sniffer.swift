/// Finds out what input is from its first bytes, so that the answer does not depend on how it was cut into chunks.
enum Sniffer {
    /// Nothing is decided on more bytes than this.
    private static let window = 64 * 1024

    /// The layout, or nil where more bytes are needed.
    ///
    /// - Parameter isFinal: no more bytes will come.
    static func layout(of bytes: Span<UInt8>, format: InputFormat, isFinal: Bool, limits: DecodeLimits) -> InputLayout?
    {
        switch format {
        case .csv: return .rows
        case .json: return json(bytes, isFinal: isFinal, limits: limits)
        case .auto: break
        }
        // Two lines, because the first may be the torn end of a message.
        var position = 0
        for _ in 0..<2 {
            position = Text.skipBlanks(bytes, from: position, throughLines: true)
            guard position < bytes.count else { return isFinal || bytes.count >= window ? .rows : nil }
            if Text.opensJSON(bytes[position]) { return json(bytes, isFinal: isFinal, limits: limits) }
            guard let end = Text.endOfLine(bytes, from: position) else {
                return isFinal || bytes.count >= window ? .rows : nil
            }
            guard end < window else { return .rows }
            position = end + 1
        }
        return .rows
    }

    /// Lines, where the first message ends on the line on which it starts; documents, where it goes on or is an array.
    private static func json(
        _ bytes: Span<UInt8>, isFinal: Bool, limits: DecodeLimits
    ) -> InputLayout? {
        var position = Text.skipBlanks(bytes, from: 0, throughLines: true)
        guard position < bytes.count else { return isFinal || bytes.count >= window ? .lines : nil }
        while !Text.opensJSON(bytes[position]) {
            guard let end = Text.endOfLine(bytes, from: position) else {
                return isFinal || bytes.count >= window ? .lines : nil
            }
            guard end < window else { return .lines }
            position = Text.skipBlanks(bytes, from: end + 1, throughLines: true)
            guard position < bytes.count else { return isFinal ? .lines : nil }
        }
        if bytes[position] == UInt8(ascii: "[") { return .documents }
        var framer = JSONFramer()
        let opening = position
        while position < bytes.count, position - opening <= limits.maximumMessageBytes {
            if bytes[position] == UInt8(ascii: "\n") {
                return framer.isInString
                    ? .lines : secondLine(bytes, from: position + 1, isFinal: isFinal, limits: limits)
            }
            if framer.consume(bytes[position]) == .ends {
                // Several messages without a line feed between them are documents.
                let next = Text.skipBlanks(bytes, from: position + 1, throughLines: false)
                if next == bytes.count { return isFinal ? .lines : nil }
                return bytes[next] == UInt8(ascii: "\n") ? .lines : .documents
            }
            position += 1
        }
        return isFinal || position - opening > limits.maximumMessageBytes ? .lines : nil
    }

    /// The first line holds an open message. A whole message on the second line means that the first was cut off, not
    /// that it goes on.
    private static func secondLine(
        _ bytes: Span<UInt8>, from start: Int, isFinal: Bool, limits: DecodeLimits
    ) -> InputLayout? {
        guard start < bytes.count else { return isFinal ? .documents : nil }
        guard bytes[start] == UInt8(ascii: "{") else { return .documents }
        var framer = JSONFramer()
        var position = start
        while position < bytes.count, position - start <= limits.maximumMessageBytes {
            if bytes[position] == UInt8(ascii: "\n") { return .documents }
            if framer.consume(bytes[position]) == .ends {
                let next = Text.skipBlanks(bytes, from: position + 1, throughLines: false)
                if next == bytes.count { return isFinal ? .lines : nil }
                return bytes[next] == UInt8(ascii: "\n") ? .lines : .documents
            }
            position += 1
        }
        return isFinal || position - start > limits.maximumMessageBytes ? .documents : nil
    }
}
