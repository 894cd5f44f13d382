/// Numbers as people write them in a sentence.
enum FireText {
    /// Three significant digits below 100, whole numbers above; "infinity" and "not a number" in words.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "not a number" : value > 0 ? "infinity" : "-infinity" }
        guard abs(value) < 1e15 else { return "\(value)" }
        let digits: Double = abs(value) >= 100 ? 1 : abs(value) >= 10 ? 10 : abs(value) >= 1 ? 100 : 1000
        let rounded = (value * digits).rounded() / digits
        let text = "\(rounded)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// "12 s", "5 min", "2 h".
    static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "a long time" }
        if seconds < 120 { return "\(Int(max(1, seconds.rounded()))) s" }
        return seconds < 7200 ? "\(Int((seconds / 60).rounded())) min" : "\(Int((seconds / 3600).rounded())) h"
    }
}
