import TocsinCore

/// Dates and times of DuckDB as ISO 8601 text, for its whole range of years.
enum CalendarText {
    /// nil for DuckDB's two infinities.
    static func date(_ days: Int32) -> String? {
        if days == .max || days == -.max { return nil }
        return date(days: Int64(days))
    }

    /// UTC; nil for DuckDB's two infinities.
    static func time(_ ticks: Int64, perSecond: Int64) -> String? {
        if ticks == .max || ticks == -.max { return nil }
        let day = 86_400 * perSecond
        let remainder = ticks % day
        let days = ticks / day - (remainder < 0 ? 1 : 0)
        return date(days: days) + "T" + clock(remainder < 0 ? remainder + day : remainder, perSecond: perSecond) + "Z"
    }

    /// Time of day, with as many digits of a second as needed of 0, 3, 6, 9.
    static func clock(_ ticks: Int64, perSecond: Int64) -> String {
        let seconds = ticks / perSecond
        var text = "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        var fraction = String((ticks % perSecond + perSecond).description.dropFirst())
        while fraction.hasSuffix("000") { fraction.removeLast(3) }
        if !fraction.isEmpty { text += "." + fraction }
        return text
    }

    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private static func date(days: Int64) -> String {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        let digits = year.magnitude.description
        let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return "\(year < 0 ? "-" : "")\(padded)-\(two(month < 10 ? month + 3 : month - 9))-\(two(day))"
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
