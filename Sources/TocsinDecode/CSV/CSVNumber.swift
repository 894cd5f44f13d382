internal import CSimdJSON

/// Numbers in CSV cells.
enum CSVNumber: Equatable {
    case number(Double)
    case absent
    case word
    case notFinite

    /// Empty, or the word "null": no reading. "true" and "false" are 1 and 0.
    ///
    /// - Parameter allowsDecimalComma: the separator is no comma: then "21,5" can only be a decimal number. A cell that
    ///   has a point as well, or several commas, is none.
    static func read(_ text: Span<UInt8>, allowsDecimalComma: Bool) -> CSVNumber {
        if text.isEmpty { return .absent }
        var value = 0.0
        let code = decimal(text, &value)
        if code == TSJ_NUMBER { return .number(value) }
        if code == TSJ_NOT_FINITE { return .notFinite }
        return readWord(text, allowsDecimalComma: allowsDecimalComma)
    }

    private static func readWord(_ span: Span<UInt8>, allowsDecimalComma: Bool) -> CSVNumber {
        let trimmed = Text.trim(span, 0..<span.count)
        if trimmed.isEmpty { return .absent }
        guard trimmed.count <= 40 else { return .word }
        var copy: [UInt8] = []
        var commas = 0
        for position in trimmed {
            let byte = span[position]
            if byte == UInt8(ascii: ",") { commas += 1 }
            copy.append(byte == UInt8(ascii: ",") ? UInt8(ascii: ".") : byte)
        }
        switch String(decoding: copy, as: UTF8.self).lowercased() {
        case "null": return .absent
        case "true": return .number(1)
        case "false": return .number(0)
        default: break
        }
        guard allowsDecimalComma, commas == 1 else { return .word }
        var value = 0.0
        return decimal(copy.span, &value) == TSJ_NUMBER ? .number(value) : .word
    }

    private static func decimal(_ text: Span<UInt8>, _ value: inout Double) -> Int {
        unsafe text.withUnsafeBufferPointer { bytes in unsafe Int(tsj_decimal(bytes.baseAddress, bytes.count, &value)) }
    }

    static func isNumber(_ text: Span<UInt8>) -> Bool {
        switch read(text, allowsDecimalComma: false) {
        case .number, .notFinite: true
        case .absent, .word: false
        }
    }
}
