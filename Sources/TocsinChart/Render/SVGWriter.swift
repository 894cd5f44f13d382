internal import TocsinCore

/// Writes SVG elements; everything that is text is escaped here and nowhere else.
struct SVGWriter {
    private(set) var text = ""

    enum Anchor: String { case start, middle, end }

    mutating func raw(_ markup: String) { text += markup }

    mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String, opacity: Double = 1,
        radius: Double = 0
    ) {
        text += "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(max(0, width)))\""
        text += " height=\"\(Self.number(max(0, height)))\" fill=\"\(fill)\""
        if opacity < 1 { text += " fill-opacity=\"\(Self.number(opacity, 2))\"" }
        if radius > 0 { text += " rx=\"\(Self.number(radius))\"" }
        text += "/>\n"
    }

    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, stroke: String, width: Double = 1, dash: String = "",
        opacity: Double = 1
    ) {
        text += "<line x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\""
        text += " y2=\"\(Self.number(y2))\" stroke=\"\(stroke)\" stroke-width=\"\(Self.number(width))\""
        if !dash.isEmpty { text += " stroke-dasharray=\"\(dash)\"" }
        if opacity < 1 { text += " stroke-opacity=\"\(Self.number(opacity, 2))\"" }
        text += "/>\n"
    }

    mutating func path(
        _ data: String, fill: String = "none", stroke: String = "none", width: Double = 1, opacity: Double = 1
    ) {
        guard !data.isEmpty else { return }
        text += "<path d=\"\(data)\" fill=\"\(fill)\""
        if stroke != "none" {
            text += " stroke=\"\(stroke)\" stroke-width=\"\(Self.number(width))\" stroke-linejoin=\"round\""
            text += " stroke-linecap=\"round\""
        }
        if opacity < 1 { text += " opacity=\"\(Self.number(opacity, 2))\"" }
        text += "/>\n"
    }

    mutating func label(
        _ x: Double, _ y: Double, _ words: String, size: Double = Theme.small, fill: String = Theme.soft,
        anchor: Anchor = .start, isBold: Bool = false
    ) {
        guard !words.isEmpty else { return }
        text += "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(Self.number(size))\""
        text += " fill=\"\(fill)\""
        if anchor != .start { text += " text-anchor=\"\(anchor.rawValue)\"" }
        if isBold { text += " font-weight=\"600\"" }
        text += ">\(Self.escaped(words))</text>\n"
    }

    /// Characters that XML 1.0 has no place for, and those that turn the direction of text, become U+FFFD.
    static func escaped(_ words: String) -> String {
        var result = ""
        for scalar in words.printable.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// One decimal by default; far outside any picture everything is the same place.
    static func number(_ value: Double, _ decimals: Int = 1) -> String {
        let scale = decimals == 2 ? 100.0 : 10.0
        let bounded = value.isFinite ? min(max(value, -100_000), 100_000) : 0
        let scaled = Int((bounded * scale).rounded())
        let (whole, part) = scaled.magnitude.quotientAndRemainder(dividingBy: UInt(scale))
        var text = (scaled < 0 ? "-" : "") + String(whole)
        guard part > 0 else { return text }
        let digits = String(part)
        text += "." + String(repeating: "0", count: decimals - digits.count) + digits
        while text.hasSuffix("0") { text.removeLast() }
        return text
    }
}
