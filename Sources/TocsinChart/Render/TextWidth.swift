/// How wide text will be, without a font at hand: the widths of Helvetica and Arial, and a little more, because the
/// viewer may have another.
enum TextWidth {
    // Thousandths of the font size, from U+0020 to U+007E (Adobe's font metrics of Helvetica).
    private static let ascii: [Double] = [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556,
        556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667,
        556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556,
        556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722,
        500, 500, 500, 334, 260, 334, 584,
    ]

    static func of(_ text: String, size: Double, isBold: Bool = false) -> Double {
        var sum = 0.0
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x20...0x7E: sum += ascii[Int(scalar.value) - 0x20]
            // Ideographs and emoji fill a square.
            case 0x2E80...: sum += 1000
            default: sum += 600
            }
        }
        return sum / 1000 * size * (isBold ? 1.12 : 1.05)
    }

    /// The text, or as much of it as fits, with an ellipsis.
    static func fitted(_ text: String, width: Double, size: Double, isBold: Bool = false) -> String {
        guard of(text, size: size, isBold: isBold) > width else { return text }
        var kept = text
        while !kept.isEmpty, of(kept + "…", size: size, isBold: isBold) > width { kept.removeLast() }
        return kept.isEmpty ? "" : kept + "…"
    }

    /// Broken at spaces into at most `lines` lines; the last one is cut where it does not fit.
    static func wrapped(_ text: String, width: Double, size: Double, lines: Int) -> [String] {
        var result: [String] = []
        var current = ""
        for word in text.split(separator: " ") {
            let longer = current.isEmpty ? String(word) : current + " " + word
            if of(longer, size: size) <= width || current.isEmpty || result.count == lines - 1 {
                current = longer
            } else {
                result.append(current)
                current = String(word)
            }
        }
        if !current.isEmpty { result.append(current) }
        return result.map { fitted($0, width: width, size: size) }
    }
}
