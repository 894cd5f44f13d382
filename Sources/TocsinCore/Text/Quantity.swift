/// A number with a unit suffix, as people write durations (`30s`) and sizes (`64MiB`).
public enum Quantity {
    static let durationUnits: [(suffix: String, factor: Int64)] = [
        ("w", 604_800_000_000_000), ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000),
        ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("µs", 1000), ("ns", 1),
    ]

    static let byteUnits: [(suffix: String, factor: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("kB", 1000), ("B", 1),
    ]

    /// `30s`, `1.5h`, `250 ms`; a bare number only when it is 0. nil when it is none or does not fit.
    public static func duration(_ text: String) -> Span64? {
        guard let (number, suffix) = split(text) else { return nil }
        if suffix.isEmpty { return Double(number) == 0 ? Span64(nanoseconds: 0) : nil }
        return scaled(number, suffix, durationUnits).map(Span64.init(nanoseconds:))
    }

    /// `64MiB`, `1.5 GB`, `4096`. nil when it is none or does not fit.
    public static func bytes(_ text: String) -> Int64? {
        guard let (number, suffix) = split(text) else { return nil }
        return scaled(number, suffix.isEmpty ? "B" : suffix, byteUnits)
    }

    /// The shortest exact form in whole units: `90s` stays `90s`, `120s` becomes `2m`.
    public static func text(_ span: Span64) -> String {
        text(span.nanoseconds, durationUnits.filter { !["w", "min", "µs"].contains($0.suffix) }, zero: "0s")
    }

    public static func text(bytes: Int64) -> String {
        text(bytes, byteUnits.filter { $0.suffix.hasSuffix("iB") || $0.suffix == "B" }, zero: "0B")
    }

    private static func text(_ count: Int64, _ units: [(suffix: String, factor: Int64)], zero: String) -> String {
        guard count != 0 else { return zero }
        guard let unit = units.first(where: { count % $0.factor == 0 }) else { return String(count) }
        return "\(count / unit.factor)\(unit.suffix)"
    }

    private static func split(_ text: String) -> (number: String, suffix: String)? {
        let trimmed = text.trimmed
        let number = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") }
        guard !number.isEmpty else { return nil }
        return (number.filter { $0 != "_" }, String(trimmed.dropFirst(number.count)).trimmed)
    }

    private static func scaled(
        _ number: String, _ suffix: String, _ units: [(suffix: String, factor: Int64)]
    ) -> Int64? {
        guard let factor = units.first(where: { $0.suffix == suffix })?.factor else { return nil }
        if let whole = Int64(number) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        guard let fraction = Double(number) else { return nil }
        return Int64(exactly: (fraction * Double(factor)).rounded())
    }
}

extension String {
    /// Without spaces, tabs and line ends at both sides.
    public var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
