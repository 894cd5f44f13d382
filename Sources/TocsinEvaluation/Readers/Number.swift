/// Numbers as text.
enum Number {
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The number a cell holds: correctly rounded; NaN for an empty cell, nil for anything else. About 20 ns.
    static func parse(_ text: ArraySlice<UInt8>) -> Double? {
        if text.isEmpty { return .nan }
        var mantissa: UInt64 = 0
        var digits = 0
        var decimals = 0
        var isBehindPoint = false
        var position = text.startIndex
        let isNegative = text[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        while position < text.endIndex {
            let byte = text[position]
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                if mantissa > 900_000_000_000_000 { return slow(text) }
                mantissa = mantissa * 10 + UInt64(digit)
                digits += 1
                if isBehindPoint { decimals += 1 }
            } else if byte == UInt8(ascii: "."), !isBehindPoint {
                isBehindPoint = true
            } else {
                return slow(text)
            }
            position += 1
        }
        guard digits > 0 else { return nil }
        // Both are exact in binary, so the quotient is rounded once (Clinger 1990).
        guard decimals < powers.count else { return slow(text) }
        let value = Double(mantissa) / powers[decimals]
        return isNegative ? -value : value
    }

    private static func slow(_ text: ArraySlice<UInt8>) -> Double? {
        let text = String(decoding: text, as: UTF8.self)
        return text.lowercased() == "nan" ? .nan : Double(text)
    }
}
