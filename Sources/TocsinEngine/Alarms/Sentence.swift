public import TocsinCore

/// The one plain sentence of an anomaly: what, where, since when, how sure, and what contributes most.
///
/// "temperature of sensor_1 jumped to 98.3 °C at 2025-10-01 10:00:00 UTC, expected 23.1 to 26.8 °C (p < 1e-9)"
public struct Sentence: Sendable {
    public static func text(
        _ verdict: Verdict, sensor: String, metric: String?, unit: String?
    ) -> String {
        let what = metric.map { "\($0) of \(sensor)" } ?? sensor
        let value = quantity(verdict.value, unit)
        let at = clock(verdict.time)
        let since = clock(verdict.start)
        let expected = band(verdict, unit)
        let sure = confidence(verdict.pValue)
        switch verdict.kind {
        case .spike:
            let verb = verdict.value < verdict.expectedLow ? "dropped" : "jumped"
            return "\(what) \(verb) to \(value) at \(at)\(expected)\(sure)"
        case .drift:
            let verb = verdict.value < verdict.expectedLow ? "drifted down" : "drifted up"
            return "\(what) has \(verb) to \(value) since \(since)\(expected)\(sure)"
        case .stuck:
            return "\(what) has not moved from \(value) since \(since)\(sure)"
        case .noise:
            return "\(what) has been unusually noisy since \(since): "
                + "standard deviation \(value)\(expected)\(sure)"
        case .silence:
            return "\(sensor) has sent no \(metric ?? "reading") since \(since) (\(duration(verdict.value)) of silence"
                + (verdict.expectedHigh.isFinite ? ", longest normal gap \(duration(verdict.expectedHigh)))" : ")")
        case .range:
            return "\(what) is \(value) at \(at), outside its valid range\(expected)"
        case .pattern where verdict.detector == .novelty:
            let now = verdict.reason.map { " \($0)" } ?? " a pattern that was never seen before"
            return "\(what) shows\(now): \(value) at \(at)\(usual(verdict, unit))\(sure)"
        case .pattern where verdict.reason != nil:
            return "\(what) shows \(verdict.reason ?? "") since \(since)\(causes(verdict))\(sure)"
        case .pattern:
            return "\(what) shows a pattern not seen before since \(since)\(causes(verdict))\(sure)"
        case .multivariate:
            return "the readings of \(what) do not fit together at \(at)\(causes(verdict))\(sure)"
        case .fire where verdict.reason != nil:
            return "\(sensor) reports signs of fire since \(since): \(trimmed(verdict.reason ?? ""))"
        case .fire:
            return "\(what) reports signs of fire since \(since)\(causes(verdict))\(sure)"
        case .system: return "\(what) is in trouble since \(since)"
        }
    }

    private static func usual(_ verdict: Verdict, _ unit: String?) -> String {
        guard verdict.expectedLow.isFinite, verdict.expectedHigh.isFinite else { return "" }
        return ", usually \(digits(verdict.expectedLow)) to \(quantity(verdict.expectedHigh, unit))"
    }

    /// Without the full stop: the sentence may go on.
    private static func trimmed(_ text: String) -> String { text.hasSuffix(".") ? String(text.dropLast()) : text }

    /// Four significant digits and the unit as people write it.
    public static func quantity(_ value: Double, _ unit: String?) -> String {
        let number = digits(value)
        guard let symbol = symbol(of: unit) else { return number }
        return symbol == "%" ? number + symbol : number + " " + symbol
    }

    /// What is expected: "24.1 to 26.2 °C", "at most 80 °C"; nil without a band.
    public static func expected(low: Double, high: Double, _ unit: String?) -> String? {
        switch (low.isFinite, high.isFinite) {
        case (true, true): "\(digits(low)) to \(quantity(high, unit))"
        case (true, false): "at least \(quantity(low, unit))"
        case (false, true): "at most \(quantity(high, unit))"
        case (false, false): nil
        }
    }

    static func symbol(of unit: String?) -> String? {
        guard let unit, !unit.isEmpty else { return nil }
        switch unit.lowercased() {
        case "c", "celsius", "degc": return "°C"
        case "f", "fahrenheit", "degf": return "°F"
        case "percent", "pct", "%rh", "rh": return "%"
        default: return unit
        }
    }

    static func digits(_ value: Double) -> String {
        guard value.isFinite else { return "no number" }
        let magnitude = abs(value)
        if magnitude != 0, magnitude < 1e-4 || magnitude >= 1e9 { return scientific(value) }
        var scale = 1.0
        var decimals = 0
        while magnitude * scale < 1000, decimals < 6 {
            scale *= 10
            decimals += 1
        }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }

    private static func scientific(_ value: Double) -> String {
        var exponent = 0
        var mantissa = value
        while abs(mantissa) >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while abs(mantissa) < 1 {
            mantissa *= 10
            exponent -= 1
        }
        return "\((mantissa * 100).rounded() / 100)e\(exponent)"
    }

    static func clock(_ time: Timestamp) -> String {
        let whole = Timestamp(nanoseconds: time.nanoseconds / 1_000_000_000 * 1_000_000_000)
        return whole.iso8601.replacing("T", with: " ").replacing("Z", with: " UTC")
    }

    private static func band(_ verdict: Verdict, _ unit: String?) -> String {
        expected(low: verdict.expectedLow, high: verdict.expectedHigh, unit).map { ", expected \($0)" } ?? ""
    }

    private static func causes(_ verdict: Verdict) -> String {
        let named = verdict.contributions.prefix(3).map { "\($0.name) \(Int(($0.share * 100).rounded())) %" }
        return named.isEmpty ? "" : "; contributing most: " + named.joined(separator: ", ")
    }

    private static func confidence(_ pValue: Double) -> String {
        guard pValue.isFinite, pValue < 1 else { return "" }
        return pValue < 1e-9 ? " (p < 1e-9)" : " (p = \(digits(pValue)))"
    }

    /// A length of time in the unit people would use: "4.2 min".
    public static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(digits(seconds)) s"
        case ..<7200: "\(digits((seconds / 6).rounded() / 10)) min"
        case ..<172_800: "\(digits((seconds / 360).rounded() / 10)) h"
        default: "\(digits((seconds / 8640).rounded() / 10)) days"
        }
    }
}
