internal import CSimdJSON

extension JSONTree {
    /// The value of a member; nil where the object has none of this name, the last where it has several.
    func member(_ name: StaticString, of node: Int, _ bytes: Span<UInt8>) -> Int? {
        guard nodes[node].kind == .object else { return nil }
        var found: Int?
        var child = node + 1
        while child < nodes[node].next {
            if isKey(child, name, bytes) { found = child }
            child = nodes[child].next
        }
        return found
    }

    /// The members of an object or elements of an array in their order.
    func children(of node: Int) -> [Int] {
        var result: [Int] = []
        guard nodes[node].kind == .object || nodes[node].kind == .array else { return result }
        var child = node + 1
        while child < nodes[node].next {
            result.append(child)
            child = nodes[child].next
        }
        return result
    }

    func isKey(_ node: Int, _ name: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let key = nodes[node].key
        guard key.count == name.utf8CodeUnitCount, !nodes[node].isKeyEscaped else { return false }
        for offset in 0..<key.count where unsafe bytes[key.lowerBound + offset] != name.utf8Start[offset] {
            return false
        }
        return true
    }

    func string(_ node: Int, _ bytes: Span<UInt8>) -> String? {
        guard nodes[node].kind == .string else { return nil }
        let text = nodes[node].text
        guard nodes[node].isEscaped else { return String(copying: bytes.extracting(text)) }
        return Self.unescaped(bytes, text).map { String(decoding: $0, as: UTF8.self) }
    }

    func key(_ node: Int, _ bytes: Span<UInt8>) -> String? {
        let text = nodes[node].key
        guard nodes[node].isKeyEscaped else { return String(copying: bytes.extracting(text)) }
        return Self.unescaped(bytes, text).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A string as a text of the columns, without a copy where it has no escapes.
    func text(_ node: Int, _ bytes: Span<UInt8>, _ columns: inout MessageColumns) -> TextRef? {
        guard nodes[node].kind == .string else { return nil }
        let text = nodes[node].text
        guard nodes[node].isEscaped else { return TextRef(text) }
        return Self.unescaped(bytes, text).map { columns.keep($0) }
    }

    /// A number, or a string that holds one, as 64-bit integers come in Protobuf's JSON. Not finite beyond 1.8e308.
    func number(_ node: Int, _ bytes: Span<UInt8>) -> Double? {
        switch nodes[node].kind {
        case .number, .string: break
        default: return nil
        }
        var value = 0.0
        let code = unsafe bytes.extracting(nodes[node].text).withUnsafeBufferPointer { text in
            unsafe Int(tsj_decimal(text.baseAddress, text.count, &value))
        }
        switch code {
        case TSJ_NUMBER: return value
        case TSJ_NOT_FINITE: return .nan
        default: return nil
        }
    }

    /// An integer of 64 bits, as a number or a string.
    func integer(_ node: Int, _ bytes: Span<UInt8>) -> UInt64? {
        switch nodes[node].kind {
        case .number, .string: break
        default: return nil
        }
        var number: UInt64 = 0
        let text = nodes[node].text
        guard !text.isEmpty, text.count <= 20 else { return nil }
        for position in text {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(UInt64(digit))
            guard !tooLarge, !overflow else { return nil }
            number = sum
        }
        return number
    }

    /// Nil for an escape that is none.
    private static func unescaped(_ bytes: Span<UInt8>, _ text: Range<Int>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var position = text.lowerBound
        while position < text.upperBound {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard position < text.upperBound else { return nil }
            let letter = bytes[position]
            position += 1
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(letter)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(bytes, &position, text.upperBound) else { return nil }
                result.append(contentsOf: String(Character(scalar)).utf8)
            default: return nil
            }
        }
        return result
    }

    /// The scalar of four hexadecimal digits, or of two times four: a surrogate alone becomes U+FFFD.
    private static func scalar(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> Unicode.Scalar? {
        guard let first = unit(bytes, &position, end) else { return nil }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard 0xd800..<0xdc00 ~= first, end - position >= 6, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return "\u{fffd}" }
        var next = position + 2
        guard let second = unit(bytes, &next, end) else { return nil }
        guard 0xdc00..<0xe000 ~= second else { return "\u{fffd}" }
        position = next
        return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    }

    private static func unit(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> UInt32? {
        guard end - position >= 4 else { return nil }
        var number: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            number = number << 4 | UInt32(digit)
            position += 1
        }
        return number
    }
}
