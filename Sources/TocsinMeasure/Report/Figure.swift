/// Numbers as people read them.
public enum Figure {
    /// With thousands separated by commas: `1,038,000`.
    public static func grouped(_ number: some BinaryInteger) -> String {
        var text = ""
        for (position, digit) in String(number.magnitude).reversed().enumerated() {
            if position > 0, position % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// Rounded to a fixed number of digits after the point, 0 to 9: `12.30`; `-` for what is no number.
    public static func decimal(_ value: Double, digits: Int = 1) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled.isFinite, scaled < 9e18 else { return "-" }
        let whole = Int64(scaled) / Int64(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + grouped(whole) }
        let rest = String(Int64(scaled) % Int64(scale))
        return sign + grouped(whole) + "." + String(repeating: "0", count: digits - rest.count) + rest
    }

    /// `364.0 MiB`.
    public static func bytes(_ count: some BinaryInteger) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value.magnitude >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : decimal(value) + " " + units[unit]
    }

    /// Nanoseconds as milliseconds: `1.234 ms`.
    public static func milliseconds(_ nanoseconds: Int64) -> String {
        decimal(Double(nanoseconds) / 1e6, digits: 3) + " ms"
    }
}
