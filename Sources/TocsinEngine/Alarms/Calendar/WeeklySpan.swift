public import TocsinCore

/// A stretch of time that comes back each week, in UTC: start counted from Monday 00:00.
public struct WeeklySpan: Sendable, Equatable {
    public var start: Span64
    /// More than 0 and at most a week.
    public var length: Span64

    public init(start: Span64, length: Span64) {
        self.start = start
        self.length = length
    }

    static let day = Span64.days(1)
    static let week = Span64.days(7)

    /// Where in the week a time lies: nanoseconds since Monday 00:00 UTC.
    static func placeInWeek(_ time: Timestamp) -> Int64 { place(time, in: week, origin: .days(4)) }
    static func placeInDay(_ time: Timestamp) -> Int64 { place(time, in: day, origin: .days(0)) }

    /// 1970-01-01 was a Thursday: the first Monday came four days later.
    private static func place(_ time: Timestamp, in period: Span64, origin: Span64) -> Int64 {
        floored(time.nanoseconds % period.nanoseconds - origin.nanoseconds, period.nanoseconds)
    }

    /// Remainder that is never negative. `period` must be above 0, and `number` no nearer to the ends of Int64 than it.
    static func floored(_ number: Int64, _ period: Int64) -> Int64 {
        let rest = number % period
        return rest < 0 ? rest + period : rest
    }

    public func contains(_ time: Timestamp) -> Bool {
        let place = Self.placeInWeek(time)
        return Self.floored(place - start.nanoseconds % Self.week.nanoseconds, Self.week.nanoseconds)
            < length.nanoseconds
    }
}

extension WeeklySpan {
    /// Reads "Sat 02:00-04:00 UTC", "Mon-Fri 22:00-06:00", "Sat,Sun 00:00-24:00 +02:00", "daily 02:00-02:30" or just
    /// "02:00-02:30": one span per named day. An end at or before the start is on the next day. The zone is UTC or a
    /// fixed distance from it: there is no summer time here.
    /// - Returns: nil where it says something else.
    static func parse(_ text: String) -> [WeeklySpan]? {
        var words = text.split(separator: " ").map { $0.lowercased() }
        var zone: Int64 = 0
        if let last = words.last, let minutes = zoneMinutes(last) {
            zone = minutes
            words.removeLast()
        }
        guard let times = words.popLast()?.split(separator: "-"), times.count == 2,
            let from = clockMinutes(times[0]), from < 1440, let to = clockMinutes(times[1]),
            let days = days(words.joined())
        else { return nil }
        let length = to > from ? to - from : to - from + 1440
        return days.map { day in
            let start = floored(Int64(day) * 1440 + from - zone, 7 * 1440)
            return WeeklySpan(start: .minutes(start), length: .minutes(length))
        }
    }

    private static func days(_ text: String) -> [Int]? {
        if text.isEmpty || text == "daily" || text == "everyday" { return Array(0..<7) }
        var days: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { day($0) }
            switch ends.count {
            case 1:
                guard let only = ends[0] else { return nil }
                days.append(only)
            case 2:
                guard let first = ends[0], let last = ends[1] else { return nil }
                days += (0...((last - first + 7) % 7)).map { (first + $0) % 7 }
            default: return nil
            }
        }
        return days
    }

    private static func day(_ name: Substring) -> Int? {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        guard name.count >= 3 else { return nil }
        return days.firstIndex { $0.hasPrefix(name) }
    }

    private static func clockMinutes(_ text: some StringProtocol) -> Int64? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, parts[1].utf8.count == 2, let hour = Int64(parts[0]), let minute = Int64(parts[1]),
            (0...24).contains(hour), (0...59).contains(minute), hour < 24 || minute == 0
        else { return nil }
        return hour * 60 + minute
    }

    private static func zoneMinutes(_ text: String) -> Int64? {
        if text == "utc" || text == "z" { return 0 }
        guard text.hasPrefix("+") || text.hasPrefix("-"), let minutes = clockMinutes(text.dropFirst()),
            minutes <= 14 * 60
        else { return nil }
        return text.hasPrefix("-") ? -minutes : minutes
    }
}
