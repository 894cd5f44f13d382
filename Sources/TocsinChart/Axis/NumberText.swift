/// Numbers as people read them. No locale: a point before decimals, a comma between thousands.
public enum NumberText {
    /// `fixed(12345.678, 1) == "12,345.7"`. `decimals`: 0 to 9.
    public static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return "no number" }
        let decimals = min(max(decimals, 0), 9)
        let scale = power(decimals)
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 9e15 else { return scientific(value) }
        let whole = Int64(scaled)
        let unit = Int64(scale)
        var text = grouped(whole / unit)
        if decimals > 0 {
            let part = String(whole % unit)
            text += "." + String(repeating: "0", count: decimals - part.count) + part
        }
        return value < 0 && whole > 0 ? "-" + text : text
    }

    /// At most `digits` significant digits, trailing zeros left out: `short(0.0123456) == "0.01235"`.
    public static func short(_ value: Double, digits: Int = 4) -> String {
        guard value.isFinite else { return "no number" }
        let magnitude = abs(value)
        if magnitude == 0 { return "0" }
        if magnitude < 1e-4 || magnitude >= 1e9 { return scientific(value) }
        var decimals = 0
        while decimals < 9, magnitude * power(decimals) < power(digits - 1) { decimals += 1 }
        var text = fixed(value, decimals)
        guard text.contains(".") else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// Two significant digits and a power of ten: `scientific(1.23e-7) == "1.2e-7"`.
    public static func scientific(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "no number" }
        var exponent = 0
        var mantissa = abs(value)
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        var tenths = Int((mantissa * 10).rounded())
        if tenths == 100 {
            tenths = 10
            exponent += 1
        }
        let fraction = tenths % 10 == 0 ? "" : ".\(tenths % 10)"
        return "\(value < 0 ? "-" : "")\(tenths / 10)\(fraction)e\(exponent)"
    }

    static func power(_ exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<max(0, min(exponent, 300)) { result *= 10 }
        return result
    }

    private static func grouped(_ value: Int64) -> String {
        let digits = String(value)
        guard digits.count > 4 else { return digits }
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return result
    }
}
