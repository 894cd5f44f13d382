internal import TocsinCore

/// A payload that is nothing but one number.
enum PlainNumber {
    /// The longest text tried.
    private static let longest = 64

    /// A decimal number, `true`, `false`, `on`, `off`, with blanks around it or none.
    static func read(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeFault) -> Double {
        let text = Text.trim(bytes, range)
        guard !text.isEmpty else { throw .malformed("is empty: it holds nothing but blanks") }
        if text.count <= longest {
            switch CSVNumber.read(bytes.extracting(text), allowsDecimalComma: true) {
            case .number(let value): return value
            case .absent, .notFinite, .word: break
            }
            if let state = state(bytes, text) { return state }
        }
        let excerpt = Text.excerpt(bytes.extracting(text))
        throw DecodeFault(.notANumber, "is not a finite number but \"\(excerpt)\"")
    }

    /// So plainly a number that it can be nothing else.
    static func isOne(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let text = Text.trim(bytes, range)
        guard !text.isEmpty, text.count <= longest else { return false }
        switch CSVNumber.read(bytes.extracting(text), allowsDecimalComma: false) {
        case .number, .notFinite: return true
        case .absent: return false
        case .word: return state(bytes, text) != nil
        }
    }

    private static func state(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Double? {
        guard text.count <= 3 else { return nil }
        switch String(copying: bytes.extracting(text)).lowercased() {
        case "on": return 1
        case "off": return 0
        default: return nil
        }
    }
}
