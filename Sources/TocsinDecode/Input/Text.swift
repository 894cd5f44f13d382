/// Small steps over bytes that the decoders share.
enum Text {
    static func opensJSON(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    static func skipByteOrderMark(_ bytes: Span<UInt8>) -> Int {
        bytes.count >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf ? 3 : 0
    }

    /// Too few bytes to tell a byte order mark.
    static func mayOpenByteOrderMark(_ bytes: Span<UInt8>) -> Bool {
        switch bytes.count {
        case 1: bytes[0] == 0xef
        case 2: bytes[0] == 0xef && bytes[1] == 0xbb
        default: false
        }
    }

    static func skipBlanks(_ bytes: Span<UInt8>, from start: Int, throughLines: Bool) -> Int {
        var position = start
        while position < bytes.count,
            isBlank(bytes[position]) || (throughLines && bytes[position] == UInt8(ascii: "\n"))
        {
            position += 1
        }
        return position
    }

    /// The place of the next line feed.
    static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var position = start
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "\n") { return position }
            position += 1
        }
        return nil
    }

    /// The place of the last line feed at or behind `start`.
    static func lastLineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var position = bytes.count
        while position > start {
            position -= 1
            if bytes[position] == UInt8(ascii: "\n") { return position }
        }
        return nil
    }

    /// The range without blanks and line ends around it.
    static func trim(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isBlank(bytes[start]) || bytes[start] == UInt8(ascii: "\n") { start += 1 }
        while end > start, isBlank(bytes[end - 1]) || bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        return start..<end
    }

    static func contains(_ byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Bool {
        for position in start..<bytes.count where bytes[position] == byte { return true }
        return false
    }

    /// For messages to people: at most 60 bytes, everything but printable ASCII shown as a dot.
    static func excerpt(_ bytes: Span<UInt8>) -> String {
        let limit = 60
        var result: [UInt8] = []
        result.reserveCapacity(limit)
        for position in 0..<min(bytes.count, limit) {
            let byte = bytes[position]
            result.append(0x20..<0x7f ~= byte ? byte : UInt8(ascii: "."))
        }
        let text = String(decoding: result, as: UTF8.self)
        return bytes.count > limit ? text + "…" : text
    }

    /// Readable as text: no control characters but blanks, and UTF-8.
    static func isText(_ bytes: Span<UInt8>) -> Bool {
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for position in bytes.indices {
            let byte = bytes[position]
            if byte < 0x20, !isBlank(byte) { return false }
            copy.append(byte)
        }
        return String(validating: copy, as: UTF8.self) != nil
    }

    /// Overlapping eight-byte loads: the texts compared are short.
    @inline(__always)
    static func equal(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = left.count
        guard count == right.count else { return false }
        let left = UnsafeRawBufferPointer(left)
        let right = UnsafeRawBufferPointer(right)
        guard count >= 8 else {
            for position in 0..<count where unsafe left[position] != right[position] { return false }
            return true
        }
        var offset = 0
        while offset < count {
            let start = min(offset, count - 8)
            let ours = unsafe left.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            let theirs = unsafe right.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            if ours != theirs { return false }
            offset += 8
        }
        return true
    }
}
