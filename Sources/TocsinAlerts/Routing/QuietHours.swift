#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// Weekly spans in which a channel keeps quiet: `mon-fri 22:00-06:00; sat,sun 00:00-24:00`.
public struct QuietHours: Sendable {
    /// Seconds east of Greenwich at a time: fixed, or the machine's zone with its summer time.
    public typealias Zone = @Sendable (Timestamp) -> Int64

    /// Minutes of a week from Monday 00:00; half-open, none goes beyond the week's end.
    private let spans: [Range<Int64>]
    private let zone: Zone
    private static let week: Int64 = 7 * 1440
    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// - Parameters:
    ///   - text: `days from-to`, several separated by `;`; without days: every day. A span that ends before it begins goes on
    ///     into the next day.
    ///   - zone: `local`, `UTC`, `+02:00`, `-05:30`.
    /// - Throws: `TocsinError(.configuration)`, also where there would be no time left that is not quiet.
    public init(_ text: String, zone: String = "local", place: String = "alerts.channels quiet") throws(TocsinError) {
        var spans: [Range<Int64>] = []
        for part in text.lowercased().split(separator: ";") where !String(part).trimmingSpaces.isEmpty {
            guard let found = Self.spans(String(part)) else {
                throw TocsinError(
                    .configuration, "\"\(String(part).trimmingSpaces)\" is no weekly span", place: place,
                    remedy: "write mon-fri 22:00-06:00; sat,sun 00:00-24:00")
            }
            spans += found
        }
        guard let zone = Self.zone(zone) else {
            throw TocsinError(
                .configuration, "\"\(zone)\" is no time zone", place: "\(place), quietZone",
                remedy: "write local, UTC or +02:00")
        }
        self.spans = spans
        self.zone = zone
        guard (0..<Self.week).contains(where: { minute in !spans.contains { $0.contains(minute) } }) else {
            throw TocsinError(
                .configuration, "the whole week is quiet: nobody would ever be told", place: place,
                remedy: "leave some time out, or take the channel out of the configuration")
        }
    }

    public func isQuiet(_ time: Timestamp) -> Bool {
        let minute = minute(time)
        return spans.contains { $0.contains(minute) }
    }

    /// When the quiet in which `time` lies ends; `time` itself where there is none.
    public func end(after time: Timestamp) -> Timestamp {
        guard isQuiet(time) else { return time }
        let minute = minute(time)
        var end = minute
        while let span = spans.first(where: { $0.contains(end % Self.week) }), end < minute + Self.week {
            end += span.upperBound - end % Self.week
        }
        let seconds = time.nanoseconds / 1_000_000_000
        let intoMinute = ((seconds + zone(time)) % 60 + 60) % 60
        return Timestamp(nanoseconds: (seconds - intoMinute + (end - minute) * 60) * 1_000_000_000)
    }

    private func minute(_ time: Timestamp) -> Int64 {
        let local = (time.nanoseconds / 1_000_000_000 + zone(time))
        // 1970-01-01 was a Thursday: three days into its week.
        let seconds = (local + 3 * 86_400) % (7 * 86_400)
        return (seconds < 0 ? seconds + 7 * 86_400 : seconds) / 60
    }

    private static func spans(_ text: String) -> [Range<Int64>]? {
        let words = text.split(separator: " ")
        guard (1...2).contains(words.count), let last = words.last else { return nil }
        let times = last.split(separator: "-").map { minutes(String($0)) }
        guard times.count == 2, let from = times[0], let to = times[1], from != to, from < 1440 else { return nil }
        let length = to > from ? to - from : to + 1440 - from
        var result: [Range<Int64>] = []
        for day in words.count == 1 ? Array(0..<7) : (dayNumbers(String(words[0])) ?? []) {
            let start = Int64(day) * 1440 + from
            let end = start + length
            result.append(start..<min(end, week))
            if end > week { result.append(0..<end - week) }
        }
        return result.isEmpty ? nil : result
    }

    private static func dayNumbers(_ text: String) -> [Int]? {
        var numbers: [Int] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").map { days.firstIndex(of: String($0.prefix(3))) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else { return nil }
            var day = first
            numbers.append(day)
            while day != last {
                day = (day + 1) % 7
                numbers.append(day)
            }
        }
        return numbers.isEmpty ? nil : numbers
    }

    private static func minutes(_ text: String) -> Int64? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let hour = UInt8(parts[0]), let minute = UInt8(parts[1]), minute < 60,
            hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        return Int64(hour) * 60 + Int64(minute)
    }

    private static func zone(_ text: String) -> Zone? {
        switch text.lowercased() {
        case "local": return { time in local(time) }
        case "utc", "z": return { _ in 0 }
        default:
            guard let sign = text.first, sign == "+" || sign == "-", let minutes = minutes(String(text.dropFirst()))
            else {
                return nil
            }
            let seconds = (sign == "-" ? -minutes : minutes) * 60
            return { _ in seconds }
        }
    }

    private static func local(_ time: Timestamp) -> Int64 {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var parts = tm()
        return localtime_r(&seconds, &parts) == nil ? 0 : Int64(parts.tm_gmtoff)
    }
}
