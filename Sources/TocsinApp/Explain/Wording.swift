internal import TocsinChart
internal import TocsinCore

/// Figures of a finding in words.
enum Wording {
    /// "2025-10-01 10:03:20 UTC"
    static func clock(_ time: Timestamp) -> String {
        let text = time.iso8601
        return "\(text.prefix(10)) \(text.dropFirst(11).dropLast()) UTC"
    }

    /// The time of day alone.
    static func timeOfDay(_ time: Timestamp) -> String { String(time.iso8601.dropFirst(11).dropLast()) }

    static func duration(_ span: Span64) -> String {
        let seconds = abs(span.seconds)
        if seconds == 0 { return "a moment" }
        if seconds < 1 { return "\(NumberText.short(seconds * 1000, digits: 3)) ms" }
        if seconds < 120 { return "\(NumberText.short(seconds, digits: 3)) s" }
        if seconds < 7200 { return "\(NumberText.short(seconds / 60, digits: 3)) min" }
        if seconds < 172_800 { return "\(NumberText.short(seconds / 3600, digits: 3)) h" }
        return "\(NumberText.short(seconds / 86_400, digits: 3)) days"
    }

    static func symbol(of unit: String?) -> String? {
        guard let unit, !unit.isEmpty else { return nil }
        switch unit.lowercased() {
        case "c", "celsius", "degc": return "°C"
        case "f", "fahrenheit", "degf": return "°F"
        case "percent", "pct", "%rh", "rh": return "%"
        default: return unit.printable
        }
    }

    static func quantity(_ value: Double, _ unit: String?) -> String {
        let number = NumberText.short(value)
        guard value.isFinite, let symbol = symbol(of: unit) else { return number }
        return symbol == "%" ? number + symbol : "\(number) \(symbol)"
    }

    static func score(_ score: Double) -> String {
        guard score.isFinite else { return "none" }
        return "\(NumberText.fixed(score, 2)) of 1"
    }

    /// A p-value in words: "extreme: about 1 in 800 million on normal data".
    static func odds(_ pValue: Double) -> String {
        guard pValue.isFinite, pValue >= 0 else { return "not calibrated" }
        guard pValue >= 1e-12 else { return "extreme: less than 1 in a trillion on normal data" }
        let one = 1 / pValue
        if one < 1.5 { return "nothing unusual on normal data" }
        let word = pValue < 1e-9 ? "extreme" : pValue < 1e-6 ? "very unusual" : pValue < 1e-3 ? "unusual" : "mild"
        let scales = [(1e9, " billion"), (1e6, " million"), (1, "")]
        let scale = scales.first { one >= $0.0 * 0.995 } ?? (1, "")
        return "\(word): about 1 in \(rounded(one / scale.0))\(scale.1) on normal data"
    }

    /// To two digits.
    private static func rounded(_ value: Double) -> String {
        var step = 1.0
        while value >= step * 100 { step *= 10 }
        return NumberText.fixed((value / step).rounded() * step, 0)
    }

    static func detector(_ detector: DetectorKind) -> String {
        switch detector.name {
        case "bank": "bank: looks at every reading of every series"
        case "event-forest": "event-forest: looks at all metrics of one message together"
        case "window-forest": "window-forest: looks at every closed window of a series"
        case "novelty": "novelty: knows what a series has done before"
        case "asset-chart": "asset-chart: looks at all metrics of one sensor together, over time"
        case "lstm": "lstm: rebuilds the last windows of a series from what it has learnt"
        case "fire": "fire: a classifier and rates of change for smoke and fire sensors"
        case "safety-limits": "safety-limits: fixed limits that no model can silence"
        default: detector.name
        }
    }

    /// What the value of a finding is, where it is not a reading.
    static func valueName(_ kind: AnomalyKind) -> String {
        switch kind {
        case .noise: "standard deviation"
        case .silence: "seconds of silence"
        case .drift: "level"
        case .pattern, .multivariate, .fire: "detector's score"
        default: "value"
        }
    }

    /// Where the value lies to what was expected; nil where nothing was expected, or it lies inside.
    static func excess(_ anomaly: Anomaly) -> String? {
        let (low, high) = (anomaly.expectedLow, anomaly.expectedHigh)
        let (distance, side) =
            anomaly.value > high ? (anomaly.value - high, "above") : (low - anomaly.value, "below")
        guard distance.isFinite, distance > 0 else { return nil }
        var text = "\(NumberText.short(distance)) \(side)"
        if high - low > 0, (high - low).isFinite {
            text += ", \(NumberText.short(distance / (high - low), digits: 2)) times the width of what was expected"
        }
        return text
    }
}

/// Rows of text in columns: the first one to the left, the others to the right.
struct TextColumns {
    private var rows: [[String]] = []

    mutating func add(_ row: [String]) { rows.append(row) }

    var lines: [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            var line = "  "
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line += column == 0 ? cell + space : "  " + space + cell
            }
            return line
        }
    }
}
