internal import TocsinCore

/// The horizontal axis: ticks at round times in UTC (or round row numbers), in two rows of text: the tick itself, and
/// under it what it belongs to, where that begins.
struct TimeAxis {
    struct Tick {
        var time: Int64
        var label: String
        /// Day or year, where a new one begins; empty elsewhere.
        var context: String
    }

    let ticks: [Tick]
    /// What stands beside the ticks: the zone, or what is counted.
    let name: String

    private static let second: Int64 = 1_000_000_000
    private static let day = 86_400 * second
    private static let steps: [Int64] =
        [
            1_000, 10_000, 100_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000,
            200_000_000, 500_000_000,
        ]
        + [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200].map { $0 * second }
        + [1, 2, 7, 14].map { $0 * day }
    // A Monday at midnight: steps of weeks begin there.
    private static let monday = 4 * day

    /// - Parameter count: at most so many ticks.
    init(_ axis: Chart.Axis, from start: Int64, to end: Int64, count: Int) {
        let span = Timestamp(nanoseconds: end).since(Timestamp(nanoseconds: start)).nanoseconds
        let least = span / Int64(max(1, count))
        guard axis == .time else {
            name = "row"
            let step = NumberAxis.step(Double(span), count: count)
            ticks = NumberAxis.ticks(Double(start), Double(end), max(1, step)).compactMap { tick in
                Int64(exactly: tick.rounded()).map {
                    Tick(time: $0, label: NumberText.fixed(tick, 0), context: "")
                }
            }
            return
        }
        name = "UTC"
        if let step = Self.steps.first(where: { $0 >= least }) {
            ticks = Self.regular(from: start, to: end, step: step)
        } else {
            ticks = Self.calendar(from: start, to: end, months: least / (30 * Self.day) + 1)
        }
    }

    private static func regular(from start: Int64, to end: Int64, step: Int64) -> [Tick] {
        let origin = step > 2 * day ? monday : 0
        var remainder = (start &- origin) % step
        if remainder < 0 { remainder += step }
        var time =
            remainder == 0
            ? start : Timestamp(nanoseconds: start).advanced(by: Span64(nanoseconds: step - remainder)).nanoseconds
        var ticks: [Tick] = []
        var context = ""
        while time <= end, ticks.count < 200 {
            let text = Timestamp(nanoseconds: time).iso8601
            let now = step >= day ? String(text.prefix(4)) : date(text)
            let label = step >= day ? dayAndMonth(text) : clock(text, step: step)
            ticks.append(Tick(time: time, label: label, context: now == context ? "" : now))
            context = now
            let (next, overflow) = time.addingReportingOverflow(step)
            guard !overflow else { break }
            time = next
        }
        return ticks
    }

    /// Firsts of months or of years.
    private static func calendar(from start: Int64, to end: Int64, months least: Int64) -> [Tick] {
        let step = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200].first(where: { $0 >= Int(least) }) ?? 2400
        let text = Timestamp(nanoseconds: start).iso8601
        guard let year = Int(text.prefix(4)) else { return [] }
        var month = year * 12
        if step > 12 { month -= month % step }
        var ticks: [Tick] = []
        var context = ""
        while ticks.count < 200 {
            defer { month += step }
            let digits = month % 12 < 9 ? "0\(month % 12 + 1)" : "\(month % 12 + 1)"
            guard let time = Timestamp(iso8601: "\(month / 12)-\(digits)-01") else {
                if month / 12 < 1970 { continue }
                break
            }
            if time.nanoseconds < start { continue }
            guard time.nanoseconds <= end else { break }
            let label = step >= 12 ? "\(month / 12)" : name(ofMonth: month % 12)
            let now = step >= 12 ? "" : "\(month / 12)"
            ticks.append(Tick(time: time.nanoseconds, label: label, context: now == context ? "" : now))
            context = now
        }
        return ticks
    }

    // MARK: Parts of a time as text, "2025-10-01T10:00:00.250Z"

    private static func part(_ text: String, _ range: Range<Int>) -> Substring {
        text.dropFirst(range.lowerBound).prefix(range.count)
    }

    private static func clock(_ text: String, step: Int64) -> String {
        if step >= 60 * second { return String(part(text, 11..<16)) }
        if step >= second { return String(part(text, 11..<19)) }
        let rest = text.dropFirst(19).dropLast()
        let digits = step >= 1_000_000 ? 3 : 6
        let shown = (rest.isEmpty ? "." : String(rest)) + "000000"
        return String(part(text, 14..<19)) + shown.prefix(digits + 1)
    }

    /// "1 Oct 2025"
    static func date(_ text: String) -> String { "\(dayAndMonth(text)) \(text.prefix(4))" }

    private static func dayAndMonth(_ text: String) -> String {
        let month = (Int(part(text, 5..<7)) ?? 1) - 1
        return "\(Int(part(text, 8..<10)) ?? 1) \(name(ofMonth: month))"
    }

    private static func name(ofMonth month: Int) -> String {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return names.indices.contains(month) ? names[month] : ""
    }
}
